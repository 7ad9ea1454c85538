locals {
  values_hash = sha256(jsonencode(local.values))
  image       = "${aws_ecr_repository.this.repository_url}@${var.image_digest}"
  ca_arns = var.database_ca_parameter == null ? [] : [
    "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter${var.database_ca_parameter}"
  ]

  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = data.aws_region.current.region
      awslogs-stream-prefix = var.app
      # A log that can't be delivered is dropped after 25 MB; blocking would stop the app.
      mode            = "non-blocking"
      max-buffer-size = "25m"
    }
  }

  container = {
    name                   = var.app
    image                  = local.image
    essential              = true
    user                   = "1000:1000"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    # DRAIN_MS, then SHUTDOWN_DEADLINE_MS, and time to spare: as terminationGracePeriodSeconds in Kubernetes.
    stopTimeout = 40
    environment = var.database_ca_parameter == null ? [] : [{ name = "NODE_EXTRA_CA_CERTS", value = "/ca/database.pem" }]
    secrets     = [for name, arn in local.parameter_arns : { name = name, valueFrom = arn }]
    # A value that changes makes a new revision, which the next release takes: parameters are read when a task starts.
    dockerLabels     = { "cairn.values" = local.values_hash }
    logConfiguration = local.log
    mountPoints      = var.database_ca_parameter == null ? [] : [{ sourceVolume = "ca", containerPath = "/ca", readOnly = true }]
    dependsOn        = var.database_ca_parameter == null ? [] : [{ containerName = "ca", condition = "SUCCESS" }]
  }

  # Node trusts further authorities by file only, the root file system is read-only, and the image knows no stage: so the file is
  # written to a volume before the app starts. By root, since a volume of Fargate belongs to it, and by nobody else.
  ca_container = {
    name                   = "ca"
    image                  = local.image
    essential              = false
    user                   = "0:0"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }
    entryPoint             = ["node", "-e", "fs.writeFileSync('/ca/database.pem', process.env.CA)"]
    secrets                = [for arn in local.ca_arns : { name = "CA", valueFrom = arn }]
    logConfiguration       = local.log
    mountPoints            = [{ sourceVolume = "ca", containerPath = "/ca", readOnly = false }]
  }
  helpers = [for container in [local.ca_container] : container if var.database_ca_parameter != null]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/cairn/${var.environment}/${var.app}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_ecs_task_definition" "process" {
  for_each = var.processes

  family                   = "${local.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  skip_destroy             = true # a release may have been made from the one before

  container_definitions = jsonencode(concat(local.helpers, [merge(local.container, {
    command = [each.key]
    portMappings = [
      { name = "http", containerPort = var.port, protocol = "tcp", appProtocol = "http" },
    ]
    # The liveness probe of Kubernetes: the event loop turns. Readiness is asked by the balancer; a database that is away is no
    # reason to restart. 150 s to start, as the start-up probe gives. By the image's own program: there is no curl in it.
    healthCheck = {
      command     = ["CMD", "node", "healthcheck.cjs", "METRICS_PORT:9464/health/live"]
      interval    = 5
      timeout     = 2
      retries     = 3
      startPeriod = 150
    }
  })]))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  dynamic "volume" {
    for_each = var.database_ca_parameter == null ? [] : ["ca"]
    content {
      name = volume.value
    }
  }
}

# Migrations and other admin tasks: the same image and configuration, run once and by hand or by a release (factor 12).
resource "aws_ecs_task_definition" "one_off" {
  family                   = "${local.name}-one-off"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.one_off_size.cpu
  memory                   = var.one_off_size.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  skip_destroy             = true

  container_definitions = jsonencode(concat(local.helpers, [merge(local.container, { command = ["migrate"] })]))

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.architecture
  }

  dynamic "volume" {
    for_each = var.database_ca_parameter == null ? [] : ["ca"]
    content {
      name = volume.value
    }
  }
}
