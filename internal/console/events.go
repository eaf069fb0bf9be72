package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// seenEvent is a record that is kept, as ReadEvents shows it.
type seenEvent struct {
	ID          string          `json:"eventId"`
	Stream      string          `json:"stream"`
	Time        *time.Time      `json:"time"`
	CollectedAt *time.Time      `json:"collectedAt"`
	Raw         string          `json:"raw"`
	Cut         bool            `json:"cut"`
	OCSF        json.RawMessage `json:"ocsf"`
	Base        bool            `json:"base"`
}

// eventView is an event, readable.
type eventView struct {
	seenEvent
	Number int
	Name   string // what it is, by its OCSF
	Who    string
	Raw    excerpt
	OCSF   excerpt
	Link   string // to the page with the whole of it
}

type eventsPage struct {
	Path     string // of this page, without its query
	Beside   bool   // raw and OCSF of each event are shown, not only what it is
	Back     string
	Events   []eventView
	Note     string
	Streams  []choice
	Counts   []choice
	One      bool // one event alone
	HasOCSF  bool
	Problem  string
	Streamed string // the stream that is shown; empty: all
}

// What fits a page.
const (
	maxText   = 68 << 10 // bytes of events, both sides together
	maxBeside = 20       // events whose both sides are shown; of more there is a list
)

// events shows what was collected last, raw beside OCSF.
func events(v *visit) (page, error) {
	q := v.r.URL.Query()
	in := members{"resourceArn": v.ingestionARN().String(), "maxResults": defaultEvents}
	if n, err := strconv.Atoi(q.Get("n")); err == nil && slices.Contains(eventCounts(), n) {
		in["maxResults"] = n
	}
	stream, one := q.Get("stream"), q.Get("event")
	if stream != "" {
		in["stream"] = stream
	}
	if one != "" {
		in["eventId"] = one
	}
	var answer struct {
		Events []seenEvent `json:"events"`
		Note   string      `json:"note"`
	}
	if err := v.do("ReadEvents", in, &answer); err != nil {
		return page{}, err
	}
	back := pathOf(v.ingestionARN().String())
	d := eventsPage{Path: back + "/events", Back: back, Note: answer.Note, One: one != "", Streamed: stream}
	d.Beside = len(answer.Events) <= maxBeside
	for n, e := range answer.Events {
		view := viewOf(e, n+1)
		if d.Beside {
			view.sides(maxText / len(answer.Events))
		}
		d.Events = append(d.Events, view)
		d.HasOCSF = d.HasOCSF || len(e.OCSF) > 0
	}
	for _, n := range eventCounts() {
		d.Counts = append(d.Counts, choice{strconv.Itoa(n), d.Path + query("n", strconv.Itoa(n), "stream", stream), n == in["maxResults"]})
	}
	app := ""
	if g, err := v.ingestion(); err == nil { // else its name is left out
		d.Streams, app = v.streamChoices(d.Path, g.App, stream, q.Get("n")), v.nameOf(g.App)+": "+g.TenantID
	}
	title := "Last events"
	if d.One {
		title = "Event"
	}
	return page{name: "events", Title: title, Trail: []crumb{{cmp.Or(app, "Ingestion"), back}}, Data: d}, nil
}

const defaultEvents = 20

func eventCounts() []int { return []int{5, defaultEvents, 50, 100} }

type ingestionSummary struct {
	App      string `json:"app"`
	TenantID string `json:"tenantId"`
}

func (v *visit) ingestion() (ingestionSummary, error) {
	var answer struct {
		Ingestion ingestionSummary `json:"ingestion"`
	}
	err := v.do("GetIngestion", v.ingestionMembers(), &answer)
	return answer.Ingestion, err
}

// streamChoices are the streams that can be shown alone, where there are several.
func (c *Console) streamChoices(path, app, current, n string) []choice {
	streams := c.app(app).Streams
	if len(streams) < 2 {
		return nil
	}
	all := []choice{{"all", path + query("n", n), current == ""}}
	for _, s := range streams {
		all = append(all, choice{s.Name, path + query("n", n, "stream", s.Name), current == s.Name})
	}
	return all
}

func viewOf(e seenEvent, number int) eventView {
	view := eventView{seenEvent: e, Number: number, Link: query("event", e.ID)}
	var told struct {
		Class    string `json:"class_name"`
		Activity string `json:"activity_name"`
		Actor    struct {
			User person `json:"user"`
		} `json:"actor"`
		User person `json:"user"`
	}
	if len(e.OCSF) > 0 && json.Unmarshal(e.OCSF, &told) == nil {
		view.Name = strings.Trim(told.Class+": "+told.Activity, ": ")
		view.Who = cmp.Or(told.Actor.User.name(), told.User.name())
	}
	view.Name = cmp.Or(view.Name, "Record")
	return view
}

// sides fills in the text of both sides, as far as there is room.
func (e *eventView) sides(room int) {
	e.Raw = excerptOf(pretty([]byte(e.seenEvent.Raw)), room/2)
	e.OCSF = excerptOf(pretty(withoutRaw(e.seenEvent.OCSF)), room/2)
}

type person struct {
	Name  string `json:"name"`
	Email string `json:"email_addr"`
	UID   string `json:"uid"`
}

func (p person) name() string { return cmp.Or(p.Email, p.Name, p.UID) }

// withoutRaw is an event without its raw_data, which is the record beside it.
func withoutRaw(event []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(event))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return event
	}
	out := []byte{'{'}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return event
		}
		if name == "raw_data" {
			value = json.RawMessage(`"the record beside, ` + strconv.Itoa(len(value)) + ` bytes as text"`)
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return event
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, quoted...), ':'), value...)
	}
	return append(out, '}')
}
