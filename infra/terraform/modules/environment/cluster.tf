resource "aws_ecs_cluster" "this" {
  name = local.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

# In which apps find each other by name (Service Connect): PAYMENTS_URL is http://payments:3002 in every stage.
resource "aws_service_discovery_http_namespace" "this" {
  name = local.name
}
