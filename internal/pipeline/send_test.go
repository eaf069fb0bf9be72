package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/pipeline"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
)

// onStreamNamed moves the only destination to a stream.
func (r *rig) onStreamNamed(name string) {
	r.t.Helper()
	r.move(fabric.Place{Stream: name})
}

func (r *rig) move(p fabric.Place) {
	r.t.Helper()
	d := r.made.Destinations[0]
	if _, err := r.store.UpdateIngestionDestination(r.t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID, p); err != nil {
		r.t.Fatal(err)
	}
}

// sent is what each Send was given, by the records' numbers.
func (r *rig) sent() [][]string {
	var all [][]string
	for _, records := range r.streams.sent {
		var got []string
		for _, rec := range records {
			if !strings.HasSuffix(rec, "\n") || strings.Count(rec, "\n") != 1 {
				r.t.Errorf("a record is not one line: %q", rec)
			}
			got = append(got, strings.TrimSuffix(rec, "\n"))
		}
		all = append(all, got)
	}
	return all
}

func TestRecordsGoIntoAStream(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.onStreamNamed("events")
	var to []sink.Stream
	r.streams.take = func(s sink.Stream, _ [][]byte) ([]int, error) {
		to = append(to, s)
		return nil, nil
	}
	r.collected(records(1, 2), records(3))
	r.deliverAll()
	want := sink.Stream{Region: storetest.Caller().Region, Name: "events"}
	if diff := cmp.Diff([]sink.Stream{want, want}, to); diff != "" {
		t.Errorf("streams (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{lines(1, 2), lines(3)}, r.sent()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if r.buckets.puts != 0 || r.destination(0).Status != fabric.Active {
		t.Errorf("%d objects; the destination is %s", r.buckets.puts, r.destination(0).Status)
	}
}

// TestWhatAStreamDidNotTakeIsSentAlone, by a process that knows nothing of the
// one before, and the destination is not Failed while something is taken.
func TestWhatAStreamDidNotTakeIsSentAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.onStreamNamed("events")
	r.collected(records(1, 2, 3, 4, 5, 6), records(7))
	failures := [][]int{{0, 1, 3, 5}, {2, 3}, {1}, nil, nil}
	r.streams.take = func(sink.Stream, [][]byte) ([]int, error) {
		f := failures[0]
		failures = failures[1:]
		return f, nil
	}
	for range 5 {
		r.restart()
		r.deliverAll()
		if d := r.destination(0); d.Status != fabric.Active {
			t.Errorf("it is %s: %s", d.Status, d.Reason)
		}
		r.pass(time.Hour)
	}
	want := [][]string{lines(1, 2, 3, 4, 5, 6), lines(1, 2, 4, 6), lines(4, 6), lines(6), lines(7)}
	if diff := cmp.Diff(want, r.sent()); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if n := r.seen.failed["in part"]; n != 3 {
		t.Errorf("%d counted as taken in part, want 3", n)
	}
}

// TestAStreamThatTakesNothingIsFailed, and is Active again once it takes.
func TestAStreamThatTakesNothingIsFailed(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(sink.Stream, [][]byte) ([]int, error){
		"all fail":    func(sink.Stream, [][]byte) ([]int, error) { return []int{0, 1}, nil },
		"unavailable": func(sink.Stream, [][]byte) ([]int, error) { return nil, errors.New("inner text") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.onStreamNamed("events")
			r.collected(records(1, 2))
			r.streams.take = take
			for attempt := 1; attempt <= 3; attempt++ {
				r.deliverAll()
				d := r.destination(0)
				if failed := d.Status == fabric.Failed; failed != (attempt == 3) || strings.Contains(d.Reason, "inner") {
					t.Errorf("attempt %d: %s: %s", attempt, d.Status, d.Reason)
				}
				r.pass(time.Hour)
			}
			r.streams.take = nil
			r.deliverAll()
			if d := r.destination(0); d.Status != fabric.Active {
				t.Errorf("it takes records and is %s", d.Status)
			}
			if diff := cmp.Diff(lines(1, 2), r.streams.got); diff != "" {
				t.Errorf("taken (-want +got):\n%s", diff)
			}
		})
	}
}

// TestARefusalAfterAPart: the rest follows an update, the part is not sent
// again. In a bucket the batch is whole.
func TestARefusalAfterAPart(t *testing.T) {
	t.Parallel()
	refuse := func(sink.Stream, [][]byte) ([]int, error) {
		return []int{1, 2}, &sink.Error{Kind: sink.Refused, Reason: "The stream was deleted."}
	}
	r := newRig(t)
	r.onStreamNamed("events")
	r.collected(records(1, 2, 3))
	r.streams.take = refuse
	r.deliverAll()
	if d := r.destination(0); d.Status != fabric.Failed || d.Reason != "The stream was deleted." {
		t.Errorf("it is %s: %s", d.Status, d.Reason)
	}
	r.move(fabric.Place{Stream: "others"})
	r.pass(time.Hour)
	r.streams.take = nil
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2, 3), r.streams.got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}

	r = newRig(t)
	r.onStreamNamed("events")
	r.collected(records(1, 2, 3))
	r.streams.take = refuse
	r.deliverAll()
	r.move(fabric.Place{Bucket: "audit-logs"})
	r.pass(time.Hour)
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2, 3), r.lines(r.made.Destinations[0])); diff != "" {
		t.Errorf("in the bucket (-want +got):\n%s", diff)
	}
}

// TestARecordTooLargeForAStream holds nothing up, is counted once, and arrives
// in a bucket.
func TestARecordTooLargeForAStream(t *testing.T) {
	t.Parallel()
	r := newRig(t, destinations(rawJSON(), rawJSON()))
	r.onStreamNamed("events")
	r.streams.max = len(line(1)) + 1
	large := connector.Record{ID: "large", Time: records(1)[0].Time, Raw: []byte(`{"n":1,"text":"` + strings.Repeat("x", 50) + `"}`)}
	r.collected(append(append(records(1), large), records(2, 3)...), []connector.Record{{ID: "alone", Time: large.Time, Raw: large.Raw}}, records(4))
	first := true
	r.streams.take = func(sink.Stream, [][]byte) ([]int, error) {
		if first {
			first = false
			return []int{2}, nil
		}
		return nil, nil
	}
	for range 2 {
		r.deliverAll()
		r.pass(time.Hour)
	}
	if diff := cmp.Diff(lines(1, 2, 3, 4), r.streams.got); diff != "" {
		t.Errorf("taken (-want +got):\n%s", diff)
	}
	if n := r.seen.failed["record too large"]; n != 2 {
		t.Errorf("%d counted, want 2", n)
	}
	backlogs, err := r.store.Backlogs(t.Context(), storetest.Caller(), r.made.Ingestion.ID)
	if err != nil {
		t.Fatal(err)
	}
	undelivered := map[string]int64{}
	for _, b := range backlogs {
		undelivered[b.DestinationID] = b.Undelivered
	}
	if diff := cmp.Diff(map[string]int64{r.made.Destinations[0].ID: 2, r.made.Destinations[1].ID: 0}, undelivered); diff != "" {
		t.Errorf("undelivered (-want +got):\n%s", diff)
	}
	if got := r.lines(r.made.Destinations[1]); len(got) != 6 {
		t.Errorf("%d lines in the bucket, want 6", len(got))
	}
	if d := r.destination(0); d.Status != fabric.Active {
		t.Errorf("it is %s: %s", d.Status, d.Reason)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for text, numbers := range map[string][]int{
		"0": {0}, "0-2": {0, 1, 2}, "0,2": {0, 2}, "1-2,5,7-9": {1, 2, 5, 7, 8, 9},
	} {
		if got := pipeline.FormatNumbers(numbers); got != text {
			t.Errorf("formatNumbers(%v) = %q, want %q", numbers, got, text)
		}
		if got, err := pipeline.ParseNumbers(text, 10); err != nil || !cmp.Equal(got, numbers) {
			t.Errorf("parseNumbers(%q) = %v, %v", text, got, err)
		}
	}
	if got, err := pipeline.ParseNumbers("", 3); err != nil || !cmp.Equal(got, []int{0, 1, 2}) {
		t.Errorf("all: %v, %v", got, err)
	}
	if got, err := pipeline.ParseNumbers("", 0); err != nil || len(got) != 0 {
		t.Errorf("all of none: %v, %v", got, err)
	}
	for _, text := range []string{"10", "0-10", "2,1", "2-1", "x", "1-", "-1", "1,,2", "1,1", "99999999999999999999"} {
		if got, err := pipeline.ParseNumbers(text, 10); err == nil {
			t.Errorf("parseNumbers(%q) = %v", text, got)
		}
	}
}

func FuzzNumbers(f *testing.F) {
	f.Add("0-499,703", 800)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 0 || limit > 10_000 {
			return
		}
		numbers, err := pipeline.ParseNumbers(text, limit)
		if err != nil || len(numbers) == 0 {
			return
		}
		again, err := pipeline.ParseNumbers(pipeline.FormatNumbers(numbers), limit)
		if err != nil || !cmp.Equal(numbers, again) {
			t.Errorf("%q: %v, then %v, %v", text, numbers, again, err)
		}
	})
}
