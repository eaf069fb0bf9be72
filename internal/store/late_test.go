package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
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
		if fresh, _, err := s.Unseen(t.Context(), poll.ID, []store.SeenID{{ID: id.ID, Hour: 7}}); err != nil || len(fresh) != 0 {
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

// TestReadersOfAStreamAtOnce: of the same ids, read by four at once in an order of
// each one's own, each is taken in once.
func TestReadersOfAStreamAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t, nil)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	readers := []store.Claim{claimOne(t, s, store.DutyPoll)}
	for range 3 {
		_, err := s.StartBackfill(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID, []store.Backfill{{
			ID: uuid.NewString(), RunID: uuid.NewString(), StreamID: readers[0].ID, Kind: store.BackfillAsked,
			Interval: store.Interval{From: time.UnixMilli(int64(len(readers))), To: time.Now()}, CreatedAt: time.Now(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		readers = append(readers, claimOne(t, s, store.DutyBackfill))
	}
	const pages, each = 12, 70
	var taken [4]int
	atOnce(t, len(readers), nil, func(n int) error {
		for i := range pages {
			var page []store.SeenID
			for k := range each {
				id := store.SeenID{ID: idOf(byte((i * (2*n + 1) % pages))), Hour: int64(k % 3)}
				id.ID[1] = byte(k)
				page = append(page, id)
			}
			for {
				fresh, at, err := s.Unseen(t.Context(), readers[0].ID, page)
				if err != nil {
					return err
				}
				seen := slices.DeleteFunc(slices.Clone(page), func(id store.SeenID) bool { return !fresh[id.ID] })
				err = s.CommitPage(t.Context(), readers[n], store.PageCommit{
					StreamID: readers[0].ID, Cursor: "{}", BatchID: readers[n].ID, Body: []byte("x"),
					Records: int64(len(seen)), Bytes: 1, Seen: seen, SeenAt: at,
				})
				if errors.Is(err, store.ErrRepeat) {
					continue
				}
				if err != nil {
					return err
				}
				taken[n] += len(seen)
				break
			}
		}
		return nil
	})
	if n := taken[0] + taken[1] + taken[2] + taken[3]; n != pages*each {
		t.Errorf("%v of %d ids were taken in", taken, pages*each)
	}
	if n, err := s.CountSeen(t.Context(), readers[0].ID, 0, 3, 1<<40); err != nil || n != pages*each {
		t.Errorf("%d are known (%v)", n, err)
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

// TestAnIDIsSmall: an id takes at most 40 bytes on the disk of either database, of
// busy streams and of such whose pages bring a few.
func TestAnIDIsSmall(t *testing.T) {
	t.Parallel()
	for _, load := range []struct {
		name               string
		pages, each, hours int
	}{
		{"60 pages of 1000", 60, 1000, 6},
		{"240 pages of 50", 240, 50, 12},
	} {
		t.Run(load.name, func(t *testing.T) {
			t.Parallel()
			s := storetest.New(t, nil)
			storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
			c := claimOne(t, s, store.DutyPoll)
			s.Vacuum(t) // which makes what of the table does not grow with it
			before := s.Bytes(t)
			var all []store.SeenID
			for p := range load.pages {
				seen := make([]store.SeenID, load.each)
				for i := range seen {
					if _, err := rand.Read(seen[i].ID[:]); err != nil {
						t.Fatal(err)
					}
					seen[i].Hour = 490_000 + int64(p*load.hours/load.pages)
				}
				err := s.CommitPage(context.Background(), c, store.PageCommit{
					Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: int64(load.each), Bytes: 1, Seen: seen, SeenAt: int64(p),
				})
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, seen...)
				if p%60 == 59 {
					s.Vacuum(t) // as autovacuum does
				}
			}
			size := float64(s.Bytes(t)-before) / float64(len(all))
			t.Logf("%.1f bytes for each id", size)
			if size > 40 {
				t.Errorf("an id takes %.1f bytes, want at most 40", size)
			}
			if fresh, _, err := s.Unseen(t.Context(), c.ID, all); err != nil || len(fresh) != 0 {
				t.Errorf("%d ids are not known (%v)", len(fresh), err)
			}
			if n, err := s.CountSeen(t.Context(), c.ID, 0, 500_000, 1<<40); err != nil || n != int64(len(all)) {
				t.Errorf("CountSeen = %d, %v; want %d", n, err, len(all))
			}
			hour, ok, err := s.HourOfSeen(t.Context(), c.ID, int64(len(all)/load.hours+1))
			if want := int64(490_000 + load.hours - 2); err != nil || !ok || hour != want {
				t.Errorf("HourOfSeen = %d, %v, %v; want %d", hour, ok, err, want)
			}
		})
	}
}

// BenchmarkTakeIDs takes in pages of 1,000 new ids of an hour that begins with
// 100,000 others: what is new is asked for, and the page committed.
func BenchmarkTakeIDs(b *testing.B) {
	s := storetest.New(b, nil)
	storetest.Make(b, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	claims, err := s.Claim(b.Context(), store.DutyPoll, "bench", time.Hour, 1)
	if err != nil || len(claims) != 1 {
		b.Fatal(claims, err)
	}
	take := func() {
		ids := make([]store.SeenID, 1000)
		for i := range ids {
			_, _ = rand.Read(ids[i].ID[:]) // never fails
			ids[i].Hour = 490_000
		}
		fresh, at, err := s.Unseen(b.Context(), claims[0].ID, ids)
		if err != nil || len(fresh) != len(ids) {
			b.Fatal(len(fresh), err)
		}
		err = s.CommitPage(b.Context(), claims[0], store.PageCommit{
			Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: 1000, Bytes: 1, Seen: ids, SeenAt: at,
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for range 100 {
		take()
	}
	for b.Loop() {
		take()
	}
}
