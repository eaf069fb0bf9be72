package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// rewrapCmd puts everything under the newest keys.
type rewrapCmd struct{ reach }

// rewrapStep is the server's answer to one step.
type rewrapStep struct {
	Total  int64  `json:"total"`
	Done   int64  `json:"done"`
	Left   int64  `json:"left"`
	Next   string `json:"next"`
	Failed []struct {
		ARN    string `json:"arn"`
		Reason string `json:"reason"`
	} `json:"failed"`
}

// Run asks for step after step until the server has been through everything.
// Cut off, it is run again.
func (c rewrapCmd) Run(ctx context.Context, w world) error {
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	bar := progress{out: w.stdout, live: isTerminal(w.stdout)}
	for in := map[string]any{}; ; {
		var s rewrapStep
		if err := a.call(ctx, "Rewrap", in, &s); err != nil {
			bar.end()
			return fmt.Errorf("%w (what is done stays done: run the command again)", err)
		}
		bar.show(s.Done, s.Total)
		for _, f := range s.Failed {
			bar.end()
			fmt.Fprintf(w.stderr, "%s: %s\n", f.ARN, f.Reason)
		}
		if s.Next != "" {
			in["after"] = s.Next
			continue
		}
		bar.end()
		if s.Left > 0 {
			return fmt.Errorf("%d of %d are still under older keys: keep those, mend what is said above, and run the command again", s.Left, s.Total)
		}
		_, err := fmt.Fprintln(w.stdout, "Everything is under the newest keys. Older lines of the master key file can go.")
		return err
	}
}

// progress shows how far something is: a bar that is drawn over on a terminal, a
// line for each step elsewhere.
type progress struct {
	out   io.Writer
	live  bool
	unit  string // behind the numbers
	drawn bool
}

const barWidth = 40

func (p *progress) show(done, total int64) {
	if !p.live {
		fmt.Fprintf(p.out, "%d of %d%s\n", done, total, p.unit)
		return
	}
	filled := barWidth
	if total > 0 {
		filled = int(done * barWidth / total)
	}
	fmt.Fprintf(p.out, "\r[%s%s] %d of %d%s", strings.Repeat("#", filled), strings.Repeat(".", barWidth-filled), done, total, p.unit)
	p.drawn = true
}

// end leaves the line of the bar.
func (p *progress) end() {
	if p.drawn {
		fmt.Fprintln(p.out)
		p.drawn = false
	}
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
