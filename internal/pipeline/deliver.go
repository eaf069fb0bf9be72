package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
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
	tooLarge         = "record too large" // as metrics and the log show it
)

// Deliverer is the duty deliver(destination).
type Deliverer struct {
	o           Options
	normalizers map[string]*encode.Normalizer
	codec       *encode.Pages
	cores       chan struct{} // has one in it for each batch that is being rendered
}

// NewDeliverer returns the duty.
func NewDeliverer(o Options) (*Deliverer, error) {
	c, err := encode.NewPages()
	if err != nil {
		return nil, err
	}
	d := &Deliverer{o: o, normalizers: map[string]*encode.Normalizer{}, codec: c, cores: make(chan struct{}, runtime.GOMAXPROCS(0))}
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
	if dv.At == (store.Spot{}) {
		dv.At = spot(dv)
		if err := d.o.Store.Freeze(ctx, c, dv.BatchID, dv.At); err != nil {
			return err
		}
	}
	pages, err := d.o.Store.Pages(ctx, dv.BatchID)
	if err != nil {
		return err
	}
	body, err := d.render(ctx, dv, pages)
	if ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		d.o.Observer.DeliveryFailed(dv.App, "no key")
		return key // no fault of the destination's
	}
	if err != nil {
		d.o.Observer.DeliveryFailed(dv.App, "unreadable")
		return errors.Join(err, d.o.Store.DestinationFailed(ctx, c, "The server cannot read what it has stored for this destination: its log says why."))
	}
	undelivered := 0
	if dv.At.Stream != "" {
		undelivered, err = d.send(ctx, c, dv, body)
	} else {
		err = d.put(ctx, c, dv, body)
	}
	if err != nil {
		return err
	}
	if err := d.o.Store.Delivered(ctx, c, dv.BatchID, undelivered); err != nil {
		return err
	}
	d.o.Observer.Normalized(dv.App, body.base, body.replaced)
	now := d.o.Now()
	d.o.Observer.Delivered(dv.App, int(dv.Records)-undelivered, int64(len(body.text)), now.Sub(dv.ClosedAt))
	for _, ms := range body.happened {
		d.o.Ledger.Delayed(dv.App, now.Sub(time.UnixMilli(ms)))
	}
	return nil
}

// spot is where a delivery that begins now goes.
func spot(dv store.Delivery) store.Spot {
	t := dv.Destination
	if t.Place.Stream != "" {
		return store.Spot{Stream: t.Place.Stream}
	}
	return store.Spot{
		Bucket: t.Place.Bucket,
		Key:    encode.Key(t.Place.Prefix, t.Processing.Schema, t.Processing.Format, dv.App, t.IngestionID, t.ID, dv.ClosedAt, dv.BatchID),
	}
}

// put makes the batch one object.
func (d *Deliverer) put(ctx context.Context, c store.Claim, dv store.Delivery, body rendered) error {
	err := d.o.Buckets.Put(ctx, sink.Object{
		Region: dv.Destination.Region, Bucket: dv.At.Bucket, Key: dv.At.Key, Body: body.text, ContentType: contentType(dv),
	})
	if err != nil {
		return d.refused(ctx, c, dv, err)
	}
	return nil
}

// refused follows up a failed attempt. A destination that refuses is Failed at
// once; one that cannot be reached, after some attempts.
func (d *Deliverer) refused(ctx context.Context, c store.Claim, dv store.Delivery, err error) error {
	kind, reason := sink.Unavailable, "The destination could not be reached."
	if e, ok := errors.AsType[*sink.Error](err); ok {
		kind, reason = e.Kind, e.Reason
	}
	d.o.Observer.DeliveryFailed(dv.App, kind.String())
	if kind == sink.Refused {
		// Nothing of the batch is there, or the part that a stream took before:
		// an update of the destination may lead the rest elsewhere.
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

// rendered is a batch in the bytes that a destination gets.
type rendered struct {
	text     []byte
	ends     []int   // behind the line of each record
	base     int     // records that became base events
	replaced int     // sequences of invalid UTF-8
	happened []int64 // the records' own times, of those that have one
}

// line is the line of a record, with its line feed.
func (r rendered) line(i int) []byte {
	from := 0
	if i > 0 {
		from = r.ends[i-1]
	}
	return r.text[from:r.ends[i]:r.ends[i]]
}

// swell is about how many bytes of OCSF a byte of a record becomes: the text is
// made as large as it will be, where growing it would hold the batch several
// times.
const swell = 3

// render makes what is delivered. The same batch gives the same bytes. It is work
// for a core alone, and of no more batches at once than there are cores: beside their
// text, one page of each is in memory.
func (d *Deliverer) render(ctx context.Context, dv store.Delivery, pages []store.Page) (rendered, error) {
	for i, p := range pages { // with no core yet: who keeps the keys may be far away
		packed, err := d.o.Keys.Open(ctx, store.PagePlace(dv.Destination.BundleID, dv.BatchID), p.Body)
		if err != nil {
			return rendered{}, fmt.Errorf("pipeline: open a page of batch %s: %w", dv.BatchID, err)
		}
		pages[i].Body = packed
	}
	select {
	case d.cores <- struct{}{}:
		defer func() { <-d.cores }()
	case <-ctx.Done():
		return rendered{}, fmt.Errorf("pipeline: render batch %s: %w", dv.BatchID, ctx.Err())
	}
	var body rendered
	add, end := d.form(dv, &body)
	for i, p := range pages {
		records, err := d.codec.Unpack(p.Body)
		if err != nil {
			return rendered{}, err
		}
		pages[i].Body = nil
		for _, r := range records {
			if !r.Time.IsZero() {
				body.happened = append(body.happened, r.Time.UnixMilli())
			}
			if err := add(r); err != nil {
				return rendered{}, fmt.Errorf("pipeline: write batch %s: %w", dv.BatchID, err)
			}
		}
	}
	if err := end(); err != nil {
		return rendered{}, fmt.Errorf("pipeline: write batch %s: %w", dv.BatchID, err)
	}
	return body, nil
}

// form is how a destination's bytes are made: add takes a record, end is called
// behind the last one.
func (d *Deliverer) form(dv store.Delivery, to *rendered) (add func(connector.Record) error, end func() error) {
	done := func() error { return nil }
	switch want := dv.Destination.Processing; {
	case want.Format == fabric.FormatParquet:
		return d.parquet(dv, to)
	case want.Schema == fabric.SchemaRaw:
		to.room(dv, 1)
		return func(r connector.Record) error {
			to.text = encode.AppendRaw(to.text, r.Raw)
			to.ends = append(to.ends, len(to.text))
			return nil
		}, done
	default:
		to.room(dv, swell)
		return func(r connector.Record) error {
			var o encode.Outcome
			to.text, o = d.normalizers[dv.App].Append(to.text, dv.Stream, r.ID, r.Raw, dv.ClosedAt)
			to.ends = append(to.ends, len(to.text))
			to.note(o)
			return nil
		}, done
	}
}

// room makes room for lines that are together as many times as large as the
// records.
func (r *rendered) room(dv store.Delivery, times int64) {
	r.text = make([]byte, 0, dv.Bytes*times+dv.Records)
	r.ends = make([]int, 0, dv.Records)
}

func (r *rendered) note(o encode.Outcome) {
	if o.Base {
		r.base++
	}
	r.replaced += o.Replaced
}
