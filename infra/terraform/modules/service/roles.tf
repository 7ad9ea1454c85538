locals {
  # By tasks of this account only: else one of another account could make ECS use the role (confused deputy).
  tasks = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

# What the agent needs before the app starts: its image, its parameters, its log.
resource "aws_iam_role" "execution" {
  name               = "${local.name}-execution"
  assume_role_policy = local.tasks
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # This action knows no resources: it hands out the token by which a registry is spoken to, and no image.
        Sid      = "Login"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "Pull"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]
        Resource = aws_ecr_repository.this.arn
      },
      {
        Sid      = "Configuration"
        Effect   = "Allow"
        Action   = "ssm:GetParameters"
        Resource = concat(values(local.parameter_arns), local.ca_arns)
      },
      {
        Sid      = "Decrypt"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = var.kms_key_arn
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.this.arn}:*"
      },
    ]
  })
}

# What the app itself may do with AWS: nothing. It speaks to its backing services by URL, with credentials of theirs.
resource "aws_iam_role" "task" {
  name               = "${local.name}-task"
  assume_role_policy = local.tasks
}
