output "url" {
  description = "Where customers reach the APIs."
  value       = "https://${var.domain.name}"
}

output "repositories" {
  description = "Where images are pushed, by app."
  value       = { for app, service in module.service : app => service.repository_url }
}

output "secrets" {
  description = "Parameters that have to be put into SSM by hand before the first task starts (README.md)."
  value       = flatten([for service in module.service : service.secret_names])
}

output "kms_key_arn" {
  description = "Key that these secrets are encrypted with (--key-id of aws ssm put-parameter)."
  value       = aws_kms_key.this.arn
}

output "databases" {
  description = "Host of each PostgreSQL server, and the secret with its administrator's password."
  value = {
    for name, database in aws_db_instance.this : name => {
      host                  = database.address
      administrators_secret = one(database.master_user_secret[*].secret_arn)
    }
  }
}

output "cache_host" {
  description = "Host of the store of drafts, for REDIS_URL: rediss://:password@host:6379."
  value       = aws_elasticache_replication_group.this.primary_endpoint_address
}

output "files_user" {
  description = "The user whose key the worker signs requests with."
  value       = aws_iam_user.files.name
}

output "deployer_role_arn" {
  description = "What a release becomes. null: nobody is trusted to."
  value       = one(aws_iam_role.deployer[*].arn)
}
