variable "region" {
  description = "Region of AWS that all of it is in."
  type        = string
  default     = "eu-central-1"
}

variable "image_digests" {
  description = "Digest (sha256:…) of each app's image that its first revision runs, by app. Later ones come from releases."
  type        = map(string)
}

variable "domain" {
  description = "Where customers reach the APIs: the host, its hosted zone and its certificate in ACM of the region."
  type        = object({ name = string, zone_id = string, certificate_arn = string })
}

variable "tokens" {
  description = "Who issues the tokens that customers bring, and where its public keys are."
  type        = object({ issuer = string, jwks_url = string })
}

variable "gateway_url" {
  description = "The payment gateway, or its sandbox."
  type        = string
}

variable "mail" {
  description = "Who e-mails come from, and the port of the mail server."
  type        = object({ from = string, port = number })
}

variable "files_access_key_id" {
  description = "Id of the key that the worker signs with, see README.md. No secret."
  type        = string
}

variable "alarm_email" {
  description = "Who is told of alarms. null: nobody."
  type        = string
  default     = null
}

variable "deployers" {
  description = "Who may release, see the module."
  type = object({
    github    = optional(object({ provider_arn = string, repository = string }))
    role_arns = optional(list(string), [])
  })
  default = {}
}
