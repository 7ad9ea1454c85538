# Sizes of a stage in which things are tried out: one of everything that works with one.
provider "aws" {
  region = var.region

  default_tags {
    tags = { system = "cairn", environment = "dev", managed-by = "terraform" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment = "dev"
  network     = { cidr = "10.10.0.0/16", zones = 2, nat_per_zone = false }

  processes = {
    orders        = { serve = { cpu = 256, memory = 512, min = 1, max = 2 }, consume = { cpu = 256, memory = 512, min = 1, max = 2 } }
    payments      = { serve = { cpu = 256, memory = 512, min = 1, max = 2 }, consume = { cpu = 256, memory = 512, min = 1, max = 2 } }
    notifications = { serve = { cpu = 256, memory = 512, min = 1, max = 2 }, consume = { cpu = 256, memory = 512, min = 1, max = 2 } }
    worker        = { consume = { cpu = 512, memory = 1024, min = 1, max = 2 } }
    scheduler     = { consume = { cpu = 256, memory = 512, min = 1, max = 1 } }
  }
  databases = {
    shared = {
      apps        = ["orders", "payments", "notifications", "scheduler"]
      class       = "db.t4g.micro"
      storage_gb  = 20
      multi_az    = false
      backup_days = 1
    }
  }
  cache              = { node_type = "cache.t4g.micro", nodes = 1 }
  broker             = { instance_type = "kafka.t3.small", per_zone = 1, storage_gb = 10 }
  log_retention_days = 7
  protected          = false

  image_digests       = var.image_digests
  domain              = var.domain
  tokens              = var.tokens
  gateway_url         = var.gateway_url
  mail                = var.mail
  files_access_key_id = var.files_access_key_id
  alarm_email         = var.alarm_email
  deployers           = var.deployers
}
