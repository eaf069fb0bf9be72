package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/control"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/ocsf"
)

// mapped is an application whose records have OCSF, but for those named "odd".
func mapped() connector.App {
	return connector.App{
		Name: "MAPPED", Title: "Mapped", Streams: []connector.Stream{{Name: "a"}, {Name: "b"}},
		Open: func(connector.Env) connector.Session { return logs{} },
		Normalize: func(_ string, raw []byte, e *ocsf.Event) error {
			if strings.Contains(string(raw), "odd") {
				return errors.New("odd")
			}
			e.Class, e.Time, e.Message = ocsf.BaseEvent, 1795375500123, "told"
			e.Metadata.Product = ocsf.Product{Name: "Mapped", Vendor: "Mapped"}
			return nil
		},
	}
}

var toRaw = fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}

// collected is an ingestion whose pages a test makes.
type collected struct {
	*rig
	storetest.Rig
	t      *testing.T
	pages  *encode.Pages
	claims map[string]store.Claim
}

func collect(t *testing.T, destinations ...fabric.Processing) *collected {
	t.Helper()
	r := newRig(t, mapped())
	c := &collected{rig: r, t: t, claims: map[string]store.Claim{}}
	c.Rig = storetest.Make(t, r.store, storetest.Spec{App: "MAPPED", Streams: []string{"a", "b"}, Destinations: destinations, Now: r.now})
	var err error
	if c.pages, err = encode.NewPages(); err != nil {
		t.Fatal(err)
	}
	claims, err := r.store.Claim(t.Context(), store.DutyPoll, "test", time.Hour, 9)
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range claims {
		c.claims[claim.ID] = claim
	}
	return c
}

// page takes records in, a minute after the last one.
func (c *collected) page(stream, batch string, closed bool, records ...connector.Record) {
	c.t.Helper()
	body, err := keys{}.Seal(c.t.Context(), store.PagePlace(c.Bundle.ID, batch), c.pages.Pack(records))
	if err != nil {
		c.t.Fatal(err)
	}
	c.now = c.now.Add(time.Minute)
	err = c.store.CommitPage(c.t.Context(), c.claims[c.Ingestion.ID+"/"+stream], store.PageCommit{
		Cursor: "{}", Watermark: c.now, BatchID: batch, Body: body, Records: int64(len(records)), CloseBatch: closed, ClosedAt: c.now,
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *collected) read(in control.ReadEventsInput) control.Events {
	c.t.Helper()
	in.ARN = c.Ingestion.ARN().String()
	got, err := c.ReadEvents(c.t.Context(), c.caller, in)
	if err != nil {
		c.t.Fatalf("%+v: %v", in, err)
	}
	return got
}

func (c *collected) record(name string, minute int) connector.Record {
	return connector.Record{
		ID: name, Time: c.now.Add(time.Duration(minute) * time.Minute), Raw: fmt.Appendf(nil, `{"name":%q}`, name),
	}
}

func raws(e control.Events) []string {
	all := []string{}
	for _, one := range e.Events {
		all = append(all, string(one.Raw))
	}
	return all
}

// The newest come first, of the batches that were taken in last, and as many as
// were asked for.
func TestReadEvents(t *testing.T) {
	t.Parallel()
	c := collect(t, toRaw)
	c.page("a", "batch-1", false, c.record("one", 1), c.record("two", 2))
	c.page("a", "batch-1", true, c.record("odd", 3))
	c.page("b", "batch-2", true, connector.Record{Raw: []byte("timeless")}, c.record("four", 4))
	c.page("a", "batch-3", false, c.record("six", 1))
	all := []string{`{"name":"six"}`, `{"name":"four"}`, "timeless", `{"name":"odd"}`, `{"name":"two"}`, `{"name":"one"}`}
	for _, test := range []struct {
		in   control.ReadEventsInput
		want []string
	}{
		{control.ReadEventsInput{}, all},
		{control.ReadEventsInput{MaxResults: 2}, all[:2]},
		{control.ReadEventsInput{MaxResults: 4}, all[:4]},
		{control.ReadEventsInput{Stream: "b"}, all[1:3]},
	} {
		got := c.read(test.in)
		if d := cmp.Diff(test.want, raws(got)); d != "" || got.Note != "" {
			t.Errorf("%+v: %s (-want +got):\n%s", test.in, got.Note, d)
		}
	}
	for n, e := range c.read(control.ReadEventsInput{}).Events {
		var event struct {
			Raw      string `json:"raw_data"`
			Message  string `json:"message"`
			Metadata struct {
				ProcessedTime int64 `json:"processed_time"`
			} `json:"metadata"`
		}
		if err := json.Unmarshal(e.OCSF, &event); err != nil || event.Raw != all[n] {
			t.Errorf("%s: %v, %s", all[n], err, e.OCSF)
		}
		odd := strings.Contains(all[n], "odd")
		if e.Base != odd || (event.Message == "") != odd || e.CollectedAt.IsZero() != (n == 0) {
			t.Errorf("%+v", e)
		}
		if !e.CollectedAt.IsZero() && event.Metadata.ProcessedTime != e.CollectedAt.UnixMilli() {
			t.Errorf("%s: processed at %d, collected at %s", all[n], event.Metadata.ProcessedTime, e.CollectedAt)
		}
		one := c.read(control.ReadEventsInput{EventID: e.ID})
		if len(one.Events) != 1 || string(one.Events[0].Raw) != all[n] {
			t.Errorf("%s by its id %s: %v", all[n], e.ID, raws(one))
		}
	}
}

// A record that is too long is cut between characters, and an answer ends when it
// is full.
func TestReadEventsLarge(t *testing.T) {
	t.Parallel()
	c := collect(t, toRaw)
	const limit = 256 << 10
	long := func(size int) connector.Record {
		return connector.Record{Raw: []byte(`"` + strings.Repeat("\u00e9", size/2-1) + `"`)} // of two bytes each, at odd places
	}
	c.page("a", "long", true, long(2*limit))
	got := c.read(control.ReadEventsInput{})
	if e := got.Events[0]; !e.Cut || e.OCSF != nil || len(e.Raw) != limit-1 || !strings.HasSuffix(string(e.Raw), "\u00e9") {
		t.Errorf("cut %v to %d bytes, OCSF %.20q", e.Cut, len(e.Raw), e.OCSF)
	}
	for n := range 40 {
		c.page("a", fmt.Sprint("batch-", n), true, long(limit))
	}
	got = c.read(control.ReadEventsInput{MaxResults: 100})
	if len(got.Events) != 16 || !strings.Contains(got.Note, "too large for one answer") {
		t.Errorf("%d events, %q", len(got.Events), got.Note)
	}
}

// Where there is nothing, it is said why.
func TestReadNoEvents(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		to   []fabric.Processing
		do   func(c *collected) error
		want string
	}{
		"no destination": {nil, nil, "begins with the first destination"},
		"never polled":   {[]fabric.Processing{toRaw}, nil, "the first poll is under way"},
		"disabled": {[]fabric.Processing{toRaw}, func(c *collected) error {
			return c.StopIngestion(c.t.Context(), c.caller, c.Bundle.ID, c.Ingestion.ID)
		}, "the ingestion is disabled"},
		"failing": {[]fabric.Processing{toRaw}, func(c *collected) error {
			return c.store.Fail(c.t.Context(), c.claims[c.StreamIDs[1]], c.now, "the provider rests")
		}, "the last poll of the stream b failed: the provider rests"},
		"nothing new": {[]fabric.Processing{toRaw}, func(c *collected) error {
			for _, claim := range c.claims {
				err := c.store.CommitPage(c.t.Context(), claim, store.PageCommit{Cursor: "{}", Watermark: c.now.Add(time.Minute)})
				if err != nil {
					return err
				}
			}
			return nil
		}, "nothing new of late"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := collect(t, test.to...)
			if test.do != nil {
				if err := test.do(c); err != nil {
					t.Fatal(err)
				}
			}
			if got := c.read(control.ReadEventsInput{}); len(got.Events) != 0 || !strings.Contains(got.Note, test.want) {
				t.Errorf("%v, %q", raws(got), got.Note)
			}
		})
	}
}

func TestReadEventsRefuses(t *testing.T) {
	t.Parallel()
	c := collect(t, toRaw)
	c.page("a", "batch", true, c.record("one", 1))
	stranger := c.caller
	stranger.Account = "222222222222"
	for name, test := range map[string]struct {
		caller fabric.Caller
		in     control.ReadEventsInput
		want   string
	}{
		"another account":   {stranger, control.ReadEventsInput{ARN: c.Ingestion.ARN().String()}, "Invalid Resource Identifier"},
		"another kind":      {c.caller, control.ReadEventsInput{ARN: c.Bundle.ARN().String()}, "Invalid Resource Identifier"},
		"no such stream":    {c.caller, control.ReadEventsInput{ARN: c.Ingestion.ARN().String(), Stream: "x"}, "Its streams: a, b."},
		"no such batch":     {c.caller, control.ReadEventsInput{ARN: c.Ingestion.ARN().String(), EventID: "x.0"}, "no such event"},
		"no such record":    {c.caller, control.ReadEventsInput{ARN: c.Ingestion.ARN().String(), EventID: "batch.1"}, "no such event"},
		"before the first":  {c.caller, control.ReadEventsInput{ARN: c.Ingestion.ARN().String(), EventID: "batch.-1"}, "no such event"},
		"no id of an event": {c.caller, control.ReadEventsInput{ARN: c.Ingestion.ARN().String(), EventID: "batch"}, "no such event"},
	} {
		_, err := c.ReadEvents(t.Context(), test.caller, test.in)
		if fabric.KindOfError(err) != fabric.Validation || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
