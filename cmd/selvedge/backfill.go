package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// backfillCmd has the server read a time range of an ingestion, and watches it.
type backfillCmd struct {
	reach
	ARN   string    `arg:"" name:"arn" help:"ARN of the ingestion."`
	From  time.Time `required:"" format:"2006-01-02T15:04:05Z07:00" help:"Where the range begins, such as 2026-11-01T00:00:00Z." placeholder:"TIME"`
	To    time.Time `required:"" format:"2006-01-02T15:04:05Z07:00" help:"Where it ends." placeholder:"TIME"`
	Again bool      `help:"Read what was delivered before too: destinations get it a second time."`
}

// backfillAnswer is the server's.
type backfillAnswer struct {
	Backfill struct {
		ID      string    `json:"backfillId"`
		From    time.Time `json:"from"`
		To      time.Time `json:"to"`
		Ended   bool      `json:"ended"`
		Streams []struct {
			Name      string    `json:"name"`
			DoneTo    time.Time `json:"doneTo"`
			Pages     int64     `json:"pages"`
			Records   int64     `json:"records"`
			LastError string    `json:"lastError"`
		} `json:"streams"`
	} `json:"backfill"`
}

// watchEvery is how often the command looks how far the server is.
const watchEvery = time.Second

// Run starts the backfill, or finds the one that goes on, and watches it until it
// ends. The server does not need the command for it.
func (c backfillCmd) Run(ctx context.Context, w world) error {
	a, err := c.connectFor(w, c.ARN, fabric.KindIngestion)
	if err != nil {
		return err
	}
	in := map[string]any{"resourceArn": c.ARN, "from": c.From.UTC().Format(time.RFC3339), "to": c.To.UTC().Format(time.RFC3339)}
	if c.Again {
		in["read"] = "all"
		fmt.Fprintln(w.stderr, "With --again destinations get what they have of this range a second time.")
	}
	var state backfillAnswer
	if err := a.call(ctx, "Backfill", in, &state); err != nil {
		return err
	}
	return c.watch(ctx, w, a, state)
}

func (c backfillCmd) watch(ctx context.Context, w world, a *administrator, state backfillAnswer) error {
	bar := progress{out: w.stdout, live: isTerminal(w.stdout), unit: " minutes"}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var last, trouble string
	for {
		done, total := state.minutes()
		if now := fmt.Sprint(done, total); now != last {
			last = now
			bar.show(done, total)
		}
		if state.Backfill.Ended {
			bar.end()
			return c.tell(w, state)
		}
		for _, s := range state.Backfill.Streams {
			if s.LastError != "" && s.LastError != trouble {
				trouble = s.LastError
				bar.end()
				fmt.Fprintf(w.stderr, "%s waits: %s\n", s.Name, s.LastError)
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		var next backfillAnswer
		err := ctx.Err()
		if err == nil {
			err = a.call(ctx, "ShowBackfill", map[string]any{"resourceArn": c.ARN, "backfillId": state.Backfill.ID}, &next)
		}
		if errors.Is(err, context.Canceled) {
			bar.end()
			fmt.Fprintln(w.stderr, "The backfill goes on in the server. The same command shows how far it is.")
			return nil
		}
		if err != nil {
			bar.end()
			return fmt.Errorf("%w (the backfill goes on in the server: the same command shows how far it is)", err)
		}
		state = next
	}
}

// minutes is how much of the range is done, of all streams together.
func (b backfillAnswer) minutes() (done, total int64) {
	for _, s := range b.Backfill.Streams {
		done += int64(s.DoneTo.Sub(b.Backfill.From).Minutes())
		total += int64(b.Backfill.To.Sub(b.Backfill.From).Minutes())
	}
	return min(done, total), total
}

func (backfillCmd) tell(w world, state backfillAnswer) error {
	var pages, records int64
	for _, s := range state.Backfill.Streams {
		pages, records = pages+s.Pages, records+s.Records
	}
	_, err := fmt.Fprintf(w.stdout, "%d pages were read; %d records of them are delivered.\n", pages, records)
	return err
}
