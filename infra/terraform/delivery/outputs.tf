output "github_provider_arn" {
  description = "For `deployers.github.provider_arn` of the stages in this account."
  value       = aws_iam_openid_connect_provider.github.arn
}

output "github_builder_role_arn" {
  description = "What a job at GitHub becomes to push images."
  value       = aws_iam_role.builder.arn
}

output "release_role_arns" {
  description = "For `deployers.role_arns` of the stages."
  value       = [for pipeline in module.pipeline : pipeline.release_role_arn]
}

output "repositories" {
  description = "Where images are pushed, by app."
  value       = { for app, repository in aws_ecr_repository.this : app => repository.repository_url }
}
