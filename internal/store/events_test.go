package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// An open batch is the newest, then those that closed last; a stranger sees none.
func TestBatches(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{
		Streams: []string{"a", "b"}, Destinations: []fabric.Processing{rawJSON}, Now: clk.Now(),
	})
	other := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	claims, err := s.Claim(t.Context(), store.DutyPoll, "me", time.Hour, 9)
	if err != nil || len(claims) != 3 {
		t.Fatal(claims, err)
	}
	byStream := map[string]store.Claim{}
	for _, claim := range claims {
		byStream[claim.ID] = claim
	}
	closed := clk.Now().UTC().Truncate(time.Millisecond)
	page := func(stream, batch string, n int64, at time.Time) {
		t.Helper()
		err := s.CommitPage(t.Context(), byStream[stream], store.PageCommit{
			Cursor: "{}", Watermark: closed, BatchID: batch, Body: []byte("sealed"), Records: n, CloseBatch: !at.IsZero(), ClosedAt: at,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	page(r.StreamIDs[0], "first", 1, closed)
	page(r.StreamIDs[1], "third", 3, closed.Add(2*time.Minute))
	page(r.StreamIDs[0], "second", 2, closed.Add(time.Minute))
	page(r.StreamIDs[0], "open", 4, time.Time{})
	page(other.StreamIDs[0], "foreign", 5, closed.Add(time.Hour))
	for _, test := range []struct {
		stream string
		n      int
		want   []store.Batch
	}{
		{"", 9, []store.Batch{
			{ID: "open", Stream: "a", Records: 4},
			{ID: "third", Stream: "b", ClosedAt: closed.Add(2 * time.Minute), Records: 3},
			{ID: "second", Stream: "a", ClosedAt: closed.Add(time.Minute), Records: 2},
			{ID: "first", Stream: "a", ClosedAt: closed, Records: 1},
		}},
		{"b", 9, []store.Batch{{ID: "third", Stream: "b", ClosedAt: closed.Add(2 * time.Minute), Records: 3}}},
		{"a", 1, []store.Batch{{ID: "open", Stream: "a", Records: 4}}},
		{"none", 1, nil},
	} {
		got, err := s.NewestBatches(t.Context(), c, r.Ingestion.ID, test.stream, test.n)
		if d := cmp.Diff(test.want, got); d != "" || err != nil {
			t.Errorf("%q, %d: %v (-want +got):\n%s", test.stream, test.n, err, d)
		}
	}
	b, err := s.KeptBatch(t.Context(), c, r.Ingestion.ID, "first")
	if err != nil || b.Records != 1 {
		t.Errorf("KeptBatch = %+v, %v", b, err)
	}
	if _, err := s.KeptBatch(t.Context(), c, r.Ingestion.ID, "foreign"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another ingestion's batch: %v", err)
	}
	for name, stranger := range strangers() {
		got, err := s.NewestBatches(t.Context(), stranger, r.Ingestion.ID, "", 9)
		_, err2 := s.KeptBatch(t.Context(), stranger, r.Ingestion.ID, "first")
		if len(got) != 0 || err != nil || !errors.Is(err2, store.ErrNotFound) {
			t.Errorf("%s: %v, %v, %v", name, got, err, err2)
		}
	}
}
