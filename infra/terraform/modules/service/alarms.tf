# More than 1 % of requests failed, in two of three minutes, and more than a handful.
resource "aws_cloudwatch_metric_alarm" "errors" {
  for_each = local.public

  alarm_name          = "${local.name}-${each.key}-errors"
  alarm_description   = "${var.app} answers 5xx to more than 1 % of requests."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  metric_query {
    id          = "share"
    expression  = "IF(errors > 5, 100 * errors / requests, 0)"
    label       = "5xx in %"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Target_5XX_Count", requests = "RequestCount" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 60
        dimensions = {
          LoadBalancer = var.balancer.arn_suffix
          TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
        }
      }
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "slow" {
  for_each = local.public

  alarm_name          = "${local.name}-${each.key}-slow"
  alarm_description   = "One request of a hundred to ${var.app} takes longer than 1 s."
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  extended_statistic  = "p99"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  dimensions = {
    LoadBalancer = var.balancer.arn_suffix
    TargetGroup  = aws_lb_target_group.this[each.key].arn_suffix
  }
}

# Fewer tasks than there have to be, for five minutes: a release or a replacement takes less.
resource "aws_cloudwatch_metric_alarm" "too_few" {
  for_each = var.processes

  alarm_name          = "${local.name}-${each.key}-too-few"
  alarm_description   = "Fewer than ${each.value.min} tasks of ${var.app} ${each.key} are running."
  namespace           = "ECS/ContainerInsights"
  metric_name         = "RunningTaskCount"
  statistic           = "Minimum"
  period              = 60
  comparison_operator = "LessThanThreshold"
  threshold           = each.value.min
  evaluation_periods  = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [var.alarm_topic_arn]
  ok_actions          = [var.alarm_topic_arn]

  dimensions = {
    ClusterName = var.cluster.name
    ServiceName = aws_ecs_service.this[each.key].name
  }
}
