package console

import (
	"errors"
	"net/url"
	"slices"
	"time"

	"selvedge/internal/fabric"
)

// overviewRows is how many connections a page of the overview has.
const overviewRows = 25

// overviewPage is the first page: how everything stands, and what to do.
type overviewPage struct {
	Tiles  []tile
	Rows   []overviewRow
	Only   string // the standing that is shown alone, in words; empty: all
	Total  int64
	Next   string // address of the next page; empty: no more
	Later  bool   // it is not the first page
	Refuse string // why nothing can be shown; empty: it can
}

// tile is how many connections stand in one way, and leads to them.
type tile struct {
	Text    string
	Tone    string
	Count   int64
	Path    string
	Current bool
}

type overviewRow struct {
	connectionState
	Name      string // of the application
	Verdict   verdict
	Path      string // of the authorization
	Ingestion string // page of it; empty: there is none
	Delay     string
	Chart     chart
}

// standings is each standing with its tone and in words.
func standings() []tile {
	return []tile{
		{Text: "Failed", Tone: "bad", Path: string(fabric.StandingFailed)},
		{Text: "Cannot be read", Tone: "bad", Path: string(fabric.StandingLate)},
		{Text: "Waiting for you", Tone: "warn", Path: string(fabric.StandingWaiting)},
		{Text: "Silent", Tone: "warn", Path: string(fabric.StandingSilent)},
		{Text: "Stopped", Tone: "idle", Path: string(fabric.StandingStopped)},
		{Text: "Collecting", Tone: "good", Path: string(fabric.StandingCollecting)},
	}
}

func overview(v *visit) (page, error) {
	q := v.r.URL.Query()
	only, token := q.Get("standing"), q.Get("next")
	in := members{"maxResults": overviewRows}
	if slices.Contains(fabric.Standings(), fabric.Standing(only)) {
		in["standing"] = only
	}
	if token != "" {
		in["nextToken"] = token
	}
	var answer struct {
		Counts      map[fabric.Standing]int64 `json:"counts"`
		Connections []connectionState         `json:"connections"`
		NextToken   string                    `json:"nextToken"`
	}
	err := v.do("ShowOverview", in, &answer)
	if e, ok := errors.AsType[*fabric.Error](err); ok && e.Kind == fabric.AccessDenied {
		return page{name: "overview", Title: "Overview", Data: overviewPage{Refuse: e.Message}}, nil
	}
	if err != nil {
		return page{}, err
	}
	d := overviewPage{Later: token != ""}
	for _, t := range standings() {
		t.Count = answer.Counts[fabric.Standing(t.Path)]
		d.Total += t.Count
		if t.Current = t.Path == only; t.Current {
			d.Only = t.Text
		}
		if t.Path = home + "?standing=" + t.Path; t.Current {
			t.Path = home
		}
		d.Tiles = append(d.Tiles, t)
	}
	for _, s := range answer.Connections {
		d.Rows = append(d.Rows, v.overviewRow(s))
	}
	if answer.NextToken != "" {
		next := url.Values{"next": {answer.NextToken}}
		if d.Only != "" {
			next.Set("standing", only)
		}
		d.Next = home + "?" + next.Encode()
	}
	return page{name: "overview", Title: "Overview", Data: d}, nil
}

func (v *visit) overviewRow(s connectionState) overviewRow {
	r := overviewRow{connectionState: s, Name: v.nameOf(s.App), Verdict: v.verdictOf(s), Path: pathOf(s.ARN)}
	if s.Ingestion != "" {
		r.Ingestion, r.Chart = pathOf(s.Ingestion), drawVolume(s, v.Now())
		r.Delay = delay(s, v.Now())
	}
	return r
}

// delay is how far behind the present what is delivered is, in words: what was
// not read yet, or what waits to be delivered.
func delay(s connectionState, now time.Time) string {
	if s.Destinations == 0 || s.State != string(fabric.Enabled) {
		return ""
	}
	if s.ReadTo.Before(s.CreatedAt) {
		return "first poll"
	}
	behind := now.Sub(s.ReadTo)
	if !s.Undelivered.IsZero() {
		behind = max(behind, now.Sub(s.Undelivered))
	}
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, " d"}, {time.Hour, " h"}, {time.Minute, " min"}} {
		if n := int64(behind / unit.size); n > 0 {
			return count(n) + unit.name
		}
	}
	return "under 1 min"
}
