package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"time"

	"selvedge/internal/control"
)

// auditCmd is the commands over the trail.
type auditCmd struct {
	Tail auditTailCmd `cmd:"" help:"Print the newest records of the trail, one JSON object a line."`
}

type auditTailCmd struct {
	reach
	Lines     int    `short:"n" default:"20" help:"How many records; at most 1,000." placeholder:"N"`
	Follow    bool   `short:"f" help:"Go on with new records until stopped."`
	Operation string `help:"Only calls of this operation." placeholder:"NAME"`
	Error     string `help:"Only calls that ended with this exception." placeholder:"NAME"`
	Key       string `help:"Only calls signed with this access key." placeholder:"ID"`
}

// followEvery is how often a tail that follows looks for new records.
const followEvery = time.Second

// Run prints the records, the oldest first.
func (c auditTailCmd) Run(ctx context.Context, w world) error {
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	t := &trailTail{administrator: a, out: w.stdout, shown: map[string]string{}, ask: map[string]any{"maxResults": c.Lines}}
	for name, value := range map[string]string{"operation": c.Operation, "errorCode": c.Error, "accessKeyId": c.Key} {
		if value != "" {
			t.ask[name] = value
		}
	}
	if err := t.print(ctx); err != nil || !c.Follow {
		return err
	}
	t.ask["maxResults"] = control.MaxTail
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := t.print(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
}

// trailTail prints each record once.
type trailTail struct {
	*administrator
	out   io.Writer
	ask   map[string]any
	shown map[string]string // ids of the records that a look may give again, and their times
	since string            // from when on to look: a little before the newest that was shown
}

// overlap is how far back a look goes behind the newest record that was shown:
// calls that end at the same time come into the trail in any order.
const overlap = 5 * time.Second

// print prints what is new since the last time.
func (t *trailTail) print(ctx context.Context) error {
	var answer struct {
		Records []json.RawMessage `json:"records"`
	}
	if t.since != "" {
		t.ask["since"] = t.since
	}
	if err := t.call(ctx, "AuditTail", t.ask, &answer); err != nil {
		return err
	}
	for _, r := range answer.Records {
		if err := t.show(r); err != nil {
			return err
		}
	}
	return nil
}

// show prints a record that was not shown before. The looks of a tail that
// follows are left out: they would be all that it shows.
func (t *trailTail) show(r json.RawMessage) error {
	var head struct {
		ID        string    `json:"eventID"`
		Time      time.Time `json:"eventTime"`
		Operation string    `json:"eventName"`
	}
	if err := json.Unmarshal(r, &head); err != nil {
		return fmt.Errorf("read a record of the trail: %w", err)
	}
	if _, again := t.shown[head.ID]; again {
		return nil
	}
	following := t.since != ""
	if from := head.Time.Add(-overlap).UTC().Format(time.RFC3339); from > t.since {
		t.since = from
	}
	maps.DeleteFunc(t.shown, func(_, at string) bool { return at < t.since })
	t.shown[head.ID] = head.Time.UTC().Format(time.RFC3339)
	if following && head.Operation == "AuditTail" && t.ask["operation"] != "AuditTail" {
		return nil
	}
	_, err := fmt.Fprintf(t.out, "%s\n", r)
	return err
}
