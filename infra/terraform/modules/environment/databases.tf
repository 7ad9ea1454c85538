resource "aws_db_subnet_group" "this" {
  name       = local.name
  subnet_ids = [for subnet in aws_subnet.private : subnet.id]
}

resource "aws_security_group" "database" {
  for_each = var.databases

  name        = "${local.name}-database-${each.key}"
  description = "PostgreSQL of ${local.name}: ${each.key}"
  vpc_id      = aws_vpc.this.id
}

resource "aws_db_parameter_group" "this" {
  name_prefix = "${local.name}-"
  family      = "postgres18"

  # A client without TLS is refused.
  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
  # Slower than that is logged.
  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  for_each = var.databases

  identifier     = "${local.name}-${each.key}"
  engine         = "postgres"
  engine_version = "18"
  instance_class = each.value.class
  multi_az       = each.value.multi_az

  # Made by RDS and kept in Secrets Manager, which renews it: in no state. For an administrator; every app has a role of its own.
  username                      = "cairn_admin"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.this.key_id

  allocated_storage     = each.value.storage_gb
  max_allocated_storage = 4 * each.value.storage_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database[each.key].id]
  parameter_group_name   = aws_db_parameter_group.this.name
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  publicly_accessible    = false

  backup_retention_period         = each.value.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.protected
  skip_final_snapshot             = !var.protected
  final_snapshot_identifier       = "${local.name}-${each.key}-final"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_key.this.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
}
