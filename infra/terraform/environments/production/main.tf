# Three zones, a database server for each app with load of its own, and room to grow.
provider "aws" {
  region = var.region

  default_tags {
    tags = { system = "cairn", environment = "production", managed-by = "terraform" }
  }
}

module "environment" {
  source = "../../modules/environment"

  environment = "production"
  network     = { cidr = "10.30.0.0/16", zones = 3, nat_per_zone = true }

  processes = {
    orders        = { serve = { cpu = 1024, memory = 2048, min = 3, max = 12 }, consume = { cpu = 1024, memory = 2048, min = 3, max = 12 } }
    payments      = { serve = { cpu = 256, memory = 512, min = 3, max = 6 }, consume = { cpu = 1024, memory = 2048, min = 3, max = 12 } }
    notifications = { serve = { cpu = 256, memory = 512, min = 3, max = 6 }, consume = { cpu = 256, memory = 512, min = 3, max = 6 } }
    worker        = { consume = { cpu = 1024, memory = 2048, min = 2, max = 12 } }
    scheduler     = { consume = { cpu = 256, memory = 512, min = 2, max = 2 } }
  }
  databases = {
    orders = {
      apps        = ["orders"]
      class       = "db.m7g.large"
      storage_gb  = 100
      multi_az    = true
      backup_days = 30
    }
    payments = {
      apps        = ["payments"]
      class       = "db.m7g.large"
      storage_gb  = 100
      multi_az    = true
      backup_days = 30
    }
    others = {
      apps        = ["notifications", "scheduler"]
      class       = "db.t4g.medium"
      storage_gb  = 20
      multi_az    = true
      backup_days = 30
    }
  }
  cache              = { node_type = "cache.m7g.large", nodes = 3 }
  broker             = { instance_type = "kafka.m7g.large", per_zone = 1, storage_gb = 200 }
  log_retention_days = 365
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
