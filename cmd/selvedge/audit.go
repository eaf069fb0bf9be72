package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
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
	t := &trailTail{administrator: a, out: w.stdout, ask: map[string]any{"maxResults": c.Lines}}
	for name, value := range map[string]string{"operation": c.Operation, "errorCode": c.Error, "accessKeyId": c.Key} {
		if value != "" {
			t.ask[name] = value
		}
	}
	if err := t.print(ctx); err != nil || !c.Follow {
		return err
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := t.print(ctx); err != nil {
			return err
		}
	}
}

// trailTail prints each record once.
type trailTail struct {
	*administrator
	out   io.Writer
	ask   map[string]any
	last  []string // ids of the records of the second that was printed last
	since string   // that second
}

// print prints what is new since the last time.
func (t *trailTail) print(ctx context.Context) error {
	var answer struct {
		Records []json.RawMessage `json:"records"`
	}
	if t.since != "" {
		t.ask["since"], t.ask["maxResults"] = t.since, 1000
	}
	if err := t.call(ctx, "AuditTail", t.ask, &answer); err != nil {
		return err
	}
	for _, r := range answer.Records {
		var head struct {
			ID        string `json:"eventID"`
			Time      string `json:"eventTime"`
			Operation string `json:"eventName"`
		}
		if err := json.Unmarshal(r, &head); err != nil {
			return fmt.Errorf("read a record of the trail: %w", err)
		}
		if slices.Contains(t.last, head.ID) {
			continue
		}
		if head.Time != t.since {
			t.since, t.last = head.Time, nil
		}
		t.last = append(t.last, head.ID)
		if t.ask["since"] != nil && head.Operation == "AuditTail" && t.ask["operation"] != "AuditTail" {
			continue // the looks of a tail that follows would be all that it shows
		}
		if _, err := fmt.Fprintf(t.out, "%s\n", r); err != nil {
			return err
		}
	}
	return nil
}
