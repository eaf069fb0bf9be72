package control

import (
	"cmp"
	"context"
	"errors"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/sink"
)

// CreateIngestionDestinationInput is what CreateIngestionDestination takes.
type CreateIngestionDestinationInput struct {
	Bundle      string
	Ingestion   string
	Processing  fabric.Processing
	Place       fabric.Place
	ClientToken string
	Tags        []fabric.Tag
}

// UpdateIngestionDestinationInput is what UpdateIngestionDestination takes.
type UpdateIngestionDestinationInput struct {
	Bundle      string
	Ingestion   string
	Destination string
	Place       fabric.Place
}

// CreateIngestionDestination makes an Active destination. It gets everything
// that is kept for the ingestion, and what is collected from now on.
func (c *Control) CreateIngestionDestination(ctx context.Context, caller fabric.Caller, in CreateIngestionDestinationInput) (fabric.IngestionDestination, error) {
	if err := checkDestination(in.Processing, in.Place); err != nil {
		return fabric.IngestionDestination{}, err
	}
	if err := fabric.CheckTags(in.Tags); err != nil {
		return fabric.IngestionDestination{}, err
	}
	i, p, err := c.openIngestion(ctx, caller, in.Bundle, in.Ingestion)
	if err != nil {
		return fabric.IngestionDestination{}, err
	}
	if in.Processing.Schema == fabric.SchemaOCSF && !c.apps[i.App].HasMapping() {
		return fabric.IngestionDestination{}, fabric.InvalidField("processingConfiguration.auditLog.schema",
			"This version of the server has no OCSF mapping for %s yet. What is collected from it can be delivered with schema raw.", i.App)
	}
	if err := c.prepare(ctx, caller, in.Processing, in.Place); err != nil {
		return fabric.IngestionDestination{}, err
	}
	now := c.now()
	d := fabric.IngestionDestination{
		ID: uuid.NewString(), BundleID: i.BundleID, IngestionID: i.ID, Account: caller.Account, Region: caller.Region,
		Processing: in.Processing, Place: in.Place, Status: fabric.Active, CreatedAt: now, UpdatedAt: now,
	}
	d, err = c.store.CreateIngestionDestination(ctx, caller, d, store.Terms{
		Tags: in.Tags, Limit: c.quotas.Destinations,
		Once: c.once("CreateIngestionDestination", in.ClientToken, in.Tags, i.BundleID, i.ID,
			string(in.Processing.Schema), string(in.Processing.Format), in.Place.Bucket, in.Place.Prefix, in.Place.Stream),
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return fabric.IngestionDestination{}, c.missing(ctx, caller, p)
	case errors.Is(err, store.ErrOwned):
		return fabric.IngestionDestination{}, owned(in.Place)
	case err != nil:
		return fabric.IngestionDestination{}, refused(err, fabric.KindIngestionDestination, in.Ingestion)
	}
	c.wake()
	return d, nil
}

// prepare asks the sink whether it can deliver to the place. Of its error only
// what is made for the destination's owner is told.
func (c *Control) prepare(ctx context.Context, caller fabric.Caller, as fabric.Processing, p fabric.Place) error {
	err := c.places.Prepare(ctx, caller, as, p)
	if err == nil {
		return nil
	}
	if told, ok := errors.AsType[*fabric.Error](err); ok {
		return told
	}
	c.log.WarnContext(ctx, "a destination cannot be used", "account", caller.Account,
		"bucket", p.Bucket, "stream", p.Stream, "error", err)
	reason := cmp.Or(sink.ReasonOf(err), "this server cannot deliver there")
	return fabric.Invalid("The destination %s cannot be used: %s", p.Bucket+p.Stream, reason)
}

func owned(p fabric.Place) error {
	if p.Stream != "" {
		return fabric.InvalidField(streamPath+".streamName", "The stream %s is in use by another account", p.Stream)
	}
	return fabric.InvalidField(bucketPath+".bucketName", "The bucket %s is in use by another account", p.Bucket)
}

// GetIngestionDestination reads one destination.
func (c *Control) GetIngestionDestination(ctx context.Context, caller fabric.Caller, bundle, ingestion, id string) (fabric.IngestionDestination, error) {
	d, _, err := c.openDestination(ctx, caller, bundle, ingestion, id)
	return d, err
}

// ListIngestionDestinations reads one page of an ingestion's destinations.
func (c *Control) ListIngestionDestinations(ctx context.Context, caller fabric.Caller, bundle, ingestion string, p Paging) (Page[fabric.IngestionDestination], error) {
	i, _, err := c.openIngestion(ctx, caller, bundle, ingestion)
	if err != nil {
		return Page[fabric.IngestionDestination]{}, err
	}
	return page(c, caller, "ListIngestionDestinations|"+i.ID, p,
		func(after store.Mark, n int) ([]fabric.IngestionDestination, error) {
			return c.store.ListIngestionDestinations(ctx, caller, i.BundleID, i.ID, after, n)
		},
		func(d fabric.IngestionDestination) store.Mark { return store.Mark{CreatedAt: d.CreatedAt, ID: d.ID} })
}

// UpdateIngestionDestination gives a destination another place. It counts for
// the deliveries that have not begun. A Failed destination is Active again and
// tried at once.
func (c *Control) UpdateIngestionDestination(ctx context.Context, caller fabric.Caller, in UpdateIngestionDestinationInput) (fabric.IngestionDestination, error) {
	if err := checkPlace(in.Place); err != nil {
		return fabric.IngestionDestination{}, err
	}
	d, p, err := c.openDestination(ctx, caller, in.Bundle, in.Ingestion, in.Destination)
	if err != nil {
		return fabric.IngestionDestination{}, err
	}
	if err := checkDestination(d.Processing, in.Place); err != nil {
		return fabric.IngestionDestination{}, err
	}
	if err := c.prepare(ctx, caller, d.Processing, in.Place); err != nil {
		return fabric.IngestionDestination{}, err
	}
	d, err = c.store.UpdateIngestionDestination(ctx, caller, d.BundleID, d.IngestionID, d.ID, in.Place)
	switch {
	case errors.Is(err, store.ErrOwned):
		return fabric.IngestionDestination{}, owned(in.Place)
	case err != nil:
		return fabric.IngestionDestination{}, c.found(ctx, caller, p, err)
	}
	c.wake()
	return d, nil
}

// DeleteIngestionDestination deletes a destination with what is owed to it.
// What was delivered stays where it is.
func (c *Control) DeleteIngestionDestination(ctx context.Context, caller fabric.Caller, bundle, ingestion, id string) error {
	p, err := identify(caller, fabric.KindIngestionDestination, bundle, ingestion, id)
	if err != nil {
		return err
	}
	err = c.store.DeleteIngestionDestination(ctx, caller, p.arn.Bundle, p.arn.Child, p.arn.Grandchild)
	return c.found(ctx, caller, p, err)
}
