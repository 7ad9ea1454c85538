variable "app" {
  description = "Name of the app: of its folder under apps/, its image and its parameters."
  type        = string
}

variable "environment" {
  description = "Stage that it runs in: dev, staging or production. Part of every name."
  type        = string
}

variable "port" {
  description = "PORT of the app: probes, and its API where it has one."
  type        = number
}

variable "processes" {
  description = <<-EOT
    Its process types: the command of the image, the size of a task (cpu in units of 1/1024 vCPU, memory in MiB) and between how
    many tasks it scales. `paths` are those under which the balancer knows it; none: nobody reaches it from outside.
  EOT
  type = map(object({
    cpu    = number
    memory = number
    min    = number
    max    = number
    paths  = optional(list(string), [])
  }))

  validation {
    condition     = alltrue([for process in values(var.processes) : process.min >= 1 && process.min <= process.max])
    error_message = "A process type has min >= 1 and max >= min: ECS can't scale on what nobody measures at 0 tasks."
  }
  validation {
    condition     = alltrue([for process in values(var.processes) : length(process.paths) <= 5])
    error_message = "A rule of a balancer takes at most 5 paths: use a wildcard."
  }
}

variable "one_off_size" {
  description = "Size of a one-off task, such as the migration: cpu in units of 1/1024 vCPU, memory in MiB."
  type        = object({ cpu = number, memory = number })
  default     = { cpu = 256, memory = 512 }
}

variable "values" {
  description = "Values of this stage by variable, over the defaults of ../../parameters/<app>.json. Never a secret."
  type        = map(string)
}

variable "image_digest" {
  description = "Digest (sha256:…) that the first revision runs. Releases come from infra/aws/deploy.sh, not from here."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest is sha256: and 64 hexadecimal digits: a tag may mean another image tomorrow."
  }
}

variable "architecture" {
  description = "Processor that tasks run on: X86_64 or ARM64. The image has to be built for it."
  type        = string
  default     = "X86_64"

  validation {
    condition     = contains(["X86_64", "ARM64"], var.architecture)
    error_message = "architecture is X86_64 or ARM64."
  }
}

variable "cluster" {
  description = "ECS cluster, and the Service Connect namespace in which apps find each other by name."
  type        = object({ arn = string, name = string, namespace_arn = string })
}

variable "network" {
  description = "Where tasks run."
  type        = object({ vpc_id = string, subnet_ids = list(string) })
}

variable "balancer" {
  description = "The balancer, its HTTPS listener and the priority of this app's rule there. null: no process has paths."
  type = object({
    arn_suffix        = string
    listener_arn      = string
    security_group_id = string
    priority          = number
  })
  default = null
}

variable "egress" {
  description = "What tasks may reach, by name: a port of a security group or of addresses (CIDR). Nothing else."
  type = map(object({
    port              = number
    security_group_id = optional(string)
    cidr              = optional(string)
  }))
}

variable "database_ca_parameter" {
  description = "Name of the SSM parameter with the certificate authority of the databases (PEM). null: the app has no database."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "Key that encrypts its parameters, logs and images."
  type        = string
}

variable "log_retention_days" {
  description = "How long logs are kept, in days."
  type        = number
}

variable "protected" {
  description = "Whether images are kept when the stage is destroyed."
  type        = bool
}

variable "alarm_topic_arn" {
  description = "SNS topic that alarms are sent to."
  type        = string
}
