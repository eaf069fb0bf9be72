package control

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// CreateAppBundleInput is what CreateAppBundle takes.
type CreateAppBundleInput struct {
	ClientToken   string
	KeyIdentifier string // UUID or ARN of a KMS key; empty: the server's own
	Tags          []fabric.Tag
}

// CreateAppBundle makes a bundle with a data key of its own, wrapped under the
// key that the caller names. Nothing is made when that key cannot be used.
func (c *Control) CreateAppBundle(ctx context.Context, caller fabric.Caller, in CreateAppBundleInput) (fabric.AppBundle, error) {
	if err := fabric.CheckTags(in.Tags); err != nil {
		return fabric.AppBundle{}, err
	}
	b := fabric.AppBundle{ID: uuid.NewString(), Account: caller.Account, Region: caller.Region, CreatedAt: c.now()}
	var err error
	if in.KeyIdentifier != "" {
		if b.KeyARN, err = c.keys.ResolveKey(ctx, b, in.KeyIdentifier); err != nil {
			return fabric.AppBundle{}, keyRefused(err)
		}
	}
	dataKey, err := c.keys.NewDataKey(ctx, b)
	if err != nil {
		return fabric.AppBundle{}, keyRefused(err)
	}
	b, err = c.store.CreateAppBundle(ctx, caller, b, dataKey, store.Terms{
		Tags: in.Tags, Limit: c.quotas.Bundles,
		Once: c.once("CreateAppBundle", in.ClientToken, in.Tags, b.KeyARN),
	})
	return b, refused(err, fabric.KindAppBundle, caller.Account)
}

// keyRefused makes of a key that cannot be used what the caller is told. A KMS
// that cannot be reached is no fault of the caller's.
func keyRefused(err error) error {
	if key, ok := errors.AsType[*secret.KeyError](err); ok && key.Refused {
		return fabric.InvalidField("customerManagedKeyIdentifier", "%s", key.Reason)
	}
	return err
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
