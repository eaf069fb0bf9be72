package kms_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/secret"
	"selvedge/internal/secret/kms"
	"selvedge/internal/secret/kms/kmstest"
)

const (
	bundleARN = "arn:aws:appfabric:us-east-1:123456789012:appbundle/00000000-0000-4000-8000-000000000000"
	otherARN  = "arn:aws:appfabric:us-east-1:123456789012:appbundle/00000000-0000-4000-8000-000000000001"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	s := kmstest.Start(t)
	keys := kms.New(s.Config())
	arn, id := s.Key(t)
	for _, identifier := range []string{arn, id} {
		if got, err := keys.Describe(t.Context(), kmstest.Region, identifier); err != nil || got != arn {
			t.Errorf("Describe(%s) = %s, %v", identifier, got, err)
		}
	}
	plain, wrapped, err := keys.Generate(t.Context(), arn, bundleARN)
	if err != nil || len(plain) != 32 || bytes.Contains(wrapped, plain) {
		t.Fatalf("Generate: %d bytes, %v", len(plain), err)
	}
	if got, err := keys.Unwrap(t.Context(), arn, bundleARN, wrapped); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Unwrap: %v", err)
	}
	again, err := keys.Rewrap(t.Context(), arn, bundleARN, wrapped)
	if err != nil || bytes.Equal(again, wrapped) {
		t.Fatalf("Rewrap: %v", err)
	}
	if got, err := keys.Unwrap(t.Context(), arn, bundleARN, again); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Unwrap after Rewrap: %v", err)
	}
	moved, err := keys.Wrap(t.Context(), arn, bundleARN, plain)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Unwrap(t.Context(), arn, bundleARN, moved); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("Unwrap after Wrap: %v", err)
	}
	// The context is AppFabric's, exactly: KMS itself opens with it.
	out, err := s.Client().Decrypt(t.Context(), &awskms.DecryptInput{
		CiphertextBlob: again, KeyId: &arn, EncryptionContext: map[string]string{"appBundleArn": bundleARN},
	})
	if err != nil || !bytes.Equal(out.Plaintext, plain) {
		t.Errorf("Decrypt with AppFabric's context: %v", err)
	}
	other, _ := s.Key(t)
	for name, call := range map[string]func() error{
		"another bundle":           func() error { _, err := keys.Unwrap(t.Context(), arn, otherARN, wrapped); return err },
		"another bundle, rewrap":   func() error { _, err := keys.Rewrap(t.Context(), arn, otherARN, wrapped); return err },
		"another key":              func() error { _, err := keys.Unwrap(t.Context(), other, bundleARN, wrapped); return err },
		"what was never encrypted": func() error { _, err := keys.Unwrap(t.Context(), arn, bundleARN, []byte("x")); return err },
	} {
		if err := call(); !errors.Is(err, secret.ErrKeyRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUnusableKeys: each is refused with what is wrong and what to do.
func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	s := kmstest.Start(t)
	client, keys := s.Client(), kms.New(s.Config())
	made := func(in awskms.CreateKeyInput) string {
		t.Helper()
		out, err := client.CreateKey(t.Context(), &in)
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.KeyMetadata.Arn)
	}
	disabled, disabledID := s.Key(t)
	doomed, doomedID := s.Key(t)
	if _, err := client.DisableKey(t.Context(), &awskms.DisableKeyInput{KeyId: &disabledID}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ScheduleKeyDeletion(t.Context(), &awskms.ScheduleKeyDeletionInput{KeyId: &doomedID}); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, key, want string }{
		{"disabled", disabled, "is disabled: enable it"},
		{"to be deleted", doomed, "is to be deleted: cancel"},
		{"signing", made(awskms.CreateKeyInput{KeyUsage: types.KeyUsageTypeSignVerify, KeySpec: types.KeySpecRsa2048}), "usage SIGN_VERIFY"},
		{"asymmetric", made(awskms.CreateKeyInput{KeyUsage: types.KeyUsageTypeEncryptDecrypt, KeySpec: types.KeySpecRsa2048}), "choose a symmetric key"},
		{"missing", "12345678-90ab-cdef-1234-567890abcdef", "does not exist"},
	}
	for _, tt := range tests {
		_, err := keys.Describe(t.Context(), kmstest.Region, tt.key)
		key, ok := errors.AsType[*secret.KeyError](err)
		if !ok || !key.Refused || !strings.Contains(key.Reason, tt.want) || !strings.Contains(key.Reason, tt.key) {
			t.Errorf("%s: %v; want %q and the key", tt.name, err, tt.want)
		}
	}
	enabled, id := s.Key(t)
	if _, err := keys.Describe(t.Context(), "eu-west-1", id); !errors.Is(err, secret.ErrKeyRefused) {
		t.Errorf("a key of another Region than %s: %v", enabled, err)
	}
}

// TestOutage: the same client works again when KMS does.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := kmstest.Start(t)
	keys := kms.New(s.Config())
	arn, _ := s.Key(t)
	plain, wrapped, err := keys.Generate(t.Context(), arn, bundleARN)
	if err != nil {
		t.Fatal(err)
	}
	s.Down(true)
	s.Calls()
	_, err = keys.Unwrap(t.Context(), arn, bundleARN, wrapped)
	key, ok := errors.AsType[*secret.KeyError](err)
	if !ok || key.Refused || key.Reason != "AWS KMS cannot be reached" {
		t.Errorf("while it is down: %v", err)
	}
	if diff := cmp.Diff([]string{"TrentService.Decrypt"}, s.Calls()); diff != "" {
		t.Errorf("calls (-want +got): only duties try again\n%s", diff)
	}
	s.Down(false)
	if got, err := keys.Unwrap(t.Context(), arn, bundleARN, wrapped); err != nil || !bytes.Equal(got, plain) {
		t.Errorf("when it is back: %v", err)
	}
}

func TestAnswersOfKMS(t *testing.T) {
	t.Parallel()
	s := kmstest.Front(t, nil)
	keys := kms.New(s.Config())
	const arn = "arn:aws:kms:us-east-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef"
	calls := map[string]func(ctx context.Context) error{
		"DescribeKey":     func(ctx context.Context) error { _, err := keys.Describe(ctx, "us-east-1", arn); return err },
		"GenerateDataKey": func(ctx context.Context) error { _, _, err := keys.Generate(ctx, arn, bundleARN); return err },
		"Encrypt":         func(ctx context.Context) error { _, err := keys.Wrap(ctx, arn, bundleARN, []byte("k")); return err },
		"Decrypt":         func(ctx context.Context) error { _, err := keys.Unwrap(ctx, arn, bundleARN, []byte("w")); return err },
		"ReEncrypt":       func(ctx context.Context) error { _, err := keys.Rewrap(ctx, arn, bundleARN, []byte("w")); return err },
	}
	tests := []struct {
		code    string
		status  int
		refused bool
		want    string
	}{
		{"AccessDeniedException", 400, true, "kms:GenerateDataKey and kms:Decrypt"},
		{"DisabledException", 400, true, "is disabled"},
		{"KMSInvalidStateException", 400, true, "is to be deleted"},
		{"NotFoundException", 400, true, "does not exist"},
		{"IncorrectKeyException", 400, true, "is not the key"},
		{"InvalidCiphertextException", 400, true, "another app bundle"},
		{"InvalidKeyUsageException", 400, true, "ENCRYPT_DECRYPT"},
		{"ThrottlingException", 400, false, "no capacity"},
		{"KMSInternalException", 500, false, "is not available"},
		{"DependencyTimeoutException", 500, false, "is not available"},
		{"KeyUnavailableException", 500, false, "is not available"},
		{"ExpiredTokenException", 400, false, "credentials"},
		{"UnrecognizedClientException", 400, false, "credentials"},
		{"SomethingNew", 400, false, "SomethingNew"},
	}
	for _, tt := range tests {
		s.Refuse(tt.code, tt.status)
		for name, call := range calls {
			s.Calls()
			err := call(t.Context())
			key, ok := errors.AsType[*secret.KeyError](err)
			if !ok || key.Refused != tt.refused || !strings.Contains(key.Reason, tt.want) || strings.Contains(key.Reason, "simulated") {
				t.Errorf("%s: %s: %v", name, tt.code, err)
			}
			if tt.refused && !strings.Contains(key.Reason, arn) {
				t.Errorf("%s: %s: the reason does not name the key: %s", name, tt.code, key.Reason)
			}
			if n := len(s.Calls()); n != 1 {
				t.Errorf("%s: %s: %d calls", name, tt.code, n)
			}
		}
	}
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	s := kmstest.Front(t, nil)
	s.Refuse("AccessDeniedException", http.StatusBadRequest)
	c := s.Config()
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("none in the chain")
	})
	_, err := kms.New(c).Describe(t.Context(), "us-east-1", "x")
	key, ok := errors.AsType[*secret.KeyError](err)
	if !ok || key.Refused || !strings.Contains(key.Reason, "no AWS credentials") || len(s.Calls()) != 0 {
		t.Errorf("%v", err)
	}
}
