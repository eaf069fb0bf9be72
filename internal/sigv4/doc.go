// Package sigv4 verifies AWS Signature Version 4 on incoming requests.
//
// A request is verified by signing it again with the AWS SDK's own signer and the secret that belongs to the access
// key, over exactly the headers that the client says it signed, and comparing the two signatures in constant time.
// Checks run in this order, and the first that fails decides the answer:
//
//	Authorization and X-Amz-Date present and well formed, each once
//	session tokens refused
//	clock within 15 minutes
//	host, x-amz-date and every other x-amz-* header signed; the list sorted, lower-case, each header present once
//	algorithm; credential scope: date, Region, service, terminator
//	query decodable, nothing presigned; X-Amz-Content-Sha256 equal to the body's hash
//	access key known
//	signature
//
// An unknown key costs the same signing and comparison as a known one, so time does not tell which keys exist.
//
// Not accepted, though AWS defines them: presigned queries, SigV4A, UNSIGNED-PAYLOAD and streaming payloads, session
// tokens, a Date header in place of X-Amz-Date, and a signed Content-Length of 0. The last two cannot be expressed to
// the SDK's signer, which always signs X-Amz-Date and leaves out an empty body's length.
//
// The steps of a signature: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
// (checked 2026-11-22).
package sigv4
