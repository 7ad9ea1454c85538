# The file is made from the schema in apps/<app>/src/config.ts, so that a variable which is renamed there is renamed here.
locals {
  parameters = jsondecode(file("${path.module}/../../parameters/${var.app}.json"))
  name       = "cairn-${var.environment}-${var.app}"
  path       = "/cairn/${var.environment}/${var.app}"

  descriptions = { for parameter in local.parameters : basename(parameter.Name) => parameter.Description }
  defaults     = { for parameter in local.parameters : basename(parameter.Name) => parameter.Value if parameter.Type == "String" }
  secrets      = toset([for parameter in local.parameters : basename(parameter.Name) if parameter.Type == "SecureString"])
  values       = merge(local.defaults, var.values)
  unset        = [for name, value in local.values : name if value == "<${name}>"]

  # Secrets are put there by hand or by a rotation (infra/terraform/README.md), and only their names are known here: what
  # Terraform has never read is in no plan and in no state.
  parameter_arns = {
    for name in setunion(keys(local.values), local.secrets) : name =>
    "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter${local.path}/${name}"
  }
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_ssm_parameter" "value" {
  for_each = local.values

  name        = "${local.path}/${each.key}"
  description = lookup(local.descriptions, each.key, null)
  type        = "String"
  value       = each.value

  lifecycle {
    precondition {
      condition     = !contains(local.unset, each.key)
      error_message = "${var.app} needs a value for ${each.key}: add it to `values` of modules/environment/apps.tf."
    }
    precondition {
      condition     = !contains(local.secrets, each.key)
      error_message = "${each.key} of ${var.app} is a secret: put it into SSM by hand (README.md), not into a state."
    }
  }
}
