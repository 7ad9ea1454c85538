resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.this.key_id
}

resource "aws_sns_topic_subscription" "email" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  database_alarms = {
    cpu = {
      metric = "CPUUtilization", worse = "GreaterThanThreshold", threshold = 80
      means  = "The processor is busy: a query without an index, or a larger class is due."
    }
    storage = {
      metric = "FreeStorageSpace", worse = "LessThanThreshold", threshold = 5 * pow(1024, 3)
      means  = "Less than 5 GiB are left."
    }
    memory = {
      metric = "FreeableMemory", worse = "LessThanThreshold", threshold = 128 * pow(1024, 2)
      means  = "Less than 128 MiB of memory are left: too many connections, or a larger class is due."
    }
  }
  watched_databases = merge([
    for database in keys(var.databases) : { for name, alarm in local.database_alarms : "${database}-${name}" => merge(alarm, { database = database }) }
  ]...)

  # By consumer group, which is named as its app, and the topic that it must keep up with.
  consumers = {
    orders        = "payments"
    payments      = "orders"
    worker        = "orders"
    notifications = "receipts"
    scheduler     = "job-reports"
  }
}

resource "aws_cloudwatch_metric_alarm" "database" {
  for_each = local.watched_databases

  alarm_name          = "${local.name}-database-${each.key}"
  alarm_description   = each.value.means
  namespace           = "AWS/RDS"
  metric_name         = each.value.metric
  statistic           = "Average"
  period              = 60
  comparison_operator = each.value.worse
  threshold           = each.value.threshold
  evaluation_periods  = 10
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dimensions = { DBInstanceIdentifier = aws_db_instance.this[each.value.database].identifier }
}

resource "aws_cloudwatch_metric_alarm" "cache" {
  alarm_name          = "${local.name}-cache-memory"
  alarm_description   = "Drafts fill the cache: beyond 100 % it forgets some that customers are still writing."
  namespace           = "AWS/ElastiCache"
  metric_name         = "DatabaseMemoryUsagePercentage"
  statistic           = "Maximum"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 5
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dimensions = { ReplicationGroupId = aws_elasticache_replication_group.this.replication_group_id }
}

resource "aws_cloudwatch_metric_alarm" "broker_disk" {
  alarm_name          = "${local.name}-broker-disk"
  alarm_description   = "The disk of a broker is 80 % full: at 100 % it takes no message any more."
  namespace           = "AWS/Kafka"
  metric_name         = "KafkaDataLogsDiskUsed"
  statistic           = "Maximum"
  period              = 300
  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 3
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dimensions = { "Cluster Name" = aws_msk_cluster.this.cluster_name }
}

# Whoever lags behind for 15 minutes is stuck or too slow. No data: nobody has consumed yet.
resource "aws_cloudwatch_metric_alarm" "lag" {
  for_each = local.consumers

  alarm_name          = "${local.name}-${each.key}-lag"
  alarm_description   = "${each.key} is more than 1,000 messages behind on the topic ${each.value}."
  namespace           = "AWS/Kafka"
  metric_name         = "SumOffsetLag"
  statistic           = "Maximum"
  period              = 300
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1000
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]

  dimensions = {
    "Cluster Name"   = aws_msk_cluster.this.cluster_name
    "Consumer Group" = each.key
    Topic            = each.value
  }
}
