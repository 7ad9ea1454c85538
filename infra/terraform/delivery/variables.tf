variable "region" {
  description = "Region of AWS that builds run in."
  type        = string
  default     = "eu-central-1"
}

variable "repository" {
  description = "The repository at GitHub: owner/name."
  type        = string
}

variable "branch" {
  description = "What is released."
  type        = string
  default     = "main"
}

variable "stages" {
  description = "Stages in the order of promotion, each with its deployer, role/cairn-<stage>-deployer of its account."
  type = list(object({
    name              = string
    deployer_role_arn = string
    approval          = bool
  }))
}
