# As production in kind: two of everything that has to survive the loss of one, in smaller sizes.
provider "aws" {
  region = var.region

  default_tags {
    tags = { system = "cairn", environment = "staging", managed-by = "terraform" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment = "staging"
  network     = { cidr = "10.20.0.0/16", zones = 2, nat_per_zone = false }

  processes = {
    orders        = { serve = { cpu = 256, memory = 512, min = 2, max = 4 }, consume = { cpu = 256, memory = 512, min = 2, max = 4 } }
    payments      = { serve = { cpu = 256, memory = 512, min = 2, max = 2 }, consume = { cpu = 256, memory = 512, min = 2, max = 4 } }
    notifications = { serve = { cpu = 256, memory = 512, min = 2, max = 2 }, consume = { cpu = 256, memory = 512, min = 2, max = 2 } }
    worker        = { consume = { cpu = 512, memory = 1024, min = 1, max = 4 } }
    scheduler     = { consume = { cpu = 256, memory = 512, min = 2, max = 2 } }
  }
  databases = {
    shared = {
      apps        = ["orders", "payments", "notifications", "scheduler"]
      class       = "db.t4g.small"
      storage_gb  = 20
      multi_az    = true
      backup_days = 7
    }
  }
  cache              = { node_type = "cache.t4g.micro", nodes = 2 }
  broker             = { instance_type = "kafka.t3.small", per_zone = 1, storage_gb = 50 }
  log_retention_days = 30
  protected          = true

  image_digests       = var.image_digests
  domain              = var.domain
  tokens              = var.tokens
  gateway_url         = var.gateway_url
  mail                = var.mail
  files_access_key_id = var.files_access_key_id
  alarm_email         = var.alarm_email
  deployers           = var.deployers
}
