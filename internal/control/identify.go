package control

import (
	"context"
	"errors"
	"fmt"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// path is the way to a resource: UUIDs from the bundle down, and each
// identifier as it was sent, for messages.
type path struct {
	arn  fabric.ARN
	sent []string
}

// identify reads identifiers from the bundle down. An ARN must be of the
// expected kind, of the caller's account and Region, and of the parents named
// before it. It does not look whether the resource is there.
func identify(caller fabric.Caller, kind fabric.Kind, sent ...string) (path, error) {
	p := path{arn: fabric.ARN{Region: caller.Region, Account: caller.Account, Kind: kind}, sent: sent}
	slots := []*string{&p.arn.Bundle, &p.arn.Child, &p.arn.Grandchild}
	for n, id := range sent {
		want := p.arn
		want.Kind = lineage(kind)[n]
		uuid, ok := uuidOf(want, id)
		if !ok {
			return path{}, invalidIdentifier(id)
		}
		*slots[n] = uuid
	}
	return p, nil
}

// uuidOf returns the UUID that an identifier names. want has the kind and the
// parents that it must have.
func uuidOf(want fabric.ARN, id string) (string, bool) {
	if fabric.IsUUID(id) {
		return id, true
	}
	got, ok := fabric.ParseARN(id)
	if !ok || got.Kind != want.Kind {
		return "", false
	}
	uuid := got.ResourceKey()
	switch want.Kind {
	case fabric.KindAppBundle:
		want.Bundle = uuid
	case fabric.KindIngestionDestination:
		want.Grandchild = uuid
	default:
		want.Child = uuid
	}
	return uuid, got == want
}

// lineage is a kind with the kinds above it, topmost first.
func lineage(kind fabric.Kind) []fabric.Kind {
	switch kind {
	case fabric.KindAppBundle:
		return []fabric.Kind{fabric.KindAppBundle}
	case fabric.KindIngestionDestination:
		return []fabric.Kind{fabric.KindAppBundle, fabric.KindIngestion, fabric.KindIngestionDestination}
	default:
		return []fabric.Kind{fabric.KindAppBundle, kind}
	}
}

// invalidIdentifier has the words that Terraform's provider looks for.
func invalidIdentifier(id string) error {
	return fabric.Invalid("Invalid Resource Identifier: %s", id)
}

// missing says which resource of the way is not there: the topmost of those
// that are missing, under the identifier that was sent for it.
func (c *Control) missing(ctx context.Context, caller fabric.Caller, p path) error {
	kinds := lineage(p.arn.Kind)
	for n, kind := range kinds[:len(p.sent)] {
		err := c.there(ctx, caller, kind, p.arn)
		if errors.Is(err, store.ErrNotFound) {
			return fabric.Missing(kind, p.sent[n])
		}
		if err != nil {
			return err
		}
	}
	last := len(p.sent) - 1
	return fabric.Missing(kinds[last], p.sent[last])
}

func (c *Control) there(ctx context.Context, caller fabric.Caller, kind fabric.Kind, a fabric.ARN) error {
	var err error
	switch kind {
	case fabric.KindAppBundle:
		_, err = c.store.GetAppBundle(ctx, caller, a.Bundle)
	case fabric.KindAppAuthorization:
		_, err = c.store.GetAppAuthorization(ctx, caller, a.Bundle, a.Child)
	case fabric.KindIngestion:
		_, err = c.store.GetIngestion(ctx, caller, a.Bundle, a.Child)
	case fabric.KindIngestionDestination:
		_, err = c.store.GetIngestionDestination(ctx, caller, a.Bundle, a.Child, a.Grandchild)
	default:
		err = fmt.Errorf("control: no resource of kind %s is kept", kind)
	}
	return err
}

// found makes of ErrNotFound the answer that names what is missing; other
// errors pass.
func (c *Control) found(ctx context.Context, caller fabric.Caller, p path, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return c.missing(ctx, caller, p)
	}
	return err
}

// openBundle reads the bundle that an identifier names.
func (c *Control) openBundle(ctx context.Context, caller fabric.Caller, id string) (fabric.AppBundle, path, error) {
	p, err := identify(caller, fabric.KindAppBundle, id)
	if err != nil {
		return fabric.AppBundle{}, p, err
	}
	b, err := c.store.GetAppBundle(ctx, caller, p.arn.Bundle)
	return b, p, c.found(ctx, caller, p, err)
}

// openAuthorization reads the authorization that two identifiers name.
func (c *Control) openAuthorization(ctx context.Context, caller fabric.Caller, bundle, id string) (fabric.AppAuthorization, path, error) {
	p, err := identify(caller, fabric.KindAppAuthorization, bundle, id)
	if err != nil {
		return fabric.AppAuthorization{}, p, err
	}
	a, err := c.store.GetAppAuthorization(ctx, caller, p.arn.Bundle, p.arn.Child)
	return a, p, c.found(ctx, caller, p, err)
}

// openIngestion reads the ingestion that two identifiers name.
func (c *Control) openIngestion(ctx context.Context, caller fabric.Caller, bundle, id string) (fabric.Ingestion, path, error) {
	p, err := identify(caller, fabric.KindIngestion, bundle, id)
	if err != nil {
		return fabric.Ingestion{}, p, err
	}
	i, err := c.store.GetIngestion(ctx, caller, p.arn.Bundle, p.arn.Child)
	return i, p, c.found(ctx, caller, p, err)
}

// openDestination reads the destination that three identifiers name.
func (c *Control) openDestination(ctx context.Context, caller fabric.Caller, bundle, ingestion, id string) (fabric.IngestionDestination, path, error) {
	p, err := identify(caller, fabric.KindIngestionDestination, bundle, ingestion, id)
	if err != nil {
		return fabric.IngestionDestination{}, p, err
	}
	d, err := c.store.GetIngestionDestination(ctx, caller, p.arn.Bundle, p.arn.Child, p.arn.Grandchild)
	return d, p, c.found(ctx, caller, p, err)
}
