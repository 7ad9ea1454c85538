# Put into each stage by verify:infra: applies it with everything mocked, so that its whole configuration is known and can be judged.
mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_msk_cluster" {
    defaults = { bootstrap_brokers_tls = "b-1.kafka.example:9094,b-2.kafka.example:9094" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/cairn" }
  }
}

run "resolved" {
  command = apply
}
