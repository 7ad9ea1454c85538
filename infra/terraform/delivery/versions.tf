terraform {
  required_version = ">= 1.10" # use_lockfile of the backend

  # Versioned, encrypted and locked by S3 itself; which bucket is said by `init -backend-config=bucket=…`: it is the account's.
  backend "s3" {
    key          = "cairn/delivery.tfstate"
    encrypt      = true
    use_lockfile = true
  }

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
