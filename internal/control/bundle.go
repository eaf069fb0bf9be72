package control

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// CreateAppBundleInput is what CreateAppBundle takes.
type CreateAppBundleInput struct {
	ClientToken   string
	KeyIdentifier string // UUID or ARN of a KMS key; empty: the server's own
	Tags          []fabric.Tag
}

// CreateAppBundle makes a bundle with a data key of its own.
func (c *Control) CreateAppBundle(ctx context.Context, caller fabric.Caller, in CreateAppBundleInput) (fabric.AppBundle, error) {
	if err := fabric.CheckTags(in.Tags); err != nil {
		return fabric.AppBundle{}, err
	}
	b := fabric.AppBundle{ID: uuid.NewString(), Account: caller.Account, Region: caller.Region, CreatedAt: c.now()}
	var err error
	if b.KeyARN, err = keyARN(b, in.KeyIdentifier); err != nil {
		return fabric.AppBundle{}, err
	}
	dataKey, err := c.keys.NewDataKey(ctx, b)
	if err != nil {
		return fabric.AppBundle{}, err
	}
	b, err = c.store.CreateAppBundle(ctx, caller, b, dataKey, store.Terms{
		Tags: in.Tags, Limit: c.quotas.Bundles,
		Once: c.once("CreateAppBundle", in.ClientToken, in.Tags, b.KeyARN),
	})
	return b, refused(err, fabric.KindAppBundle, caller.Account)
}

// keyARN is the ARN of the KMS key that an identifier names. It must be a key,
// not an alias, of the bundle's account and Region.
func keyARN(b fabric.AppBundle, identifier string) (string, error) {
	if identifier == "" {
		return "", nil
	}
	partition, _, _ := strings.Cut(strings.TrimPrefix(b.ARN().String(), "arn:"), ":")
	prefix := "arn:" + partition + ":kms:" + b.Region + ":" + b.Account + ":key/"
	if fabric.IsUUID(identifier) {
		return prefix + identifier, nil
	}
	id, ok := strings.CutPrefix(identifier, prefix)
	if !ok || !regexp.MustCompile(`^[a-zA-Z0-9-]{1,128}$`).MatchString(id) {
		return "", fabric.InvalidField("customerManagedKeyIdentifier",
			"Member must be the id or the ARN of a KMS key (not an alias) of the account and Region of the app bundle, such as %s<key id>", prefix)
	}
	return identifier, nil
}

// GetAppBundle reads one bundle.
func (c *Control) GetAppBundle(ctx context.Context, caller fabric.Caller, id string) (fabric.AppBundle, error) {
	b, _, err := c.openBundle(ctx, caller, id)
	return b, err
}

// ListAppBundles reads one page of the caller's bundles.
func (c *Control) ListAppBundles(ctx context.Context, caller fabric.Caller, p Paging) (Page[fabric.AppBundle], error) {
	return page(c, caller, "ListAppBundles", p,
		func(after store.Mark, n int) ([]fabric.AppBundle, error) {
			return c.store.ListAppBundles(ctx, caller, after, n)
		},
		func(b fabric.AppBundle) store.Mark { return store.Mark{CreatedAt: b.CreatedAt, ID: b.ID} })
}

// DeleteAppBundle deletes an empty bundle and destroys its data key. A bundle
// that is not there is deleted already: the operation has no exception for it.
func (c *Control) DeleteAppBundle(ctx context.Context, caller fabric.Caller, id string) error {
	p, err := identify(caller, fabric.KindAppBundle, id)
	if err != nil {
		return err
	}
	err = c.store.DeleteAppBundle(ctx, caller, p.arn.Bundle)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case errors.Is(err, store.ErrInUse):
		return fabric.InConflict(fabric.KindAppBundle, id,
			"The app bundle has app authorizations or ingestions. Delete them before deleting the app bundle.")
	}
	return err
}
