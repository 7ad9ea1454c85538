variable "app" {
  description = "Name of the app that the pipeline builds and releases."
  type        = string
}

variable "source_code" {
  description = <<-EOT
    Where its code is: the connection to the forge (CodeConnections), the repository (owner/name) and the branch. `paths` are globs of
    what concerns the app: a push that changes nothing of it starts no run.
  EOT
  type        = object({ connection_arn = string, repository = string, branch = string, paths = list(string) })

  validation {
    condition     = length(var.source_code.paths) >= 1 && length(var.source_code.paths) <= 8
    error_message = "CodePipeline takes 1 to 8 globs of paths: use wider ones."
  }
}

variable "stages" {
  description = <<-EOT
    Stages in the order of promotion: name, the role that releases there, and whether somebody has to approve first. The digest that
    was built is the one that runs in all of them.
  EOT
  type = list(object({
    name              = string
    deployer_role_arn = string
    approval          = bool
  }))

  validation {
    condition     = length(var.stages) >= 1
    error_message = "There is nothing to build for without a stage."
  }
}

variable "artifacts" {
  description = "Bucket for what is handed from step to step, and the key that encrypts it."
  type        = object({ bucket = string, bucket_arn = string, kms_key_arn = string })
}

variable "repository" {
  description = "ECR repository that builds are pushed to, from which stages copy by digest."
  type        = object({ url = string, arn = string })
}

variable "log_retention_days" {
  description = "How long logs of builds are kept, in days."
  type        = number
  default     = 90
}

variable "approvers_topic_arn" {
  description = "SNS topic that is told when a release waits for approval. null: nobody."
  type        = string
  default     = null
}
