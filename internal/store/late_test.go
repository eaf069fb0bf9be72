package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestTwoReadersOfAStream: of two that meet the same record, one takes it in.
func TestTwoReadersOfAStream(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	poll := claimOne(t, s, store.DutyPoll)
	_, err := s.StartBackfill(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, []store.Backfill{{
		ID: uuid.NewString(), RunID: uuid.NewString(), StreamID: poll.ID, Kind: store.BackfillAsked,
		Interval: store.Interval{From: clk.Now().Add(-time.Hour), To: clk.Now()}, CreatedAt: clk.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	backfill := claimOne(t, s, store.DutyBackfill)
	page := func(ids ...store.SeenID) store.PageCommit {
		return store.PageCommit{
			StreamID: poll.ID, Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: int64(len(ids)), Bytes: 1, Seen: ids,
		}
	}
	own, odd := store.SeenID{ID: idOf(1), Hour: 7}, store.SeenID{ID: idOf(2), Hour: 7, Odd: 9}
	if err := s.CommitPage(t.Context(), poll, page(own, odd)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []store.SeenID{own, odd} {
		if err := s.CommitPage(t.Context(), backfill, page(id)); !errors.Is(err, store.ErrRepeat) {
			t.Errorf("the second reader's page: %v, want ErrRepeat", err)
		}
		if fresh, err := s.Unseen(t.Context(), poll.ID, []store.SeenID{{ID: id.ID, Hour: 7}}); err != nil || len(fresh) != 0 {
			t.Errorf("not known: %v, %v", fresh, err)
		}
	}
	_, st, _, err := s.LoadBackfill(t.Context(), backfill.ID)
	if err != nil || st.BatchID != "" {
		t.Errorf("the refused page left batch %q (%v)", st.BatchID, err)
	}
	if err := s.CommitPage(t.Context(), backfill, page(store.SeenID{ID: idOf(3), Hour: 7})); err != nil {
		t.Errorf("a page of others: %v", err)
	}
}

// TestHoles: what the ledger does not cover, and gaps that are still to be tried;
// an interval that meets two makes one of all three.
func TestHoles(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c, base := claimOne(t, s, store.DutyPoll), clk.Now()
	at := func(m int) time.Time { return base.Add(time.Duration(m) * time.Minute) }
	span := func(from, to int) store.Interval { return store.Interval{From: at(from), To: at(to)} }
	cover := func(i store.Interval) {
		t.Helper()
		if err := s.CommitPage(t.Context(), c, store.PageCommit{Cursor: "{}", Covered: i}); err != nil {
			t.Fatal(err)
		}
	}
	holes := func(want ...store.Interval) {
		t.Helper()
		got, err := s.Holes(t.Context(), c.ID, span(0, 100))
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Holes (-want +got), %v:\n%s", err, diff)
		}
	}
	holes(span(0, 100))
	cover(span(-10, 20))
	cover(span(40, 60))
	holes(span(20, 40), span(60, 100))
	for _, g := range []store.Gap{{Interval: span(45, 50), TryAt: at(99)}, {Interval: span(52, 54)}} {
		g.Reason, g.FoundAt = "lost", at(60)
		if err := s.CommitGap(t.Context(), c, c.ID, g, "{}", at(60)); err != nil {
			t.Fatal(err)
		}
	}
	holes(span(20, 40), span(45, 50), span(60, 100))
	cover(span(20, 40))
	holes(span(45, 50), span(60, 100))
	if covered, err := s.Coverage(t.Context(), c.ID); err != nil || len(covered) != 1 || covered[0].Pages != 3 {
		t.Errorf("Coverage = %+v, %v; want one interval of three pages", covered, err)
	}
	due, streams, err := s.DueGaps(t.Context(), at(100))
	if err != nil || len(due) != 1 || streams[0] != c.ID {
		t.Fatalf("DueGaps = %+v, %v, %v", due, streams, err)
	}
	if early, _, err := s.DueGaps(t.Context(), at(98)); err != nil || len(early) != 0 {
		t.Errorf("DueGaps before its time = %+v, %v", early, err)
	}
}

// TestAnIDIsSmall: an id takes at most 40 bytes on SQLite's disk.
func TestAnIDIsSmall(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	if !s.IsSQLite() {
		t.Log("what PostgreSQL adds to each row and to each entry of an index is more than that")
	}
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	c := claimOne(t, s, store.DutyPoll)
	before := s.Bytes(t)
	const pages, each = 60, 1000
	for p := range pages {
		seen := make([]store.SeenID, each)
		for i := range seen {
			if _, err := rand.Read(seen[i].ID[:]); err != nil {
				t.Fatal(err)
			}
			seen[i].Hour = 490_000 + int64(p/10)
		}
		err := s.CommitPage(context.Background(), c, store.PageCommit{
			Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: each, Bytes: 1, Seen: seen,
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	size := float64(s.Bytes(t)-before) / (pages * each)
	t.Logf("%.1f bytes for each id", size)
	if s.IsSQLite() && size > 40 {
		t.Errorf("an id takes %.1f bytes, want at most 40", size)
	}
}
