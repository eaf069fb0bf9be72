package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
)

// collected polls one batch per list of records.
func (r *rig) collected(batches ...[]connector.Record) {
	r.t.Helper()
	for _, b := range batches {
		r.script.will(connector.Page{Records: b, Next: behind("next"), Done: true}, nil)
		r.poll()
		r.pass(time.Minute)
	}
}

func (r *rig) destination(i int) fabric.IngestionDestination {
	r.t.Helper()
	d := r.made.Destinations[i]
	got, err := r.store.GetIngestionDestination(r.t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return got
}

func TestABrokenDestinationHoldsNothingUp(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(rawJSON(), rawJSON()))
	broken := r.made.Destinations[0]
	r.buckets.fail = func(o sink.Object) error {
		if strings.Contains(o.Key, broken.ID) {
			return &sink.Error{Kind: sink.Refused, Reason: "The bucket's disk is full: free some space."}
		}
		return nil
	}
	r.collected(records(1), records(2))
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2), r.lines(r.made.Destinations[1])); diff != "" {
		t.Errorf("the other destination (-want +got):\n%s", diff)
	}
	if d := r.destination(0); d.Status != fabric.Failed || d.Reason != "The bucket's disk is full: free some space." {
		t.Errorf("the broken destination is %s: %q", d.Status, d.Reason)
	}
	r.collected(records(3))
	r.buckets.fail = nil
	r.pass(time.Hour)
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2, 3), r.lines(broken)); diff != "" {
		t.Errorf("after it works again (-want +got):\n%s", diff)
	}
	if d := r.destination(0); d.Status != fabric.Active || d.Reason != "" {
		t.Errorf("after it works again it is %s: %q", d.Status, d.Reason)
	}
}

func TestADestinationThatCannotBeReachedIsFailedAfterAWhile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.buckets.fail = func(sink.Object) error { return errors.New("no route to host") }
	r.collected(records(1))
	for attempt := 1; attempt <= 4; attempt++ {
		r.deliverAll()
		want := fabric.Active
		if attempt >= 3 {
			want = fabric.Failed
		}
		d := r.destination(0)
		if d.Status != want {
			t.Errorf("attempt %d: %s, want %s", attempt, d.Status, want)
		}
		if strings.Contains(d.Reason, "no route") {
			t.Errorf("inner text is shown: %q", d.Reason)
		}
		r.pass(time.Hour)
	}
}

func TestTheSameBatchGivesTheSameBytesUnderTheSameKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(ocsfJSON()))
	r.collected(records(1, 2))
	var keys, bodies []string
	r.buckets.fail = func(o sink.Object) error {
		keys, bodies = append(keys, o.Bucket+"/"+o.Key), append(bodies, string(o.Body))
		if len(keys) < 3 {
			return errors.New("the answer was lost")
		}
		return nil
	}
	for range 3 {
		r.deliverAll()
		r.pass(time.Hour)
	}
	if len(keys) != 3 || keys[0] != keys[2] || bodies[0] != bodies[2] || bodies[0] == "" {
		t.Errorf("keys = %v, bodies = %q", keys, bodies)
	}
	if n := len(r.objects(r.made.Destinations[0])); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
}

func TestAnUpdateCountsForDeliveriesNotYetBegun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.collected(records(1), records(2))
	var keys []string
	r.buckets.fail = func(o sink.Object) error {
		keys = append(keys, o.Key)
		return errors.New("down")
	}
	r.deliverAll()
	d := r.made.Destinations[0]
	_, err := r.store.UpdateIngestionDestination(t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID,
		fabric.Place{Bucket: "audit-logs", Prefix: "moved"})
	if err != nil {
		t.Fatal(err)
	}
	r.buckets.fail = func(o sink.Object) error {
		keys = append(keys, o.Key)
		return nil
	}
	r.pass(time.Hour)
	r.deliverAll()
	if len(keys) != 3 || keys[0] != keys[1] || !strings.HasPrefix(keys[2], "moved/AWSAppFabric/") || strings.HasPrefix(keys[1], "moved/") {
		t.Errorf("keys = %v; want the first twice, then one below moved/", keys)
	}
}

func TestAnUpdateHealsADestinationThatRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.buckets.fail = func(o sink.Object) error {
		if !strings.HasPrefix(o.Key, "good/") {
			return &sink.Error{Kind: sink.Refused, Reason: "The bucket does not exist."}
		}
		return nil
	}
	r.collected(records(1))
	r.deliverAll()
	d := r.made.Destinations[0]
	_, err := r.store.UpdateIngestionDestination(t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID,
		fabric.Place{Bucket: "audit-logs", Prefix: "good"})
	if err != nil {
		t.Fatal(err)
	}
	r.pass(time.Hour)
	r.deliverAll()
	if d := r.destination(0); d.Status != fabric.Active {
		t.Errorf("after the update it is %s: %s", d.Status, d.Reason)
	}
}

func TestRecordsWithoutAMappingBecomeBaseEventsAndAreCounted(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(ocsfJSON()))
	r.collected(records(1, 2))
	r.deliverAll()
	got := r.lines(r.made.Destinations[0])
	if len(got) != 2 || r.seen.base != 2 {
		t.Fatalf("%d lines, %d counted as base events; want 2 and 2", len(got), r.seen.base)
	}
	for _, l := range got {
		if !strings.Contains(l, `"class_uid":0`) || !strings.Contains(l, `"raw_data":"{\"n\":`) {
			t.Errorf("line = %s", l)
		}
	}
}

func TestSweepKeepsWhatIsOwedAndWhatIsYoung(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	sweep := func() {
		t.Helper()
		c := r.claim(store.DutySweep)
		if err := r.sweeper.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	r.collected(records(1))
	r.deliverAll()
	dv := func(n int) {
		t.Helper()
		late := storetest.Destination(t, r.store, r.made.Ingestion, rawJSON(), r.clock())
		r.pass(time.Second)
		r.deliverAll()
		if got := len(r.lines(late)); got != n {
			t.Errorf("a new destination gets %d lines, want %d", got, n)
		}
	}
	sweep()
	dv(1)
	r.pass(6*time.Hour + time.Minute)
	sweep()
	dv(0)
}
