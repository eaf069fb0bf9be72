package kms

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"selvedge/internal/secret"
)

// callTime is how long KMS may take to answer.
const callTime = 10 * time.Second

// Keys is the keys in AWS KMS. It is a secret.KEK, and safe for concurrent use.
type Keys struct {
	config aws.Config

	mu      sync.Mutex
	clients map[string]*kms.Client // by Region
}

// New returns the keys that the configuration's credentials reach.
func New(c aws.Config) *Keys {
	return &Keys{config: c, clients: map[string]*kms.Client{}}
}

// call returns the client of a Region, and a context that ends in time. A
// server without credentials is told apart from a KMS that does not answer.
func (k *Keys) call(ctx context.Context, region string) (context.Context, context.CancelFunc, *kms.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	if k.config.Credentials != nil {
		if _, err := k.config.Credentials.Retrieve(ctx); err != nil {
			cancel()
			return nil, nil, nil, &secret.KeyError{
				Reason: "the server has no AWS credentials for AWS KMS: give it some as the AWS SDKs take them", Err: err,
			}
		}
	}
	return ctx, cancel, k.client(region), nil
}

func (k *Keys) client(region string) *kms.Client {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.clients[region]
	if !ok {
		c = kms.NewFromConfig(k.config, func(o *kms.Options) {
			o.Region, o.Retryer = region, aws.NopRetryer{}
		})
		k.clients[region] = c
	}
	return c
}

// Describe says whether a key can wrap data keys, and returns its ARN.
func (k *Keys) Describe(ctx context.Context, region, identifier string) (string, error) {
	ctx, cancel, client, err := k.call(ctx, region)
	if err != nil {
		return "", err
	}
	defer cancel()
	out, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &identifier})
	if err != nil {
		return "", classified(identifier, err)
	}
	m := out.KeyMetadata
	if m == nil || m.Arn == nil {
		return "", &secret.KeyError{Reason: "AWS KMS answered DescribeKey without a key"}
	}
	return *m.Arn, usable(*m)
}

// usable refuses a key that cannot wrap data keys.
func usable(m types.KeyMetadata) error {
	arn := aws.ToString(m.Arn)
	switch {
	case m.KeyState == types.KeyStateDisabled:
		return refused("the KMS key %s is disabled: enable it, or choose another", arn)
	case m.KeyState == types.KeyStatePendingDeletion || m.KeyState == types.KeyStatePendingReplicaDeletion:
		return refused("the KMS key %s is to be deleted: cancel its deletion and enable it, or choose another", arn)
	case m.KeyState != types.KeyStateEnabled:
		return refused("the KMS key %s is not ready for use (%s): choose a key that is Enabled", arn, m.KeyState)
	case m.KeyUsage != types.KeyUsageTypeEncryptDecrypt || m.KeySpec != types.KeySpecSymmetricDefault:
		return refused("the KMS key %s is of usage %s and spec %s: choose a symmetric key for encryption, of usage ENCRYPT_DECRYPT and spec SYMMETRIC_DEFAULT",
			arn, m.KeyUsage, m.KeySpec)
	}
	return nil
}

// Generate makes a data key.
func (k *Keys) Generate(ctx context.Context, keyARN, bundleARN string) (plain, wrapped []byte, err error) {
	ctx, cancel, client, err := k.call(ctx, regionOf(keyARN))
	if err != nil {
		return nil, nil, err
	}
	defer cancel()
	out, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{
		KeyId: &keyARN, KeySpec: types.DataKeySpecAes256, EncryptionContext: boundTo(bundleARN),
	})
	if err != nil {
		return nil, nil, classified(keyARN, err)
	}
	return out.Plaintext, out.CiphertextBlob, nil
}

// Wrap encrypts a data key.
func (k *Keys) Wrap(ctx context.Context, keyARN, bundleARN string, plain []byte) ([]byte, error) {
	ctx, cancel, client, err := k.call(ctx, regionOf(keyARN))
	if err != nil {
		return nil, err
	}
	defer cancel()
	out, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: &keyARN, Plaintext: plain, EncryptionContext: boundTo(bundleARN)})
	if err != nil {
		return nil, classified(keyARN, err)
	}
	return out.CiphertextBlob, nil
}

// Unwrap decrypts a data key. The key is named, so that no other opens it.
func (k *Keys) Unwrap(ctx context.Context, keyARN, bundleARN string, wrapped []byte) ([]byte, error) {
	ctx, cancel, client, err := k.call(ctx, regionOf(keyARN))
	if err != nil {
		return nil, err
	}
	defer cancel()
	out, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: &keyARN, CiphertextBlob: wrapped, EncryptionContext: boundTo(bundleARN)})
	if err != nil {
		return nil, classified(keyARN, err)
	}
	return out.Plaintext, nil
}

// Rewrap encrypts a data key anew within KMS, under the key's newest material
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html,
// checked 2026-11-22).
func (k *Keys) Rewrap(ctx context.Context, keyARN, bundleARN string, wrapped []byte) ([]byte, error) {
	ctx, cancel, client, err := k.call(ctx, regionOf(keyARN))
	if err != nil {
		return nil, err
	}
	defer cancel()
	out, err := client.ReEncrypt(ctx, &kms.ReEncryptInput{
		CiphertextBlob: wrapped, SourceKeyId: &keyARN, DestinationKeyId: &keyARN,
		SourceEncryptionContext: boundTo(bundleARN), DestinationEncryptionContext: boundTo(bundleARN),
	})
	if err != nil {
		return nil, classified(keyARN, err)
	}
	return out.CiphertextBlob, nil
}

func boundTo(bundleARN string) map[string]string { return map[string]string{"appBundleArn": bundleARN} }

// regionOf is the fourth part of a key's ARN.
func regionOf(keyARN string) string {
	if parts := strings.Split(keyARN, ":"); len(parts) == 6 {
		return parts[3]
	}
	return ""
}

var _ secret.KEK = (*Keys)(nil)
