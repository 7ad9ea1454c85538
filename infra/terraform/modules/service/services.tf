locals {
  public = { for process, size in var.processes : process => size if length(size.paths) > 0 }
}

resource "aws_lb_target_group" "this" {
  for_each = local.public

  name        = "cairn-${var.environment}-${substr(var.app, 0, 15)}"
  vpc_id      = var.network.vpc_id
  target_type = "ip"
  protocol    = "HTTP"
  port        = var.port
  # ECS takes a task out of the balancer before it signals: as long as a request may take (requestTimeout of libs/http).
  deregistration_delay = 30
  # Every replica can serve every request, so the one with the least to do is the best.
  load_balancing_algorithm_type = "least_outstanding_requests"

  health_check {
    path                = "/health/ready"
    matcher             = "200"
    interval            = 5
    timeout             = 2
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.public

  listener_arn = var.balancer.listener_arn
  priority     = var.balancer.priority

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }
  condition {
    path_pattern {
      values = each.value.paths
    }
  }
}

resource "aws_ecs_service" "this" {
  for_each = var.processes

  name             = "${var.app}-${each.key}"
  cluster          = var.cluster.arn
  task_definition  = aws_ecs_task_definition.process[each.key].arn
  desired_count    = each.value.min
  launch_type      = "FARGATE"
  platform_version = "1.4.0"
  propagate_tags   = "SERVICE"
  # A shell in a container would be one in production. One-off tasks are run as tasks of their own.
  enable_execute_command            = false
  availability_zone_rebalancing     = "ENABLED"
  health_check_grace_period_seconds = contains(keys(local.public), each.key) ? 150 : null

  # Never fewer than before while a release rolls; a release that does not get up is taken back by ECS itself.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  # What starts and then fails its customers is taken back as well.
  dynamic "alarms" {
    for_each = contains(keys(local.public), each.key) ? ["errors"] : []
    content {
      alarm_names = [aws_cloudwatch_metric_alarm.errors[each.key].alarm_name]
      enable      = true
      rollback    = true
    }
  }

  network_configuration {
    subnets          = var.network.subnet_ids
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = contains(keys(local.public), each.key) ? [aws_lb_target_group.this[each.key].arn] : []
    content {
      target_group_arn = load_balancer.value
      container_name   = var.app
      container_port   = var.port
    }
  }

  # Apps find what answers HTTP by the app's name: http://payments:3002. The others are clients of it only.
  service_connect_configuration {
    enabled   = true
    namespace = var.cluster.namespace_arn

    dynamic "service" {
      for_each = each.key == "serve" ? ["http"] : []
      content {
        port_name      = service.value
        discovery_name = var.app
        client_alias {
          dns_name = var.app
          port     = var.port
        }
      }
    }
  }

  lifecycle {
    # Releases set the first (infra/aws/deploy.sh: this configuration with another digest), autoscaling the second.
    ignore_changes = [task_definition, desired_count]
  }

  # A target group is of use to ECS only once a listener has it.
  depends_on = [aws_lb_listener_rule.this]
}

resource "aws_appautoscaling_target" "this" {
  for_each = var.processes

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${var.cluster.name}/${aws_ecs_service.this[each.key].name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
}

# Half of what a task has is left, for it takes two minutes until another one helps. Node uses one processor at most.
resource "aws_appautoscaling_policy" "cpu" {
  for_each = aws_appautoscaling_target.this

  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = each.value.service_namespace
  scalable_dimension = each.value.scalable_dimension
  resource_id        = each.value.resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 50
    scale_out_cooldown = 30
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}
