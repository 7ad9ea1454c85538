# Who releases: a job of GitHub with a token of its own, or CodeBuild. There is no key that could leak.
locals {
  github = var.deployers.github
  trusted = concat(
    [for github in [local.github] : {
      Sid       = "GitHub"
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = github.provider_arn }
      Condition = {
        StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          # Only jobs of this environment, whose rules (approval, branches) GitHub has enforced by then.
          "token.actions.githubusercontent.com:sub" = "repo:${github.repository}:environment:${var.environment}"
        }
      }
    } if github != null],
    [for arns in [var.deployers.role_arns] : {
      Sid       = "Roles"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = arns }
    } if length(arns) > 0],
  )
  ecs = "arn:${data.aws_partition.current.partition}:ecs:${data.aws_region.current.region}:${local.account}"
}

resource "aws_iam_role" "deployer" {
  count = length(local.trusted) > 0 ? 1 : 0

  name               = "${local.name}-deployer"
  description        = "Copies images into ${local.name}, runs migrations and releases"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = local.trusted })
}

resource "aws_iam_role_policy" "deployer" {
  count = length(local.trusted) > 0 ? 1 : 0

  name = "release"
  role = aws_iam_role.deployer[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # These know no resources: a login at the registry, and revisions, which do nothing until a service or a task runs one.
        Sid      = "NoResources"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"]
        Resource = "*"
      },
      {
        Sid    = "Images"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = [for service in module.service : service.repository_arn]
      },
      {
        Sid      = "Migrate"
        Effect   = "Allow"
        Action   = "ecs:RunTask"
        Resource = "${local.ecs}:task-definition/${local.name}-*-one-off:*"
        # Only into this cluster: a revision of this stage does not run in another one.
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        # Named by the cluster it lists, not by what it finds.
        Sid       = "Find"
        Effect    = "Allow"
        Action    = "ecs:ListServices"
        Resource  = "*"
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
      },
      {
        Sid    = "Release"
        Effect = "Allow"
        Action = ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:UpdateService"]
        Resource = [
          "${local.ecs}:service/${aws_ecs_cluster.this.name}/*",
          "${local.ecs}:task/${aws_ecs_cluster.this.name}/*",
        ]
      },
      {
        Sid       = "HandRolesToTasks"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = flatten([for service in module.service : service.role_arns])
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
