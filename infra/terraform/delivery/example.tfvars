# Example: copy it to terraform.tfvars and put your own. Nothing in here is a secret.
repository = "OWNER/cairn"
stages = [
  { name = "staging", deployer_role_arn = "arn:aws:iam::123456789012:role/cairn-staging-deployer", approval = false },
  { name = "production", deployer_role_arn = "arn:aws:iam::123456789012:role/cairn-production-deployer", approval = true },
]
