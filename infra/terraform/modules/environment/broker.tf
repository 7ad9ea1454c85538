locals {
  brokers  = var.network.zones * var.broker.per_zone
  replicas = min(3, local.brokers)
}

resource "aws_security_group" "broker" {
  name        = "${local.name}-broker"
  description = "Kafka of ${local.name}"
  vpc_id      = aws_vpc.this.id
}

# Brokers speak to each other, and nobody else does without a rule of his own.
resource "aws_vpc_security_group_ingress_rule" "broker" {
  security_group_id            = aws_security_group.broker.id
  description                  = "brokers"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.broker.id
}

resource "aws_vpc_security_group_egress_rule" "broker" {
  security_group_id            = aws_security_group.broker.id
  description                  = "brokers"
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.broker.id
}

resource "aws_msk_configuration" "this" {
  name           = local.name
  kafka_versions = ["4.0.x.kraft"]

  # Topics are made by `migrate`, with the partitions that the apps count on. What is acknowledged is on two brokers where there are
  # three. Messages live for a week; the inbox remembers for longer (INBOX_KEEP_DAYS).
  server_properties = <<-EOT
    auto.create.topics.enable=false
    default.replication.factor=${local.replicas}
    min.insync.replicas=${max(1, local.replicas - 1)}
    offsets.topic.replication.factor=${local.replicas}
    transaction.state.log.replication.factor=${local.replicas}
    transaction.state.log.min.isr=${max(1, local.replicas - 1)}
    unclean.leader.election.enable=false
    log.retention.hours=168
  EOT
}

resource "aws_msk_cluster" "this" {
  cluster_name           = local.name
  kafka_version          = "4.0.x.kraft"
  number_of_broker_nodes = local.brokers
  enhanced_monitoring    = "PER_TOPIC_PER_BROKER"

  broker_node_group_info {
    instance_type   = var.broker.instance_type
    client_subnets  = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.broker.id]

    storage_info {
      ebs_storage_info {
        volume_size = var.broker.storage_gb
      }
    }
  }

  configuration_info {
    arn      = aws_msk_configuration.this.arn
    revision = aws_msk_configuration.this.latest_revision
  }

  # Who may connect is a matter of security groups: the apps bring no credentials for Kafka. All traffic is encrypted.
  client_authentication {
    unauthenticated = true
  }
  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.this.arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }

  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.broker.name
      }
    }
  }
}

resource "aws_cloudwatch_log_group" "broker" {
  name              = "/cairn/${var.environment}/broker"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this.arn
}
