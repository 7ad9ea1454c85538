resource "aws_security_group" "balancer" {
  name        = "${local.name}-balancer"
  description = "Balancer of ${local.name}"
  vpc_id      = aws_vpc.this.id
}

# 80 answers with a redirect and nothing else.
resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.balancer.id
  description       = each.key
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_lb" "this" {
  name                       = local.name
  load_balancer_type         = "application"
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
  # Below the 65 s for which apps keep an idle connection (libs/http), or it would send into one that is being closed.
  idle_timeout = 60

  access_logs {
    bucket  = aws_s3_bucket.this["logs"].id
    prefix  = "balancer"
    enabled = true
  }

  # It tries whether it may write there when it is made.
  depends_on = [aws_s3_bucket_policy.this]
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"
    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

# Each app adds a rule for its paths. What no app serves is answered here: probes and metrics are not for the public.
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  certificate_arn   = var.domain.certificate_arn
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"

  default_action {
    type = "fixed-response"
    fixed_response {
      status_code  = "404"
      content_type = "application/problem+json"
      message_body = jsonencode({ type = "about:blank", title = "Not Found", status = 404 })
    }
  }
}

resource "aws_route53_record" "this" {
  zone_id = var.domain.zone_id
  name    = var.domain.name
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
