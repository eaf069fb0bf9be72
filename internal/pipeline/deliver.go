package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"selvedge/connector"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/sink"
)

// The bounds of a delivery's claim.
const (
	maxDeliveries    = 200         // of one claim; then other destinations have their turn
	patience         = 3           // attempts before a destination that cannot be reached is Failed
	waitDestination  = time.Minute // the longest between attempts at a destination that refuses
	contentTypeJSONL = "application/x-ndjson"
)

// Deliverer is the duty deliver(destination).
type Deliverer struct {
	o           Options
	normalizers map[string]*encode.Normalizer
	codec       *codec
}

// NewDeliverer returns the duty.
func NewDeliverer(o Options) (*Deliverer, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	d := &Deliverer{o: o, normalizers: map[string]*encode.Normalizer{}, codec: c}
	for _, a := range o.Apps {
		d.normalizers[a.Name] = encode.NewNormalizer(a)
	}
	return d, nil
}

// Run delivers what the destination is owed, oldest first. It is a job.Kind's
// Run.
func (d *Deliverer) Run(ctx context.Context, c store.Claim) error {
	for range maxDeliveries {
		dv, ok, err := d.o.Store.NextDelivery(ctx, c.ID)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if err := d.deliver(ctx, c, dv); err != nil {
			return err
		}
		c.Attempt = 1
		if job.Stopping(ctx) {
			break
		}
	}
	return d.o.Store.FinishDeliver(ctx, c)
}

func (d *Deliverer) deliver(ctx context.Context, c store.Claim, dv store.Delivery) error {
	if dv.Bucket == "" {
		t := dv.Destination
		dv.Bucket = t.Place.Bucket
		dv.Key = encode.Key(t.Place.Prefix, t.Processing.Schema, t.Processing.Format, dv.App, t.IngestionID, t.ID, dv.ClosedAt, dv.BatchID)
		if err := d.o.Store.Freeze(ctx, c, dv.BatchID, dv.Bucket, dv.Key); err != nil {
			return err
		}
	}
	body, tally, err := d.render(ctx, dv)
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		d.o.Observer.DeliveryFailed(dv.App, "no key")
		return key // no fault of the destination's
	}
	if err != nil {
		d.o.Observer.DeliveryFailed(dv.App, "unreadable")
		return errors.Join(err, d.o.Store.DestinationFailed(ctx, c, "The server cannot read what it has stored for this destination: its log says why."))
	}
	err = d.o.Buckets.Put(ctx, sink.Object{Bucket: dv.Bucket, Key: dv.Key, Body: body, ContentType: contentTypeJSONL})
	if err != nil {
		return d.refused(ctx, c, dv, err)
	}
	if err := d.o.Store.Delivered(ctx, c, dv.BatchID); err != nil {
		return err
	}
	d.o.Observer.Normalized(dv.App, tally.base, tally.replaced)
	d.o.Observer.Delivered(dv.App, int(dv.Records), int64(len(body)), d.o.Now().Sub(dv.ClosedAt))
	return nil
}

// refused follows up a failed Put. A destination that refuses is Failed at
// once; one that cannot be reached, after some attempts.
func (d *Deliverer) refused(ctx context.Context, c store.Claim, dv store.Delivery, err error) error {
	kind, reason := sink.Unavailable, "The destination could not be reached."
	if e, ok := errors.AsType[*sink.Error](err); ok {
		kind, reason = e.Kind, e.Reason
	}
	d.o.Observer.DeliveryFailed(dv.App, kind.String())
	if kind == sink.Refused {
		// Nothing of the batch is there: an update of the destination may lead
		// it elsewhere.
		if uerr := d.o.Store.Unfreeze(ctx, c, dv.BatchID); uerr != nil {
			return uerr
		}
	}
	if kind == sink.Refused || c.Attempt >= patience {
		if ferr := d.o.Store.DestinationFailed(ctx, c, reason); ferr != nil {
			return ferr
		}
	}
	return &job.Retry{After: min(waitDestination, job.Backoff(c.Attempt)), Reason: reason, Err: err}
}

// tally counts what rendering a batch met.
type tally struct {
	base     int // records that became base events
	replaced int // sequences of invalid UTF-8
}

// swell is about how many bytes of OCSF a byte of a record becomes: body is made
// as large as it will be, where growing it would hold the batch several times.
const swell = 3

// render makes the bytes of the object. The same batch gives the same bytes.
func (d *Deliverer) render(ctx context.Context, dv store.Delivery) ([]byte, tally, error) {
	pages, err := d.o.Store.Pages(ctx, dv.BatchID)
	if err != nil {
		return nil, tally{}, err
	}
	size, batch := 0, make([][]connector.Record, len(pages))
	for i, p := range pages {
		if batch[i], err = d.unseal(ctx, dv, p); err != nil {
			return nil, tally{}, err
		}
		pages[i].Body = nil
		for _, r := range batch[i] {
			size += len(r.Raw) + 1
		}
	}
	if dv.Destination.Processing.Schema == fabric.SchemaOCSF {
		size *= swell
	}
	var t tally
	body := make([]byte, 0, size)
	for i, records := range batch {
		for _, r := range records {
			body = d.appendLine(body, dv, r, &t)
		}
		batch[i] = nil
	}
	return body, t, nil
}

func (d *Deliverer) unseal(ctx context.Context, dv store.Delivery, p store.Page) ([]connector.Record, error) {
	packed, err := d.o.Keys.Open(ctx, secret.Context{
		Bundle: dv.Destination.BundleID, Owner: dv.BatchID, Field: fieldPage, Version: 1,
	}, p.Body)
	if err != nil {
		return nil, fmt.Errorf("pipeline: open a page of batch %s: %w", dv.BatchID, err)
	}
	return d.codec.unpack(packed)
}

func (d *Deliverer) appendLine(dst []byte, dv store.Delivery, r connector.Record, t *tally) []byte {
	if dv.Destination.Processing.Schema == fabric.SchemaRaw {
		return encode.AppendRaw(dst, r.Raw)
	}
	dst, outcome := d.normalizers[dv.App].Append(dst, dv.Stream, r.ID, r.Raw, dv.ClosedAt)
	if outcome.Base {
		t.base++
	}
	t.replaced += outcome.Replaced
	return dst
}
