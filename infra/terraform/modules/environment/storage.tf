locals {
  buckets = {
    # Receipts and reports.
    files = "${local.name}-files-${local.account}"
    # Of the balancer.
    logs = "${local.name}-logs-${local.account}"
  }
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets

  bucket        = each.value
  force_destroy = !var.protected
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = aws_s3_bucket.this

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# The balancer can write to buckets with keys of S3 itself only.
resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    bucket_key_enabled = each.key == "files"
    apply_server_side_encryption_by_default {
      sse_algorithm     = each.key == "files" ? "aws:kms" : "AES256"
      kms_master_key_id = each.key == "files" ? aws_kms_key.this.arn : null
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id

  rule {
    id     = "unfinished"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
  # A receipt is written once under its key; an older version is one that was written by mistake.
  rule {
    id     = "replaced"
    status = "Enabled"
    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
  # Links to receipts work for 7 days; hardly anybody reads one afterwards.
  dynamic "rule" {
    for_each = each.key == "files" ? ["receipts/", "reports/"] : []
    content {
      id     = "rarely-read-${trimsuffix(rule.value, "/")}"
      status = "Enabled"
      filter {
        prefix = rule.value
      }

      transition {
        days          = 30
        storage_class = "STANDARD_IA"
      }
    }
  }
  dynamic "rule" {
    for_each = each.key == "logs" ? ["expired"] : []
    content {
      id     = rule.value
      status = "Enabled"
      filter {}

      expiration {
        days = var.log_retention_days
      }
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this

  bucket = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "OnlyEncrypted"
        Effect    = "Deny"
        Action    = "s3:*"
        Principal = "*"
        Resource  = [each.value.arn, "${each.value.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for bucket in [each.key] : {
        Sid       = "BalancerLogs"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Resource  = "${each.value.arn}/balancer/AWSLogs/${local.account}/*"
      } if bucket == "logs"],
    )
  })

  # Two changes of a bucket at a time fail.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

# The worker signs links with it that work for 7 days. A link lives no longer than the credentials that signed it, and those of a
# role end within hours: so it is a user, who may do this and nothing else. His key is made and renewed by hand: in no state.
resource "aws_iam_user" "files" {
  name          = "${local.name}-files"
  force_destroy = true # with its key
}

resource "aws_iam_user_policy" "files" {
  name = "files"
  user = aws_iam_user.files.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Files"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = [for prefix in ["receipts", "reports"] : "${aws_s3_bucket.this["files"].arn}/${prefix}/*"]
      },
      {
        # Whether it is there: readiness of the worker, and `migrate`. Without it a file that is missing is a 403.
        Sid      = "Bucket"
        Effect   = "Allow"
        Action   = "s3:ListBucket"
        Resource = aws_s3_bucket.this["files"].arn
      },
      {
        Sid       = "Key"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = aws_kms_key.this.arn
        Condition = { StringEquals = { "kms:ViaService" = "s3.${data.aws_region.current.region}.amazonaws.com" } }
      },
    ]
  })
}
