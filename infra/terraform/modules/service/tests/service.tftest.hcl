# What is promised beyond single values, and what is refused. No account: everything that AWS would do is mocked.
mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
}

variables {
  app          = "orders"
  environment  = "dev"
  port         = 3001
  image_digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
  processes = {
    serve   = { cpu = 256, memory = 512, min = 2, max = 4, paths = ["/api/v1/orders"] }
    consume = { cpu = 256, memory = 512, min = 1, max = 2 }
  }
  values = {
    KAFKA_BROKERS = "b-1:9094"
    JWKS_URL      = "https://login.example/jwks.json"
    JWT_ISSUER    = "https://login.example"
    PAYMENTS_URL  = "http://payments:3002"
  }
  egress                = { broker = { port = 9094, security_group_id = "sg-broker" }, https = { port = 443, cidr = "0.0.0.0/0" } }
  cluster               = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/dev", name = "dev", namespace_arn = "arn:namespace" }
  network               = { vpc_id = "vpc-1", subnet_ids = ["subnet-1", "subnet-2"] }
  balancer              = { arn_suffix = "app/dev/1", listener_arn = "arn:listener", security_group_id = "sg-balancer", priority = 10 }
  database_ca_parameter = "/cairn/dev/database-ca"
  kms_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/1"
  log_retention_days    = 7
  protected             = false
  alarm_topic_arn       = "arn:aws:sns:eu-central-1:123456789012:alarms"
}

run "a_release_that_fails_is_taken_back" {
  assert {
    condition = alltrue([
      for service in aws_ecs_service.this :
      service.deployment_circuit_breaker[0].enable && service.deployment_circuit_breaker[0].rollback
    ])
    error_message = "Every service has a circuit breaker that rolls back."
  }
  assert {
    condition     = alltrue([for service in aws_ecs_service.this : service.deployment_minimum_healthy_percent == 100])
    error_message = "Never fewer tasks than before while a release rolls."
  }
  assert {
    condition     = aws_ecs_service.this["serve"].alarms[0].rollback && length(aws_ecs_service.this["consume"].alarms) == 0
    error_message = "What answers customers is taken back when it fails them; what has no requests has no such alarm."
  }
}

run "only_what_has_paths_is_behind_the_balancer" {
  assert {
    condition     = keys(aws_lb_target_group.this) == ["serve"] && length(aws_ecs_service.this["consume"].load_balancer) == 0
    error_message = "consume answers probes only."
  }
}

run "secrets_are_known_by_name_only" {
  assert {
    condition     = length(setintersection(keys(aws_ssm_parameter.value), local.secrets)) == 0 && length(local.secrets) > 0
    error_message = "No parameter is made of a secret: its value would be in the state."
  }
  assert {
    condition     = length(local.parameter_arns) == length(aws_ssm_parameter.value) + length(local.secrets)
    error_message = "Tasks are given both."
  }
}

run "a_value_that_changes_makes_a_new_revision" {
  variables {
    values = {
      KAFKA_BROKERS = "b-1:9094"
      JWKS_URL      = "https://login.example/jwks.json"
      JWT_ISSUER    = "https://login.example"
      PAYMENTS_URL  = "http://payments:3002"
      LOG_LEVEL     = "debug"
    }
  }
  assert {
    condition     = local.values_hash != sha256(jsonencode(merge(local.values, { LOG_LEVEL = "info" })))
    error_message = "Another value is another hash."
  }
  assert {
    condition = alltrue([
      for task in aws_ecs_task_definition.process :
      one([for container in jsondecode(task.container_definitions) : container if container.essential]).dockerLabels["cairn.values"] == local.values_hash
    ])
    error_message = "The hash is in the revision."
  }
}

run "a_variable_without_a_value_is_refused" {
  command = plan
  variables {
    values = {
      KAFKA_BROKERS = "b-1:9094"
      JWKS_URL      = "https://login.example/jwks.json"
      JWT_ISSUER    = "https://login.example"
    }
  }
  expect_failures = [aws_ssm_parameter.value["PAYMENTS_URL"]]
}

run "a_secret_among_the_values_is_refused" {
  command = plan
  variables {
    values = {
      KAFKA_BROKERS = "b-1:9094"
      JWKS_URL      = "https://login.example/jwks.json"
      JWT_ISSUER    = "https://login.example"
      PAYMENTS_URL  = "http://payments:3002"
      DATABASE_URL  = "postgres://orders:secret@database/orders"
    }
  }
  expect_failures = [aws_ssm_parameter.value["DATABASE_URL"]]
}

run "a_tag_is_refused" {
  command = plan
  variables {
    image_digest = "latest"
  }
  expect_failures = [var.image_digest]
}

run "no_tasks_are_refused" {
  command = plan
  variables {
    processes = { serve = { cpu = 256, memory = 512, min = 0, max = 4 } }
  }
  expect_failures = [var.processes]
}
