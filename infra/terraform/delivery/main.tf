# Where images are built, and from where they are released into the stages: no stage, and applied before them.
provider "aws" {
  region = var.region

  default_tags {
    tags = { system = "cairn", environment = "delivery", managed-by = "terraform" }
  }
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  apps    = toset(["orders", "payments", "notifications", "worker", "scheduler"])
}

# Has to be confirmed once in the console: GitHub's side of it can't be done by an API.
resource "aws_codestarconnections_connection" "github" {
  name          = "cairn"
  provider_type = "GitHub"
}

resource "aws_kms_key" "this" {
  description             = "Artifacts and logs of pipelines"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # In the policy of a key "*" is this key.
        Sid       = "Account"
        Effect    = "Allow"
        Action    = "kms:*"
        Resource  = "*"
        Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root" }
      },
      {
        Sid       = "Logs"
        Effect    = "Allow"
        Action    = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
        Resource  = "*"
        Principal = { Service = "logs.${var.region}.amazonaws.com" }
        Condition = {
          ArnLike = {
            "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.current.partition}:logs:*:${local.account}:log-group:/cairn/pipeline/*"
          }
        }
      },
    ]
  })
}

resource "aws_s3_bucket" "artifacts" {
  bucket        = "cairn-artifacts-${local.account}"
  force_destroy = true
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  bucket                  = aws_s3_bucket.artifacts.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  bucket = aws_s3_bucket.artifacts.id

  rule {
    id     = "expired"
    status = "Enabled"
    filter {}

    expiration {
      days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_ecr_repository" "this" {
  for_each = local.apps

  name                 = "cairn/${each.key}"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Stages keep what they run in repositories of their own."
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 100 }
      action       = { type = "expire" }
    }]
  })
}

module "pipeline" {
  source   = "../modules/pipeline"
  for_each = local.apps

  app    = each.key
  stages = var.stages
  source_code = {
    connection_arn = aws_codestarconnections_connection.github.arn
    repository     = var.repository
    branch         = var.branch
    # Wider than nx, which finds out in the build which tests a change of a lib concerns: a trigger knows paths only.
    paths = ["apps/${each.key}/**", "libs/**", "tools/build/**", "infra/docker/app.Dockerfile", "package-lock.json"]
  }
  repository = { url = aws_ecr_repository.this[each.key].repository_url, arn = aws_ecr_repository.this[each.key].arn }
  artifacts = {
    bucket      = aws_s3_bucket.artifacts.id
    bucket_arn  = aws_s3_bucket.artifacts.arn
    kms_key_arn = aws_kms_key.this.arn
  }
}
