output "security_group_id" {
  description = "Of its tasks: what others name to let them in."
  value       = aws_security_group.this.id
}

output "repository_url" {
  description = "Where its images are pushed."
  value       = aws_ecr_repository.this.repository_url
}

output "repository_arn" {
  description = "The same, for policies."
  value       = aws_ecr_repository.this.arn
}

output "role_arns" {
  description = "Roles that a release hands to ECS."
  value       = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
}

output "services" {
  description = "Names of its ECS services, by process type."
  value       = { for process, service in aws_ecs_service.this : process => service.name }
}

output "secret_names" {
  description = "Parameters that have to be put into SSM by hand before the first task starts."
  value       = [for name in local.secrets : "${local.path}/${name}"]
}
