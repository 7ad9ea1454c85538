output "release_role_arn" {
  description = "The role that becomes a stage's deployer: add it to `deployers.role_arns` of the stage."
  value       = aws_iam_role.project["release"].arn
}
