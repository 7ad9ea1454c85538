resource "aws_elasticache_subnet_group" "this" {
  name       = local.name
  subnet_ids = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_security_group" "cache" {
  name        = "${local.name}-cache"
  description = "Drafts of ${local.name}"
  vpc_id      = aws_vpc.this.id
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = local.name
  description          = "Drafts of ${local.name}"
  engine               = "valkey"
  engine_version       = "8.0"
  node_type            = var.cache.node_type
  num_cache_clusters   = var.cache.nodes

  automatic_failover_enabled = var.cache.nodes > 1
  multi_az_enabled           = var.cache.nodes > 1

  # REDIS_URL is rediss://, with a certificate that Node trusts as it is.
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  kms_key_id                 = aws_kms_key.this.arn

  subnet_group_name  = aws_elasticache_subnet_group.this.name
  security_group_ids = [aws_security_group.cache.id]
  # A draft lives for an hour: there is nothing to restore.
  snapshot_retention_limit   = 0
  auto_minor_version_upgrade = true
  apply_immediately          = !var.protected

  lifecycle {
    # Set by hand, together with REDIS_URL (infra/terraform/README.md): in no plan, in no state.
    ignore_changes = [auth_token, auth_token_update_strategy]
  }
}
