package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// The codes an Error can have. All are answered with HTTP status 403; the code goes into x-amzn-ErrorType.
const (
	CodeInvalidSignature     = "InvalidSignatureException"
	CodeUnrecognizedClient   = "UnrecognizedClientException"
	CodeMissingToken         = "MissingAuthenticationTokenException"
	CodeIncompleteSignature  = "IncompleteSignatureException"
	messageMismatch          = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	messageUnknownKey        = "The security token included in the request is invalid."
	messageMissingToken      = "Missing Authentication Token"
	messageSessionToken      = "The security token included in the request is invalid. Session tokens (X-Amz-Security-Token) are not supported: use a long-term access key."
	messagePresigned         = "Presigned requests are not supported: send the signature in the Authorization header."
	messageBodyHash          = "The provided 'x-amz-content-sha256' header does not match what was computed."
	messageUnsignedPayload   = "The value of 'x-amz-content-sha256' must be the SHA-256 of the body: unsigned payloads are not supported."
	messageHostUnsigned      = "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
	messageEmptyBodyLength   = "A 'Content-Length' of 0 must not be a 'SignedHeader' in the AWS Authorization: this server cannot verify it."
	messageDateHeaderOnly    = "Authorization header requires existence of a 'X-Amz-Date' header; a 'Date' header alone is not supported."
	messageHeadersNotSorted  = "The names in 'SignedHeaders' must be lower-case, sorted and different from each other."
	messageQueryNotDecodable = "The query string could not be decoded."
	messageTargetForm        = "The request target must be a path that begins with '/'."
)

// Error says why a request was not authenticated. Code is one of the Code constants, Message is for the client: AWS's
// own words where AWS has any. Neither holds a signature, a secret or the text of an Authorization header. Status 403.
type Error struct {
	Code    string
	Message string
}

func (e *Error) Error() string { return "sigv4: " + e.Code + ": " + e.Message }

func invalid(format string, args ...any) *Error {
	return &Error{Code: CodeInvalidSignature, Message: fmt.Sprintf(format, args...)}
}

func incomplete(format string, args ...any) *Error {
	return &Error{Code: CodeIncompleteSignature, Message: fmt.Sprintf(format, args...)}
}

// hashed stands in for what a client sent where it may be somebody's token: AWS answers the same way.
func hashed(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}
