variable "environment" {
  description = "Stage: dev, staging or production. Part of every name, and of the path of every parameter."
  type        = string

  validation {
    condition     = contains(["dev", "staging", "production"], var.environment)
    error_message = "environment is dev, staging or production."
  }
}

variable "image_digests" {
  description = "Digest of each app's image that its first revision runs, by app. Later ones come from releases."
  type        = map(string)
}

variable "network" {
  description = "Addresses of the VPC (CIDR, /16), how many zones it spans, and whether each has a NAT gateway of its own."
  type        = object({ cidr = string, zones = number, nat_per_zone = bool })

  validation {
    condition     = var.network.zones >= 2 && var.network.zones <= 4
    error_message = "zones is 2 to 4: the balancer and the databases want two at least."
  }
}

variable "domain" {
  description = "Where customers reach the APIs: the host, its hosted zone and its certificate in ACM of this region."
  type        = object({ name = string, zone_id = string, certificate_arn = string })
}

variable "tokens" {
  description = "Who issues the tokens that customers bring (JWT_ISSUER), and where its public keys are (JWKS_URL)."
  type        = object({ issuer = string, jwks_url = string })
}

variable "files_access_key_id" {
  description = "Id of the key of the user in output files_user, with which the worker signs. No secret; its other half is."
  type        = string
}

variable "gateway_url" {
  description = "The payment gateway (GATEWAY_URL)."
  type        = string
}

variable "mail" {
  description = "Who e-mails come from (MAIL_FROM), and the port of the mail server that SMTP_URL names."
  type        = object({ from = string, port = number })
}

variable "otlp_endpoint" {
  description = "Where traces and metrics are sent (OTEL_EXPORTER_OTLP_ENDPOINT), by HTTPS. null: nowhere."
  type        = string
  default     = null
}

variable "processes" {
  description = <<-EOT
    Size of each process type, by app and process type (orders, serve): units of 1/1024 vCPU, memory in MiB, tasks at least and at
    most. All process types have to be named: stages differ in sizes and not in what runs.
  EOT
  type        = map(map(object({ cpu = number, memory = number, min = number, max = number })))
}

variable "databases" {
  description = <<-EOT
    PostgreSQL servers by name, and the apps whose databases are on each. One for all is cheap; one for each keeps an app's load
    from the others. storage_gb grows up to four times by itself.
  EOT
  type = map(object({
    apps        = list(string)
    class       = string
    storage_gb  = number
    multi_az    = bool
    backup_days = number
  }))

  validation {
    condition = (
      sort(flatten([for database in values(var.databases) : database.apps])) ==
      sort(["orders", "payments", "notifications", "scheduler"])
    )
    error_message = "Each of orders, payments, notifications and scheduler has its database on exactly one server."
  }
}

variable "cache" {
  description = "Redis-compatible store of drafts: type of a node and how many; two or more fail over by themselves."
  type        = object({ node_type = string, nodes = number })
}

variable "broker" {
  description = "Kafka: type of a broker, how many in each zone, disk of each in GB."
  type        = object({ instance_type = string, per_zone = number, storage_gb = number })
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
}

variable "protected" {
  description = "Whether databases, storage and the balancer can be destroyed only after this was set to false. Not in dev."
  type        = bool
}

variable "alarm_email" {
  description = "Who is told of alarms; has to confirm once. null: nobody."
  type        = string
  default     = null
}

variable "deployers" {
  description = <<-EOT
    Who may release into this stage. `github`: the provider of GitHub's tokens in this account and the repository (owner/name), whose
    environment of the same name is trusted and nothing else of it. `role_arns`: roles that may become the deployer (CodeBuild).
  EOT
  type = object({
    github    = optional(object({ provider_arn = string, repository = string }))
    role_arns = optional(list(string), [])
  })
  default = {}
}
