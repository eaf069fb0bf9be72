package main

import (
	"context"
	"encoding/json"
	"fmt"

	"selvedge/internal/fabric"
)

// ingestionEventsCmd prints what an ingestion collected last.
type ingestionEventsCmd struct {
	reach
	ARN    string `arg:"" name:"arn" help:"ARN of the ingestion."`
	Lines  int    `short:"n" default:"20" help:"How many events; at most 100." placeholder:"N"`
	Stream string `help:"Only events of this stream." placeholder:"NAME"`
}

// Run prints the events, the newest first, one JSON object a line: the record as
// text, and its OCSF.
func (c ingestionEventsCmd) Run(ctx context.Context, w world) error {
	a, err := c.connectFor(w, c.ARN, fabric.KindIngestion)
	if err != nil {
		return err
	}
	in := map[string]any{"resourceArn": c.ARN, "maxResults": c.Lines}
	if c.Stream != "" {
		in["stream"] = c.Stream
	}
	var answer struct {
		Events []json.RawMessage `json:"events"`
		Note   string            `json:"note"`
	}
	if err := a.call(ctx, "ReadEvents", in, &answer); err != nil {
		return err
	}
	for _, e := range answer.Events {
		if _, err := fmt.Fprintf(w.stdout, "%s\n", e); err != nil {
			return err
		}
	}
	if answer.Note != "" {
		fmt.Fprintln(w.stderr, answer.Note)
	}
	return nil
}
