locals {
  trust = {
    for service in ["codebuild", "codepipeline"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
      }]
    })
  }

  artifacts = [
    {
      Sid      = "Artifacts"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"]
      Resource = "${var.artifacts.bucket_arn}/*"
    },
    {
      Sid      = "ArtifactsKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = var.artifacts.kms_key_arn
    },
  ]
  source_code = [{
    Sid      = "SourceCode"
    Effect   = "Allow"
    Action   = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
    Resource = var.source_code.connection_arn
  }]
  # This action knows no resources: it hands out the token by which a registry is spoken to, and no image.
  registry_login = [{ Sid = "Login", Effect = "Allow", Action = "ecr:GetAuthorizationToken", Resource = "*" }]
  pull           = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
  push           = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]

  own = {
    # Builds, and may release nowhere.
    build = [
      { Sid = "Image", Effect = "Allow", Action = concat(local.pull, local.push), Resource = var.repository.arn },
    ]
    # Releases, and may push nothing where builds are pushed: what it releases was built.
    release = [
      { Sid = "Image", Effect = "Allow", Action = local.pull, Resource = var.repository.arn },
      { Sid = "Stages", Effect = "Allow", Action = "sts:AssumeRole", Resource = [for stage in var.stages : stage.deployer_role_arn] },
    ]
  }
}

resource "aws_iam_role" "project" {
  for_each = local.projects

  name               = "${local.name}-${each.key}"
  assume_role_policy = local.trust.codebuild
}

resource "aws_iam_role_policy" "project" {
  for_each = local.projects

  name = each.key
  role = aws_iam_role.project[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.artifacts, local.source_code, local.registry_login, local.own[each.key], [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this[each.key].arn}:*"
      },
    ])
  })
}

resource "aws_iam_role" "pipeline" {
  name               = "${local.name}-pipeline"
  assume_role_policy = local.trust.codepipeline
}

resource "aws_iam_role_policy" "pipeline" {
  name = "run"
  role = aws_iam_role.pipeline.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.artifacts, local.source_code, [
      {
        Sid      = "Projects"
        Effect   = "Allow"
        Action   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
        Resource = [for project in aws_codebuild_project.this : project.arn]
      },
      ], var.approvers_topic_arn == null ? [] : [
      { Sid = "Tell", Effect = "Allow", Action = "sns:Publish", Resource = var.approvers_topic_arn },
    ])
  })
}
