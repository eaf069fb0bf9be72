package control

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// once identifies a create for its client token. parts is all that the request
// asks for, in a fixed order; secrets go into the keyed hash only.
func (c *Control) once(operation, clientToken string, tags []fabric.Tag, parts ...string) store.Once {
	if clientToken == "" {
		return store.Once{}
	}
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b fabric.Tag) int { return cmp.Compare(a.Key, b.Key) })
	for _, t := range sorted {
		parts = append(parts, t.Key, t.Value)
	}
	return store.Once{Operation: operation, Token: clientToken, RequestKey: keyed(c.requestKey, parts...)}
}

// keyed is a hash of strings that cannot be computed without the key.
func keyed(key []byte, parts ...string) string {
	mac := hmac.New(sha256.New, key)
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		mac.Write(n[:])
		mac.Write([]byte(p))
	}
	return hex.EncodeToString(mac.Sum(nil))
}

// refused makes of the store's refusals of a create what the caller is told.
// parent is the identifier that a quota counts under.
func refused(err error, kind fabric.Kind, parent string) error {
	if mismatch, ok := errors.AsType[*store.MismatchError](err); ok {
		return fabric.InConflict(kind, mismatch.ResourceID,
			"IdempotentParameterMismatch: The clientToken was used with other parameters. Use a new clientToken, or the parameters of the first request.")
	}
	if exists, ok := errors.AsType[*store.ExistsError](err); ok {
		return fabric.InConflict(kind, exists.ResourceID,
			"The app bundle already has an %s for this application and tenant.", noun(kind))
	}
	if errors.Is(err, store.ErrQuota) {
		return &fabric.Error{Kind: fabric.QuotaExceeded, ResourceType: kind, ResourceID: parent, Message: quotaText(kind)}
	}
	return err
}

// noun is a kind in running text.
func noun(kind fabric.Kind) string {
	switch kind {
	case fabric.KindAppBundle:
		return "app bundle"
	case fabric.KindAppAuthorization:
		return "app authorization"
	case fabric.KindIngestionDestination:
		return "ingestion destination"
	default:
		return "ingestion"
	}
}

// quotaText is AWS's own sentence for bundles
// (https://github.com/hashicorp/terraform-provider-aws/issues/39542, checked
// 2026-11-22); the others follow it.
func quotaText(kind fabric.Kind) string {
	if kind == fabric.KindIngestionDestination {
		return "You have exceeded the maximum number of ingestion destinations per ingestion."
	}
	return "You have exceeded the maximum number of " + noun(kind) + "s per account, per AWS Region."
}
