package console_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"selvedge/internal/console"
)

// What is drawn is within the drawing, wide enough to be seen, and true to scale.
func TestDraw(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(from, to time.Duration) console.Period {
		return console.Period{From: now.Add(-from), To: now.Add(-to)}
	}
	const hour = time.Hour
	for name, test := range map[string]struct {
		read    []console.Period
		most    int
		want    string // place and width of each, in hundredths
		summary string
	}{
		"all":                    {[]console.Period{at(200*hour, 0)}, 9, "0+100", "all of the time"},
		"nothing":                {nil, 9, "", "nothing of the time"},
		"a half":                 {[]console.Period{at(100*hour, 50*hour)}, 9, "0+50", "all of the time"},
		"two":                    {[]console.Period{at(25*hour, 0), at(100*hour, 75*hour)}, 9, "0+25 75+25", "50.0 %"},
		"two, as one":            {[]console.Period{at(100*hour, 75*hour), at(25*hour, 0)}, 1, "0+100", "50.0 %"},
		"too near to each other": {[]console.Period{at(50*hour, 49*hour), at(49*hour-10*time.Minute, 48*hour)}, 9, "50+2", "91."},
		"a minute":               {[]console.Period{at(50*hour, 50*hour-time.Minute)}, 9, "50+0.1", "all of the time"},
		"a minute at the end":    {[]console.Period{at(time.Minute, 0)}, 9, "99.9+0.1", "all of the time"},
		"before":                 {[]console.Period{at(300*hour, 200*hour)}, 9, "", "nothing of the time"},
	} {
		got := console.Draw(now, 100*hour, test.read, nil, test.most)
		var all []string
		for _, s := range got.Read {
			x, _ := strconv.ParseFloat(s.X, 64)
			w, _ := strconv.ParseFloat(s.Width, 64)
			all = append(all, strconv.FormatFloat(x, 'f', -1, 64)+"+"+strconv.FormatFloat(w, 'f', -1, 64))
		}
		if have := strings.Join(all, " "); have != test.want || !strings.Contains(got.Summary, test.summary) {
			t.Errorf("%s: %q, want %q; %s", name, have, test.want, got.Summary)
		}
	}
	gaps := console.Draw(now, 100*hour, nil, []console.Period{at(200*hour, 150*hour), at(50*hour, 49*hour)}, 9)
	if gaps.Earlier != 1 || len(gaps.Gaps) != 1 || !strings.Contains(gaps.Summary, "1 gap.") {
		t.Errorf("gaps: %+v", gaps)
	}
}
