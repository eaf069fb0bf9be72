package control

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// What one answer of ReadEvents has at the most.
const (
	MaxEvents     = 100
	defaultEvents = 20
	maxEvent      = 256 << 10 // bytes of a record; a longer one is cut, and has no OCSF
	maxAllEvents  = 4 << 20   // bytes of all records; there is always one
)

// ReadEventsInput selects records that were collected.
type ReadEventsInput struct {
	ARN        string
	Stream     string // empty: all
	MaxResults int    // 0: 20
	EventID    string // of an Event: that one alone
}

// Events is what ReadEvents found, the newest first.
type Events struct {
	Events []Event
	Note   string // why there is nothing, or not more
}

// Event is a record that is kept, and what it becomes.
type Event struct {
	ID          string // for ReadEventsInput; known as long as the record is kept
	Stream      string
	Time        time.Time // as the application says; zero: it does not
	CollectedAt time.Time // when its batch was closed; zero: it is open still
	Raw         []byte
	Cut         bool   // Raw is the beginning of a longer record, and there is no OCSF
	OCSF        []byte // JSON; empty: the application has no mapping, or the record is cut
	Base        bool   // the mapping did not know what to make of the record: OCSF is a base event

	record connector.Record
	at     int // of the record in its batch
}

// ReadEvents shows the records of an ingestion that were taken in last, as far as
// they are kept still, beside the OCSF that destinations get of them.
func (c *Control) ReadEvents(ctx context.Context, caller fabric.Caller, in ReadEventsInput) (Events, error) {
	a, err := ofKind(caller, fabric.KindIngestion, in.ARN)
	if err != nil {
		return Events{}, err
	}
	i, err := c.store.GetIngestion(ctx, caller, a.Bundle, a.Child)
	if err != nil {
		return Events{}, untaggable(err, a, in.ARN)
	}
	if _, ok := c.apps[i.App].FindStream(in.Stream); !ok && in.Stream != "" {
		return Events{}, fabric.InvalidField("stream", "%s has no stream of that name. Its streams: %s.", i.App, streamNames(c.apps[i.App]))
	}
	out, err := c.readEvents(ctx, caller, i, in)
	if key, ok := errors.AsType[*secret.KeyError](err); ok && !key.Refused {
		return Events{}, fabric.Invalid("The events are sealed, and cannot be opened now: %s", key.Reason)
	}
	if err != nil {
		return Events{}, err
	}
	for n := range out.Events {
		c.normalize(i.App, &out.Events[n])
	}
	if len(out.Events) == 0 {
		out.Note, err = c.whyNoEvents(ctx, caller, i, in.Stream)
	}
	return out, err
}

func (c *Control) readEvents(ctx context.Context, caller fabric.Caller, i fabric.Ingestion, in ReadEventsInput) (Events, error) {
	if in.EventID != "" {
		e, err := c.oneEvent(ctx, caller, i, in.EventID)
		return Events{Events: []Event{e}}, err
	}
	want := cmp.Or(in.MaxResults, defaultEvents)
	batches, err := c.store.NewestBatches(ctx, caller, i.ID, in.Stream, want) // each has one at least
	if err != nil {
		return Events{}, err
	}
	var out Events
	room := maxAllEvents
	for _, b := range batches {
		newest, err := c.newestOf(ctx, i, b, want-len(out.Events))
		if err != nil {
			return Events{}, err
		}
		for _, e := range newest {
			if room -= len(e.Raw); room < 0 && len(out.Events) > 0 {
				out.Note = "There are more: they are too large for one answer."
				return out, nil
			}
			out.Events = append(out.Events, e)
		}
		if len(out.Events) == want {
			break
		}
	}
	return out, nil
}

// newestOf reads the newest records of a batch. It holds one page of it, and those
// that it returns.
func (c *Control) newestOf(ctx context.Context, i fabric.Ingestion, b store.Batch, want int) ([]Event, error) {
	var all []Event
	err := c.eachRecord(ctx, i, b, func(page []Event) bool {
		slices.SortFunc(page, func(x, y Event) int {
			return cmp.Or(y.record.Time.Compare(x.record.Time), cmp.Compare(y.at, x.at))
		})
		for _, e := range page[:min(len(page), want)] {
			all = append(all, e.own())
		}
		slices.SortStableFunc(all, func(x, y Event) int { return y.Time.Compare(x.Time) })
		all = all[:min(len(all), want)]
		return true
	})
	return all, err
}

// oneEvent reads a record by its id.
func (c *Control) oneEvent(ctx context.Context, caller fabric.Caller, i fabric.Ingestion, id string) (Event, error) {
	gone := fabric.InvalidField("eventId", "There is no such event any more, or there was none: events are kept for some time after their delivery.")
	batch, number, _ := strings.Cut(id, ".")
	at, err := strconv.Atoi(number)
	if err != nil {
		return Event{}, gone
	}
	b, err := c.store.KeptBatch(ctx, caller, i.ID, batch)
	if errors.Is(err, store.ErrNotFound) {
		return Event{}, gone
	}
	if err != nil {
		return Event{}, err
	}
	var found *Event
	err = c.eachRecord(ctx, i, b, func(page []Event) bool {
		if n := at - page[0].at; n >= 0 && n < len(page) {
			found = new(page[n].own())
		}
		return found == nil
	})
	if err == nil && found == nil {
		err = gone
	}
	if err != nil {
		return Event{}, err
	}
	return *found, nil
}

// eachRecord opens a batch page by page, in the order in which they were read,
// until yield answers false. What it yields is good until the next page.
func (c *Control) eachRecord(ctx context.Context, i fabric.Ingestion, b store.Batch, yield func(page []Event) bool) error {
	pages, err := c.store.Pages(ctx, b.ID)
	if err != nil {
		return err
	}
	at := 0
	for n, p := range pages {
		packed, err := c.keys.Open(ctx, store.PagePlace(i.BundleID, b.ID), p.Body)
		if err != nil {
			return fmt.Errorf("control: open a page of batch %s: %w", b.ID, err)
		}
		pages[n].Body = nil
		records, err := c.kept.Unpack(packed)
		if err != nil {
			return fmt.Errorf("control: batch %s: %w", b.ID, err)
		}
		page := make([]Event, len(records))
		for n, r := range records {
			page[n] = Event{
				ID: b.ID + "." + strconv.Itoa(at), Stream: b.Stream, Time: r.Time, CollectedAt: b.ClosedAt, record: r, at: at,
			}
			at++
		}
		if len(page) > 0 && !yield(page) {
			return nil
		}
	}
	return nil
}

// own is the event with a record of its own, apart from its page.
func (e Event) own() Event {
	raw := e.record.Raw
	if len(raw) > maxEvent {
		raw, e.Cut = raw[:maxEvent], true
		for len(raw) > 0 && !utf8.RuneStart(e.record.Raw[len(raw)]) {
			raw = raw[:len(raw)-1]
		}
	}
	e.Raw = bytes.Clone(raw)
	e.record.Raw = nil
	return e
}

// normalize adds the OCSF that a destination gets.
func (c *Control) normalize(app string, e *Event) {
	n := c.normalizers[app]
	if n == nil || e.Cut {
		return
	}
	processed := e.CollectedAt
	if processed.IsZero() {
		processed = c.now()
	}
	line, outcome := n.Append(nil, e.Stream, e.record.ID, e.Raw, processed)
	e.OCSF, e.Base = bytes.TrimSuffix(line, []byte("\n")), outcome.Base
}

// whyNoEvents says why no record of an ingestion is kept.
func (c *Control) whyNoEvents(ctx context.Context, caller fabric.Caller, i fabric.Ingestion, stream string) (string, error) {
	to, err := c.store.ListIngestionDestinations(ctx, caller, i.BundleID, i.ID, store.Mark{}, 1)
	if err != nil {
		return "", err
	}
	streams, err := c.store.StreamStates(ctx, caller, i.ID)
	if err != nil {
		return "", err
	}
	if stream != "" {
		streams = slices.DeleteFunc(streams, func(s store.StreamState) bool { return s.Name != stream })
	}
	unread := false
	for _, s := range streams {
		switch {
		case s.LastError != "":
			return fmt.Sprintf("No event is kept, and the last poll of the stream %s failed: %s", s.Name, s.LastError), nil
		case s.Watermark.Before(i.CreatedAt):
			unread = true
		}
	}
	switch {
	case len(streams) == 0:
		return "No event is kept: nothing is collected from " + i.App + " by this server.", nil
	case i.State != fabric.Enabled:
		return "No event is kept, and the ingestion is disabled: nothing is collected until it is started.", nil
	case len(to) == 0:
		return "No event is kept: collecting begins with the first destination.", nil
	case unread:
		return "No event is kept yet: the first poll is under way.", nil
	}
	return "No event is kept: the application has shown nothing new of late, and what was delivered is kept for some hours only (keep-raw).", nil
}

func streamNames(app connector.App) string {
	var names []string
	for _, s := range app.Streams {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}
