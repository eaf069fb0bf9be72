terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "token" { sensitive = true }
variable "prefix" {}
variable "display_name" {}
variable "spare_key" { sensitive = true }
variable "tags" {}

resource "aws_appfabric_app_bundle" "this" {
  tags = var.tags
}

resource "aws_appfabric_app_authorization" "this" {
  app_bundle_arn = aws_appfabric_app_bundle.this.arn
  app            = "TERRAFORMCLOUD"
  auth_type      = "apiKey"
  tags           = var.tags

  credential {
    api_key_credential {
      api_key = var.token
    }
  }
  tenant {
    tenant_identifier   = "example-org"
    tenant_display_name = var.display_name
  }
}

# Never connected: its key is nobody's.
resource "aws_appfabric_app_authorization" "spare" {
  app_bundle_arn = aws_appfabric_app_bundle.this.arn
  app            = "TERRAFORMCLOUD"
  auth_type      = "apiKey"

  credential {
    api_key_credential {
      api_key = var.spare_key
    }
  }
  tenant {
    tenant_identifier   = "test"
    tenant_display_name = "test"
  }
}

# Waits for a person's consent at its auth_url.
resource "aws_appfabric_app_authorization" "okta" {
  app_bundle_arn = aws_appfabric_app_bundle.this.arn
  app            = "OKTA"
  auth_type      = "oauth2"

  credential {
    oauth2_credential {
      client_id     = "client"
      client_secret = var.spare_key
    }
  }
  tenant {
    tenant_identifier   = "acme.okta.com"
    tenant_display_name = "Acme"
  }
}

resource "aws_appfabric_app_authorization_connection" "this" {
  app_bundle_arn        = aws_appfabric_app_bundle.this.arn
  app_authorization_arn = aws_appfabric_app_authorization.this.arn
}

resource "aws_appfabric_ingestion" "this" {
  app_bundle_arn = aws_appfabric_app_bundle.this.arn
  app            = "TERRAFORMCLOUD"
  tenant_id      = "example-org"
  ingestion_type = "auditLog"
  tags           = var.tags
  depends_on     = [aws_appfabric_app_authorization_connection.this]
}

resource "aws_appfabric_ingestion_destination" "this" {
  app_bundle_arn = aws_appfabric_app_bundle.this.arn
  ingestion_arn  = aws_appfabric_ingestion.this.arn
  tags           = var.tags

  processing_configuration {
    audit_log {
      format = "json"
      schema = "ocsf"
    }
  }
  destination_configuration {
    audit_log {
      destination {
        s3_bucket {
          bucket_name = "audit-logs"
          prefix      = var.prefix
        }
      }
    }
  }
}
