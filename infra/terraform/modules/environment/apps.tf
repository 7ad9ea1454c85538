locals {
  anywhere = "0.0.0.0/0"
  https    = { port = 443, cidr = local.anywhere }

  kafka = { KAFKA_BROKERS = aws_msk_cluster.this.bootstrap_brokers_tls, KAFKA_TLS = "true" }
  # `migrate` makes topics with them.
  topics = { KAFKA_PARTITIONS = "6", KAFKA_REPLICAS = tostring(local.replicas) }
  tokens = { JWT_ISSUER = var.tokens.issuer, JWKS_URL = var.tokens.jwks_url }
  every_process = merge(
    # For calls from task to task, from which ECS takes nobody out before it signals.
    { DRAIN_MS = "5000", DEPLOYMENT_ENVIRONMENT = var.environment == "production" ? "production" : "staging" },
    var.otlp_endpoint == null ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT = var.otlp_endpoint },
  )

  # What the apps differ in. Ports, commands, paths and variables are checked against the apps' code: npm run verify:infra.
  apps = {
    orders = {
      port     = 3001
      priority = 10
      paths    = { serve = ["/api/v1/drafts/*", "/api/v1/orders", "/api/v1/orders/*"] }
      values   = merge(local.kafka, local.topics, local.tokens, { PAYMENTS_URL = "http://payments:3002" })
    }
    payments = {
      port     = 3002
      priority = 20
      paths    = { serve = ["/api/v1/payments/*"] }
      values   = merge(local.kafka, local.topics, local.tokens, { GATEWAY_URL = var.gateway_url })
    }
    notifications = {
      port     = 3003
      priority = 30
      paths    = { serve = ["/api/v1/notifications"] }
      values   = merge(local.kafka, local.tokens, { MAIL_FROM = var.mail.from })
    }
    worker = {
      port     = 3004
      priority = null
      paths    = {}
      values = merge(local.kafka, local.topics, {
        S3_ENDPOINT      = "https://s3.${data.aws_region.current.region}.amazonaws.com"
        S3_REGION        = data.aws_region.current.region
        S3_BUCKET        = aws_s3_bucket.this["files"].id
        S3_ACCESS_KEY_ID = var.files_access_key_id
      })
    }
    scheduler = {
      port     = 3005
      priority = null
      paths    = {}
      values   = merge(local.kafka, local.topics)
    }
  }

  # Keys are known before anything is made: rules are planned one by one.
  egress = {
    for app in keys(local.apps) : app => merge(
      # 443: AWS (images, parameters, logs), the token issuer, the payment gateway, object storage.
      { https = local.https, broker = { port = 9094, security_group_id = aws_security_group.broker.id } },
      { for name, database in var.databases : "database-${name}" => {
        port = 5432, security_group_id = aws_security_group.database[name].id
      } if contains(database.apps, app) },
      { for name in ["cache"] : name => { port = 6379, security_group_id = aws_security_group.cache.id } if app == "orders" },
      { for name in ["mail"] : name => { port = var.mail.port, cidr = local.anywhere } if app == "notifications" },
    )
  }
}

module "service" {
  source   = "../service"
  for_each = local.apps

  app          = each.key
  environment  = var.environment
  port         = each.value.port
  values       = merge(local.every_process, each.value.values)
  image_digest = var.image_digests[each.key]
  egress       = local.egress[each.key]
  processes = {
    for process, size in var.processes[each.key] : process => merge(size, { paths = lookup(each.value.paths, process, []) })
  }

  cluster = {
    arn           = aws_ecs_cluster.this.arn
    name          = aws_ecs_cluster.this.name
    namespace_arn = aws_service_discovery_http_namespace.this.arn
  }
  network = { vpc_id = aws_vpc.this.id, subnet_ids = [for subnet in aws_subnet.private : subnet.id] }
  balancer = each.value.priority == null ? null : {
    arn_suffix        = aws_lb.this.arn_suffix
    listener_arn      = aws_lb_listener.https.arn
    security_group_id = aws_security_group.balancer.id
    priority          = each.value.priority
  }

  database_ca_parameter = contains(flatten([for database in values(var.databases) : database.apps]), each.key) ? "/cairn/${var.environment}/database-ca" : null
  kms_key_arn           = aws_kms_key.this.arn
  log_retention_days    = var.log_retention_days
  protected             = var.protected
  alarm_topic_arn       = aws_sns_topic.alarms.arn
}

# The one call from app to app: an order is expanded with its payment.
resource "aws_vpc_security_group_egress_rule" "orders_to_payments" {
  security_group_id            = module.service["orders"].security_group_id
  description                  = "payments"
  ip_protocol                  = "tcp"
  from_port                    = local.apps.payments.port
  to_port                      = local.apps.payments.port
  referenced_security_group_id = module.service["payments"].security_group_id
}

resource "aws_vpc_security_group_ingress_rule" "orders_to_payments" {
  security_group_id            = module.service["payments"].security_group_id
  description                  = "orders"
  ip_protocol                  = "tcp"
  from_port                    = local.apps.payments.port
  to_port                      = local.apps.payments.port
  referenced_security_group_id = module.service["orders"].security_group_id
}
