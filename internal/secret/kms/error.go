package kms

import (
	"errors"
	"fmt"

	"github.com/aws/smithy-go"

	"selvedge/internal/secret"
)

func refused(format string, args ...any) error {
	return &secret.KeyError{Refused: true, Reason: fmt.Sprintf(format, args...)}
}

// refusals is what KMS says of a key that is not to be used, and what to do
// about it. The names are those of
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html,
// API_DescribeKey.html, API_GenerateDataKey.html and CommonErrors.html (checked
// 2026-11-22).
func refusals() map[string]string {
	return map[string]string{
		"AccessDeniedException": "may not be used by the server: allow its AWS identity kms:DescribeKey, kms:GenerateDataKey and kms:Decrypt " +
			"(for selvedge rewrap also kms:ReEncrypt* and kms:Encrypt) in the key's policy and in IAM",
		"NotFoundException":          "does not exist in its Region and account: restore it, or choose another",
		"DisabledException":          "is disabled: enable it",
		"KMSInvalidStateException":   "is disabled, or is to be deleted: enable it, or cancel its deletion",
		"IncorrectKeyException":      "is not the key that wrapped the app bundle's data key",
		"InvalidCiphertextException": "does not open the app bundle's data key: it was wrapped by another key, or for another app bundle",
		"InvalidKeyUsageException":   "is not one that encrypts: choose a symmetric key of usage ENCRYPT_DECRYPT",
		"InvalidArnException":        "is not named as AWS KMS names keys",
		"ValidationException":        "is not named as AWS KMS names keys",
	}
}

// credentialFaults is what AWS says of a caller that it does not know.
func credentialFaults() map[string]bool {
	return map[string]bool{
		"UnrecognizedClientException": true, "InvalidClientTokenId": true, "ExpiredTokenException": true, "ExpiredToken": true,
		"InvalidSignatureException": true, "SignatureDoesNotMatch": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
		"MissingAuthenticationToken": true, "MissingAuthenticationTokenException": true, "OptInRequired": true,
	}
}

// classified makes a *secret.KeyError of what a call to KMS came to. Whatever is
// not known as a refusal is a reason to ask again.
func classified(key string, err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return &secret.KeyError{Reason: "AWS KMS cannot be reached", Err: err}
	}
	code := api.ErrorCode()
	if what, ok := refusals()[code]; ok {
		return &secret.KeyError{Refused: true, Reason: fmt.Sprintf("the KMS key %s %s (AWS KMS: %s)", key, what, code), Err: err}
	}
	switch code {
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded", "LimitExceededException":
		return &secret.KeyError{Reason: "AWS KMS has no capacity for the server's requests (" + code + ")", Err: err}
	}
	if credentialFaults()[code] {
		return &secret.KeyError{Reason: "AWS KMS does not accept the server's AWS credentials (" + code + ")", Err: err}
	}
	return &secret.KeyError{Reason: "AWS KMS is not available (" + code + ")", Err: err}
}
