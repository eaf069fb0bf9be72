// Package kms holds users' own keys in AWS KMS. It calls KMS once for each
// thing that it is asked, without retries, and says of each failure whether KMS
// refuses or cannot be reached: whoever works with a key waits in both cases.
//
// Every call has the encryption context that AWS AppFabric uses,
// {"appBundleArn": "<ARN of the app bundle>"}
// (https://docs.aws.amazon.com/appfabric/latest/adminguide/data-protection.html,
// checked 2026-11-22), so that a key policy written for AppFabric holds here:
// the server's AWS identity needs kms:DescribeKey, kms:GenerateDataKey and
// kms:Decrypt, and for selvedge rewrap also kms:ReEncryptFrom, kms:ReEncryptTo
// and kms:Encrypt. A plain data key is with KMS and in this process's memory
// alone.
//
// Credentials and endpoints are those of the aws.Config that the package is
// given: AWS's own chain, AWS_ENDPOINT_URL_KMS and AWS_ENDPOINT_URL.
package kms
