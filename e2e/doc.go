// Package e2e runs the real binary, driven by real clients against simulated
// applications: the AWS SDKs for Go and JavaScript, the AWS CLI, boto3 and the
// Terraform provider. It has tests only.
//
// A client that the machine lacks skips its test, by name; where CI is set it
// fails it instead.
package e2e
