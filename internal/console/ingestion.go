package console

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// ingestionState is the answer of ShowIngestion, as far as pages show it.
type ingestionState struct {
	ARN          string             `json:"arn"`
	App          string             `json:"app"`
	TenantID     string             `json:"tenantId"`
	State        string             `json:"state"`
	CreatedAt    time.Time          `json:"createdAt"`
	Streams      []streamState      `json:"streams"`
	Backfills    []backfillState    `json:"backfills"`
	Destinations []destinationState `json:"destinations"`
}

type streamState struct {
	Name      string     `json:"name"`
	Cursor    *time.Time `json:"cursor"`
	Watermark *time.Time `json:"watermark"`
	PollDue   *time.Time `json:"pollDue"`
	LastError string     `json:"lastError"`
	Lateness  struct {
		Records int64 `json:"records"`
		P50     int64 `json:"p50"`
		P99     int64 `json:"p99"`
		P999    int64 `json:"p999"`
	} `json:"latenessSeconds"`
	Coverage []coverage `json:"coverage"`
	Gaps     []gap      `json:"gaps"`
}

type coverage struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Records int64     `json:"records"`
}

type gap struct {
	From   time.Time  `json:"from"`
	To     time.Time  `json:"to"`
	Reason string     `json:"reason"`
	TryAt  *time.Time `json:"tryAt"`
}

// Length is how long the gap is, in words.
func (g gap) Length() string { return length(g.To.Sub(g.From)) }

// light is how something stands: a word, and what it means.
type light struct{ Tone, Text string }

// The page of an ingestion.
type ingestionPage struct {
	ingestionState
	Path     string
	Title    string // of the application
	Light    light
	Next     string // what to do; empty: nothing
	Streams  []streamView
	Tos      []destinationView
	Runs     []backfillView
	Owed     int64 // records that some destination has not had
	Ranges   []choice
	Brief    bool   // there are many streams, and of each no more than its timeline is shown
	Only     string // the one stream that is shown; empty: all
	Backfill backfillForm
}

type streamView struct {
	streamState
	Light    light
	Lateness string
	Timeline timeline
	Link     string // to the page with this stream alone
	Rows     int    // of each table: the newest
}

// choice is one of several, as a link.
type choice struct {
	Text    string
	Path    string
	Current bool
}

func (v *visit) ingestionARN() fabric.ARN {
	return fabric.ARN{
		Region: v.session.Region, Account: v.session.Account, Kind: fabric.KindIngestion, Bundle: v.at("bundle"), Child: v.at("ingestion"),
	}
}

// ingestionMembers name the ingestion of the path to the operations of the API.
func (v *visit) ingestionMembers() members {
	return members{"appBundleIdentifier": v.at("bundle"), "ingestionIdentifier": v.at("ingestion")}
}

func (v *visit) showIngestion() (ingestionState, error) {
	var answer struct {
		Ingestion ingestionState `json:"ingestion"`
	}
	err := v.do("ShowIngestion", members{"resourceArn": v.ingestionARN().String()}, &answer)
	return answer.Ingestion, err
}

func ingestionHome(v *visit) (page, error) { return ingestionWith(v, newBackfillForm(v.Now())) }

func ingestionWith(v *visit, form backfillForm) (page, error) {
	s, err := v.showIngestion()
	if err != nil {
		return page{}, err
	}
	d := ingestionPage{ingestionState: s, Path: pathOf(s.ARN), Title: v.nameOf(s.App), Backfill: form}
	d.Only = v.r.URL.Query().Get("stream")
	reach, hours := d.ranges(v.r.URL.Query().Get("hours"), v.Now())
	d.Brief = len(s.Streams) > maxWhole && d.Only == ""
	for n, st := range s.Streams {
		if d.Only != "" && d.Only != st.Name {
			continue
		}
		view := v.streamView(s, st, "t"+strconv.Itoa(n), reach)
		view.Link = query("hours", hours, "stream", st.Name) + "#streams"
		d.Streams = append(d.Streams, view)
	}
	slices.SortStableFunc(d.Streams, func(x, y streamView) int { return y.trouble() - x.trouble() })
	for _, to := range s.Destinations {
		d.Tos = append(d.Tos, destinationOf(to))
		d.Owed += to.Backlog.Records
	}
	for _, b := range slices.Backward(s.Backfills) {
		if d.Runs = append(d.Runs, backfillOf(b)); len(d.Runs) == maxRuns {
			break
		}
	}
	d.Light, d.Next = d.stands()
	return page{name: "ingestion", status: form.status(), Title: "Audit log of " + d.Title + ": " + s.TenantID, Data: d}, nil
}

// What fits a page.
const (
	maxRuns   = 10  // backfills
	maxWhole  = 6   // streams of which all is shown
	maxPieces = 200 // of all timelines together
	tableRows = 40  // of all tables of one kind together
)

// stands says how the ingestion does as a whole, worst first.
func (d ingestionPage) stands() (light, string) {
	if d.State != string(fabric.Enabled) {
		return light{"idle", "Stopped"}, "Nothing is collected. Start the ingestion to go on where it stopped."
	}
	if len(d.Tos) == 0 {
		return light{"warn", "Waiting for a destination"}, "Add a destination: collecting begins with the first."
	}
	for _, to := range d.Tos {
		if to.Status == string(fabric.Failed) {
			return light{"bad", "A destination fails"}, "Mend the destination: what it has not had waits for it."
		}
	}
	for _, st := range d.Streams {
		if st.LastError != "" {
			return light{"bad", "Not all is read"}, "See why below. It goes on by itself when that has passed."
		}
	}
	return light{"good", "Collecting"}, ""
}

func (v *visit) streamView(s ingestionState, st streamState, id string, reach time.Duration) streamView {
	view := streamView{streamState: st, Lateness: lateness(st, v.arrives(s.App, st.Name)), Rows: tableRows / min(len(s.Streams), maxWhole)}
	var read, gaps []period
	for _, c := range st.Coverage {
		read = append(read, period{c.From, c.To})
	}
	for _, g := range st.Gaps {
		gaps = append(gaps, period{g.From, g.To})
	}
	view.Timeline = draw(id, v.Now(), reach, read, gaps, max(5, maxPieces/len(s.Streams)))
	switch unread := st.Watermark == nil || st.Watermark.Before(s.CreatedAt); {
	case s.State != string(fabric.Enabled):
		view.Light = light{"idle", "Stopped"}
	case st.LastError != "":
		view.Light = light{"bad", "Not read now"}
	case unread && len(s.Destinations) == 0:
		view.Light = light{"idle", "Not begun"}
	case unread:
		view.Light = light{"idle", "Reading what there is"}
	default:
		view.Light = light{"good", "Read to " + since(v.Now(), *st.Watermark)}
	}
	return view
}

// trouble is what a reader wants to see first.
func (s streamView) trouble() int {
	switch {
	case s.LastError != "":
		return 2
	case len(s.Gaps) > 0:
		return 1
	}
	return 0
}

// Table is the newest intervals that were read, newest first.
func (s streamView) Table() []coverage { return newest(s.Coverage, s.Rows) }

// Missing is the newest gaps, newest first.
func (s streamView) Missing() []gap { return newest(s.Gaps, s.Rows) }

func newest[T any](all []T, n int) []T {
	all = slices.Clone(all[max(0, len(all)-n):])
	slices.Reverse(all)
	return all
}

// arrives says whether a stream is read in the order in which its events arrive.
func (c *Console) arrives(app, stream string) bool {
	s, _ := c.app(app).FindStream(stream)
	return s.Arrival
}

// lateness says how late records show, in words. Where they are read as they arrive
// none is missed by being late.
func lateness(st streamState, arrival bool) string {
	l := st.Lateness
	switch {
	case arrival:
		return "does not matter: they are read as they arrive"
	case l.Records == 0:
		return "not known yet"
	}
	words := func(seconds int64) string {
		if seconds == 0 {
			return "at once"
		}
		return "within " + length(time.Duration(seconds)*time.Second)
	}
	return "half show " + words(l.P50) + ", 99 % " + words(l.P99) + ", 99.9 % " + words(l.P999) + " (of " + count(l.Records) + " events)"
}

// length is a duration in words, in the two largest units that it has.
func length(d time.Duration) string {
	var words []string
	for _, unit := range units() {
		n := int64(d / unit.size)
		if n == 0 {
			continue
		}
		words = append(words, count(n)+" "+plural(n, unit.name, unit.name+"s"))
		if d -= time.Duration(n) * unit.size; len(words) == 2 {
			break
		}
	}
	if len(words) == 0 {
		return "less than a second"
	}
	return strings.Join(words, " ")
}

// ranges fills in what a timeline may show, and returns what it does: what was
// asked for, else a day where all that is known is as new, else a week.
func (d *ingestionPage) ranges(asked string, now time.Time) (reach time.Duration, chosen string) {
	all := []int{24, 7 * 24, 30 * 24, 365 * 24}
	hours, err := strconv.Atoi(asked)
	if err != nil || !slices.Contains(all, hours) {
		hours = all[0]
		for _, st := range d.ingestionState.Streams {
			if len(st.Coverage) > 0 && now.Sub(st.Coverage[0].From) > 24*time.Hour || len(st.Gaps) > 0 && now.Sub(st.Gaps[0].From) > 24*time.Hour {
				hours = all[1]
			}
		}
	}
	for n, text := range []string{"24 hours", "7 days", "30 days", "1 year"} {
		d.Ranges = append(d.Ranges, choice{text, d.Path + query("hours", strconv.Itoa(all[n]), "stream", d.Only), all[n] == hours})
	}
	return time.Duration(hours) * time.Hour, strconv.Itoa(hours)
}

func startIngestion(v *visit) (page, error) { return turn(v, "StartIngestion", "started") }

func stopIngestion(v *visit) (page, error) { return turn(v, "StopIngestion", "stopped") }

func turn(v *visit, operation, done string) (page, error) {
	if err := v.do(operation, v.ingestionMembers(), nil); err != nil {
		return page{}, err
	}
	return redirect(pathOf(v.ingestionARN().String()) + "?done=" + done)
}

// deleteIngestion deletes the ingestion's destinations, and then itself. It asks for
// the ingestion first, though that has destinations: whoever may not delete it loses
// none of them.
func deleteIngestion(v *visit) (page, error) {
	if err := v.sure(); err != nil {
		return page{}, err
	}
	s, err := v.showIngestion()
	if err != nil {
		return page{}, err
	}
	err = v.do("DeleteIngestion", v.ingestionMembers(), nil)
	if e, ok := errors.AsType[*fabric.Error](err); !ok || e.Kind != fabric.Conflict || len(s.Destinations) == 0 {
		return gone(err)
	}
	for _, to := range s.Destinations {
		arn, _ := fabric.ParseARN(to.ARN)
		in := v.ingestionMembers()
		in["ingestionDestinationIdentifier"] = arn.Grandchild
		if err := v.do("DeleteIngestionDestination", in, nil); err != nil {
			return page{}, err
		}
	}
	return gone(v.do("DeleteIngestion", v.ingestionMembers(), nil))
}

// gone is what follows upon the end of an ingestion.
func gone(err error) (page, error) {
	if err != nil {
		return page{}, err
	}
	return redirect(home + "?done=ingestion-deleted")
}

// back is the way to the pages below an ingestion.
func (v *visit) back(s ingestionState) []crumb {
	return []crumb{{v.nameOf(s.App) + ": " + s.TenantID, pathOf(s.ARN)}}
}
