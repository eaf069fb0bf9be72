package pipeline_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/sink"
)

// changes is what is to be told at present; it stays so.
func (r *rig) changes() []fabric.NotificationType {
	r.t.Helper()
	claims, err := r.store.Claim(r.t.Context(), store.DutyNotify, "test", time.Millisecond, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	var all []fabric.NotificationType
	for _, c := range claims {
		n, _, err := r.store.LoadNotification(r.t.Context(), c.ID)
		if err != nil {
			r.t.Fatal(err)
		}
		all = append(all, n.Type)
	}
	return all
}

// TestHowLongRecordsTake: from their own time to each delivery, in either format; of
// a record without a time nothing is known.
func TestHowLongRecordsTake(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(ocsfJSON(), fabric.Processing{Schema: fabric.SchemaOCSF, Format: fabric.FormatParquet}))
	now := r.clock()
	r.script.will(connector.Page{Records: []connector.Record{
		{ID: "a", Time: now.Add(-time.Hour), Raw: []byte(`{"a":1}`)},
		{ID: "b", Time: now.Add(-time.Minute), Raw: []byte(`{"b":1}`)},
		{ID: "c", Raw: []byte(`{"c":1}`)},
	}, Next: behind("next"), Done: true}, nil)
	r.poll()
	r.deliverAll()
	got := map[string]int{}
	for what, n := range r.seen.told {
		if len(what) > 7 && what[:7] == "delayed" {
			got[what] = n
		}
	}
	if diff := cmp.Diff(map[string]int{"delayed 1h0m0s": 2, "delayed 1m0s": 2}, got); diff != "" {
		t.Errorf("delays (-want +got):\n%s", diff)
	}
}

// TestTheSweepFindsSilence, unless it is told not to look.
func TestTheSweepFindsSilence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		after time.Duration
		want  []fabric.NotificationType
	}{
		"after a day": {24 * time.Hour, []fabric.NotificationType{fabric.IngestionSilent}},
		"never":       {0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.options.SilenceAfter = test.after
			r.rebuild()
			r.collected(records(1))
			r.pass(23 * time.Hour)
			r.sweep()
			if got := r.changes(); got != nil {
				t.Errorf("after 23 hours: %v", got)
			}
			r.poll() // nothing comes
			r.pass(time.Hour)
			r.sweep()
			if diff := cmp.Diff(test.want, r.changes()); diff != "" {
				t.Errorf("after a day (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWhatCannotBeToldIsGivenUp after a week, so that the table is bounded.
func TestWhatCannotBeToldIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.buckets.fail = func(sink.Object) error { return &sink.Error{Kind: sink.Refused, Reason: "no"} }
	r.collected(records(1))
	r.deliverAll()
	r.pass(7*24*time.Hour - time.Minute)
	r.sweep()
	if diff := cmp.Diff([]fabric.NotificationType{fabric.DestinationTurned}, r.changes()); diff != "" {
		t.Errorf("within a week (-want +got):\n%s", diff)
	}
	r.pass(2 * time.Minute)
	r.sweep()
	if got := r.changes(); got != nil {
		t.Errorf("after a week: %v", got)
	}
	if n := r.sizes()["notification"]; n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
