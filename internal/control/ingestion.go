package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// reach is how far before its creation an ingestion begins to read.
const reach = 6 * time.Hour

// notConnected is AWS's own text
// (https://github.com/hashicorp/terraform-provider-aws/pull/37291, checked
// 2026-11-22).
const notConnected = "The app authorization for the specified application and tenant was not connected. " +
	"Connect the app authorization for the application and tenant before creating an ingestion."

// CreateIngestionInput is what CreateIngestion takes.
type CreateIngestionInput struct {
	Bundle      string
	App         string
	TenantID    string
	Type        string
	ClientToken string
	Tags        []fabric.Tag
}

// CreateIngestion makes an enabled ingestion of a connected authorization. It
// begins to collect with its first destination.
func (c *Control) CreateIngestion(ctx context.Context, caller fabric.Caller, in CreateIngestionInput) (fabric.Ingestion, error) {
	app, err := c.app(in.App)
	if err != nil {
		return fabric.Ingestion{}, err
	}
	if in.Type != fabric.IngestionTypeAuditLog {
		return fabric.Ingestion{}, fabric.InvalidField("ingestionType", "Member must satisfy enum value set: [%s]", fabric.IngestionTypeAuditLog)
	}
	if err := fabric.CheckTags(in.Tags); err != nil {
		return fabric.Ingestion{}, err
	}
	b, _, err := c.openBundle(ctx, caller, in.Bundle)
	if err != nil {
		return fabric.Ingestion{}, err
	}
	now := c.now()
	start, err := startOf(app, now.Add(-reach))
	if err != nil {
		return fabric.Ingestion{}, err
	}
	i := fabric.Ingestion{
		ID: uuid.NewString(), BundleID: b.ID, Account: caller.Account, Region: caller.Region,
		App: in.App, TenantID: in.TenantID, Type: in.Type, State: fabric.Enabled, CreatedAt: now, UpdatedAt: now,
	}
	i, err = c.store.CreateIngestion(ctx, caller, i, start, store.Terms{
		Tags: in.Tags, Limit: c.quotas.Ingestions,
		Once: c.once("CreateIngestion", in.ClientToken, in.Tags, b.ID, in.App, in.TenantID, in.Type),
	})
	switch {
	case errors.Is(err, store.ErrNotConnected):
		return fabric.Ingestion{}, fabric.Invalid("%s", notConnectedText(app))
	case errors.Is(err, store.ErrNotFound):
		return fabric.Ingestion{}, fabric.Missing(fabric.KindAppBundle, in.Bundle)
	case err != nil:
		return fabric.Ingestion{}, refused(err, fabric.KindIngestion, in.Bundle)
	}
	return i, nil
}

func notConnectedText(app connector.App) string {
	if app.Requires == "" {
		return notConnected
	}
	return notConnected + " An ingestion of " + app.Name + " also needs the app authorization of " + app.Requires +
		" for the same tenant to be connected."
}

func startOf(app connector.App, from time.Time) (store.Start, error) {
	cursor, err := json.Marshal(connector.Cursor{From: from})
	if err != nil {
		return store.Start{}, fmt.Errorf("control: encode cursor: %w", err)
	}
	start := store.Start{Cursor: string(cursor), From: from, Requires: app.Requires}
	for _, s := range app.Streams {
		start.Streams = append(start.Streams, s.Name)
	}
	return start, nil
}

// GetIngestion reads one ingestion.
func (c *Control) GetIngestion(ctx context.Context, caller fabric.Caller, bundle, id string) (fabric.Ingestion, error) {
	i, _, err := c.openIngestion(ctx, caller, bundle, id)
	return i, err
}

// ListIngestions reads one page of a bundle's ingestions.
func (c *Control) ListIngestions(ctx context.Context, caller fabric.Caller, bundle string, p Paging) (Page[fabric.Ingestion], error) {
	b, _, err := c.openBundle(ctx, caller, bundle)
	if err != nil {
		return Page[fabric.Ingestion]{}, err
	}
	return page(c, caller, "ListIngestions|"+b.ID, p,
		func(after store.Mark, n int) ([]fabric.Ingestion, error) {
			return c.store.ListIngestions(ctx, caller, b.ID, after, n)
		},
		func(i fabric.Ingestion) store.Mark { return store.Mark{CreatedAt: i.CreatedAt, ID: i.ID} })
}

// DeleteIngestion deletes an ingestion that has no destination left, stopped or
// not: Terraform's provider never stops one.
func (c *Control) DeleteIngestion(ctx context.Context, caller fabric.Caller, bundle, id string) error {
	p, err := identify(caller, fabric.KindIngestion, bundle, id)
	if err != nil {
		return err
	}
	err = c.store.DeleteIngestion(ctx, caller, p.arn.Bundle, p.arn.Child)
	if errors.Is(err, store.ErrInUse) {
		return fabric.InConflict(fabric.KindIngestion, id,
			"The ingestion has ingestion destinations. Delete them before deleting the ingestion.")
	}
	return c.found(ctx, caller, p, err)
}

// StartIngestion enables an ingestion.
func (c *Control) StartIngestion(ctx context.Context, caller fabric.Caller, bundle, id string) error {
	if err := c.turn(ctx, caller, bundle, id, fabric.Enabled, c.store.StartIngestion); err != nil {
		return err
	}
	c.wake()
	return nil
}

// StopIngestion disables an ingestion: nothing is collected once it has
// returned, and what was collected is delivered still.
func (c *Control) StopIngestion(ctx context.Context, caller fabric.Caller, bundle, id string) error {
	return c.turn(ctx, caller, bundle, id, fabric.Disabled, c.store.StopIngestion)
}

func (c *Control) turn(ctx context.Context, caller fabric.Caller, bundle, id string, to fabric.IngestionState,
	do func(ctx context.Context, c fabric.Caller, bundleID, id string) error,
) error {
	p, err := identify(caller, fabric.KindIngestion, bundle, id)
	if err != nil {
		return err
	}
	err = do(ctx, caller, p.arn.Bundle, p.arn.Child)
	if errors.Is(err, store.ErrState) {
		return fabric.InConflict(fabric.KindIngestion, id, "The ingestion is %s already.", to)
	}
	return c.found(ctx, caller, p, err)
}
