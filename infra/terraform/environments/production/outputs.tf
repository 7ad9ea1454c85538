output "environment" {
  description = "All that operators and releases need to know."
  value       = module.environment
}
