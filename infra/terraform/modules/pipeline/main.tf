locals {
  name = "cairn-${var.app}"
  # What each project does is in a file of its own, so that it is read and checked as a file.
  projects = { build = "buildspec.yml", release = "release.yml" }
}

data "aws_caller_identity" "current" {}
data "aws_region" "current" {}
data "aws_partition" "current" {}

resource "aws_cloudwatch_log_group" "this" {
  for_each = local.projects

  name              = "/cairn/pipeline/${var.app}-${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.artifacts.kms_key_arn
}

resource "aws_codebuild_project" "this" {
  for_each = local.projects

  name                   = "${local.name}-${each.key}"
  service_role           = aws_iam_role.project[each.key].arn
  build_timeout          = 45
  queued_timeout         = 60
  concurrent_build_limit = 1 # two releases of an app at a time would each undo the other's

  source {
    type      = "CODEPIPELINE"
    buildspec = file("${path.module}/${each.value}")
  }
  artifacts {
    type = "CODEPIPELINE"
  }
  environment {
    type            = "LINUX_CONTAINER"
    compute_type    = each.key == "build" ? "BUILD_GENERAL1_MEDIUM" : "BUILD_GENERAL1_SMALL"
    image           = "aws/codebuild/standard:7.0"
    privileged_mode = true # `docker build`, and copying images

    environment_variable {
      name  = "APP"
      value = var.app
    }
    environment_variable {
      name  = "REPOSITORY"
      value = var.repository.url
    }
  }
  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.this[each.key].name
    }
  }
}

resource "aws_codepipeline" "this" {
  name           = local.name
  role_arn       = aws_iam_role.pipeline.arn
  pipeline_type  = "V2"
  execution_mode = "QUEUED" # each commit is released on its own, in order

  artifact_store {
    type     = "S3"
    location = var.artifacts.bucket
    encryption_key {
      type = "KMS"
      id   = var.artifacts.kms_key_arn
    }
  }

  trigger {
    provider_type = "CodeStarSourceConnection"
    git_configuration {
      source_action_name = "Source"
      push {
        branches {
          includes = [var.source_code.branch]
        }
        file_paths {
          includes = var.source_code.paths
        }
      }
    }
  }

  stage {
    name = "Source"
    action {
      name             = "Source"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["source"]
      configuration = {
        ConnectionArn        = var.source_code.connection_arn
        FullRepositoryId     = var.source_code.repository
        BranchName           = var.source_code.branch
        OutputArtifactFormat = "CODEBUILD_CLONE_REF" # with history: nx compares with the commit before
        DetectChanges        = "false"               # the trigger above does, for what concerns the app
      }
    }
  }

  stage {
    name = "Build"
    action {
      name            = "Build"
      namespace       = "Build" # its DIGEST is what every stage runs
      category        = "Build"
      owner           = "AWS"
      provider        = "CodeBuild"
      version         = "1"
      input_artifacts = ["source"]
      configuration   = { ProjectName = aws_codebuild_project.this["build"].name }
    }
  }

  dynamic "stage" {
    for_each = var.stages
    content {
      name = stage.value.name

      dynamic "action" {
        for_each = stage.value.approval ? ["Approve"] : []
        content {
          name      = action.value
          category  = "Approval"
          owner     = "AWS"
          provider  = "Manual"
          version   = "1"
          run_order = 1
          configuration = merge(
            { CustomData = "${var.app} #{Build.DIGEST}, which runs in the stage before, goes to ${stage.value.name}." },
            var.approvers_topic_arn == null ? {} : { NotificationArn = var.approvers_topic_arn },
          )
        }
      }

      action {
        name            = "Release"
        category        = "Build"
        owner           = "AWS"
        provider        = "CodeBuild"
        version         = "1"
        run_order       = 2
        input_artifacts = ["source"]
        configuration = {
          ProjectName = aws_codebuild_project.this["release"].name
          EnvironmentVariables = jsonencode([
            { name = "STAGE", value = stage.value.name, type = "PLAINTEXT" },
            { name = "DEPLOYER_ROLE_ARN", value = stage.value.deployer_role_arn, type = "PLAINTEXT" },
            { name = "DIGEST", value = "#{Build.DIGEST}", type = "PLAINTEXT" },
          ])
        }
      }
    }
  }
}
