# No rule, no traffic, in either direction.
resource "aws_security_group" "this" {
  name        = local.name
  description = "Tasks of ${var.app}"
  vpc_id      = var.network.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_egress_rule" "reaches" {
  for_each = var.egress

  security_group_id            = aws_security_group.this.id
  description                  = each.key
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = each.value.security_group_id
  cidr_ipv4                    = each.value.cidr
}

# The other end lets it in. Rules are kept with who needs them.
resource "aws_vpc_security_group_ingress_rule" "reached" {
  for_each = { for name, target in var.egress : name => target if target.cidr == null }

  security_group_id            = each.value.security_group_id
  description                  = var.app
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  referenced_security_group_id = aws_security_group.this.id
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = local.public

  security_group_id            = aws_security_group.this.id
  description                  = "balancer"
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  referenced_security_group_id = var.balancer.security_group_id
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each = local.public

  security_group_id            = var.balancer.security_group_id
  description                  = var.app
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  referenced_security_group_id = aws_security_group.this.id
}
