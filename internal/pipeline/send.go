package pipeline

import (
	"context"
	"errors"
	"fmt"

	"selvedge/internal/job"
	"selvedge/internal/store"
	"selvedge/sink"
)

// send gives a stream the records of a batch that it has not taken yet, and
// returns how many it can never take.
//
// A record is one line. One that is larger than the stream takes is left out,
// counted and named in the log: it would never be taken, and everything behind
// it would wait for ever. Nothing of a record is cut to make it fit, for what
// arrives is what the provider showed. A bucket takes records of any size, so
// that another destination of the ingestion has it.
func (d *Deliverer) send(ctx context.Context, c store.Claim, dv store.Delivery, body rendered) (undelivered int, err error) {
	numbers, err := parseNumbers(dv.Pending, len(body.ends))
	if err != nil {
		return 0, fmt.Errorf("pipeline: deliver batch %s: %w", dv.BatchID, err)
	}
	fits, records, unfit := d.split(numbers, body)
	failed, err := d.o.Streams.Send(ctx, sink.Stream{Region: dv.Destination.Region, Name: dv.At.Stream}, records)
	if err != nil && len(failed) == 0 {
		return 0, d.refused(ctx, c, dv, err)
	}
	if len(failed) > 0 {
		return 0, d.partly(ctx, c, dv, pick(fits, failed), unfit, len(records), err)
	}
	for _, n := range unfit {
		d.o.Observer.DeliveryFailed(dv.App, tooLarge)
		d.o.Log.WarnContext(ctx, "a record can never be delivered to a stream: it is too large", "destination", dv.Destination.ID,
			"stream", dv.At.Stream, "batch", dv.BatchID, "record", n, "bytes", len(body.line(n)), "max", d.o.Streams.MaxRecord())
	}
	return len(unfit), nil
}

// split parts the records that the stream takes from those that are too large
// for it. All of numbers are in one of fits and unfit.
func (d *Deliverer) split(numbers []int, body rendered) (fits []int, records [][]byte, unfit []int) {
	largest := d.o.Streams.MaxRecord()
	for _, n := range numbers {
		line := body.line(n)
		if len(line) > largest {
			unfit = append(unfit, n)
			continue
		}
		fits, records = append(fits, n), append(records, line)
	}
	return fits, records, unfit
}

// partly follows up a Send that took a part: what is left is written down
// before anything else, so that it alone is sent next, by whatever process.
func (d *Deliverer) partly(ctx context.Context, c store.Claim, dv store.Delivery, left, unfit []int, of int, err error) error {
	if len(left) < of {
		pending := formatNumbers(merge(left, unfit))
		// The attempt may have ended: what was taken is worth a last word.
		if serr := d.o.Store.DeliveredPart(context.WithoutCancel(ctx), c, dv.BatchID, pending); serr != nil {
			return errors.Join(serr, err)
		}
		c.Attempt = 1
	}
	if err != nil {
		return d.refused(ctx, c, dv, err)
	}
	if len(left) == of {
		return d.refused(ctx, c, dv, &sink.Error{Reason: "the stream " + dv.At.Stream + " takes no records at present"})
	}
	d.o.Observer.DeliveryFailed(dv.App, "in part")
	return &job.Retry{
		After:  min(waitDestination, job.Backoff(c.Attempt)),
		Reason: fmt.Sprintf("the stream %s took %d of %d records: the others are sent again", dv.At.Stream, of-len(left), of),
	}
}
