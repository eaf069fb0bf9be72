package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"selvedge/internal/fabric"
)

// What stands between a server and a bundle's data key. Work that meets one of
// them waits and loses nothing; it is no failure of what it works for.
var (
	// ErrKeyUnavailable: whoever holds the key cannot be asked now.
	ErrKeyUnavailable = errors.New("secret: the key is not available")
	// ErrKeyRefused: whoever holds the key says no.
	ErrKeyRefused = errors.New("secret: the key is refused")
)

// KeyError is why a data key cannot be had. It is ErrKeyRefused or
// ErrKeyUnavailable. A refused key is its owner's to mend: the error is a
// *fabric.Error too, which says so.
type KeyError struct {
	Refused bool
	Reason  string // for people, without secrets; names the key where it is known
	Err     error  // what lies beneath; its text stays inside the process
}

// Error gives the reason, and the cause where there is one.
func (e *KeyError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

// Unwrap returns what the error is.
func (e *KeyError) Unwrap() []error {
	errs := []error{ErrKeyUnavailable}
	if e.Refused {
		errs = []error{ErrKeyRefused, fabric.Invalid("The app bundle cannot be used: %s", e.Reason)}
	}
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	return errs
}

func unavailable(format string, args ...any) error {
	return &KeyError{Reason: fmt.Sprintf(format, args...)}
}

// KEK holds keys of users' own, under which data keys are wrapped. Its errors
// are *KeyError. A wrapped key opens only for the bundle that it was wrapped
// for, which is told apart by its ARN.
type KEK interface {
	// Describe finds a key by its ARN or UUID in a Region, and says whether it
	// can wrap data keys. It returns the key's ARN.
	Describe(ctx context.Context, region, identifier string) (keyARN string, err error)
	// Generate makes a data key and returns it plain and wrapped.
	Generate(ctx context.Context, keyARN, bundleARN string) (plain, wrapped []byte, err error)
	// Wrap wraps a data key.
	Wrap(ctx context.Context, keyARN, bundleARN string, plain []byte) (wrapped []byte, err error)
	// Unwrap returns the plain data key.
	Unwrap(ctx context.Context, keyARN, bundleARN string, wrapped []byte) (plain []byte, err error)
	// Rewrap wraps a wrapped data key anew, under what the key is made of now.
	Rewrap(ctx context.Context, keyARN, bundleARN string, wrapped []byte) (again []byte, err error)
}

// ResolveKey returns the ARN of the KMS key that an identifier, a UUID or an
// ARN, names for the bundle. A *KeyError that is refused, or a *fabric.Error,
// says what is wrong with the key.
func (k *Keyring) ResolveKey(ctx context.Context, b fabric.AppBundle, identifier string) (string, error) {
	prefix := keyPrefix(b)
	if !fabric.IsUUID(identifier) {
		part := strings.Split(identifier, ":")
		want := strings.Split(prefix, ":")
		id, isKey := strings.CutPrefix(part[len(part)-1], "key/")
		if len(part) != 6 || part[0] != "arn" || part[1] != want[1] || part[2] != "kms" || !isAccount(part[4]) || !isKey || !isKeyID(id) {
			return "", fabric.InvalidField(keyField, "Member must be the id or the ARN of a KMS key (not an alias), such as %s<key id>", prefix)
		}
		if part[3] != b.Region {
			return "", fabric.InvalidField(keyField, "Member must be a KMS key of the Region of the app bundle, %s: %s is in %s", b.Region, identifier, part[3])
		}
	}
	if k.kms != nil {
		return k.kms.Describe(ctx, b.Region, identifier)
	}
	if fabric.IsUUID(identifier) {
		return prefix + identifier, nil
	}
	return identifier, nil
}

// keyField is the member of CreateAppBundle that names a key.
const keyField = "customerManagedKeyIdentifier"

func keyPrefix(b fabric.AppBundle) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(b.ARN().String(), "arn:"), ":")
	return "arn:" + partition + ":kms:" + b.Region + ":" + b.Account + ":key/"
}

func isAccount(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

func isKeyID(s string) bool {
	return s != "" && len(s) <= 128 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
	})
}
