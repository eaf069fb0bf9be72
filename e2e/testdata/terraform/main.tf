terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "token" {
  type      = string
  sensitive = true
}

variable "prefix" {
  type    = string
  default = null
}

variable "display_name" {
  type    = string
  default = "Example"
}

variable "spare_key" {
  type      = string
  default   = "ApiExampleKey"
  sensitive = true
}

variable "tags" {
  type    = map(string)
  default = { environment = "test", empty = "" }
}

provider "aws" {
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  default_tags {
    tags = { team = "audit", floor = "" }
  }
}

provider "aws" {
  alias                       = "ireland"
  region                      = "eu-west-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  default_tags {
    tags = { team = "audit", floor = "" }
  }
}

module "virginia" {
  source       = "./region"
  token        = var.token
  prefix       = var.prefix
  display_name = var.display_name
  spare_key    = var.spare_key
  tags         = var.tags
}

module "ireland" {
  source       = "./region"
  providers    = { aws = aws.ireland }
  token        = var.token
  prefix       = var.prefix
  display_name = var.display_name
  spare_key    = var.spare_key
  tags         = var.tags
}
