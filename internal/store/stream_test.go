package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func idOf(n byte) [16]byte { return [16]byte{15: n} }

// takePage commits one page of n records under a claim.
func takePage(t *testing.T, s *store.Store, c store.Claim, batch string, n int64, closes, finish bool, at time.Time) {
	t.Helper()
	p := store.PageCommit{
		Cursor: `{"token":"next"}`, BatchID: batch, Records: n, Bytes: 10 * n, Body: []byte("sealed"),
		CloseBatch: closes, ClosedAt: at, Finish: finish, Due: at.Add(time.Minute), Watermark: at,
	}
	if err := s.CommitPage(t.Context(), c, p); err != nil {
		t.Fatalf("CommitPage: %v", err)
	}
}

func TestStreamsRestUntilTheFirstDestination(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	noClaim(t, s, store.DutyPoll)
	storetest.Destination(t, s, r.Ingestion, rawJSON, clk.Now())
	claimOne(t, s, store.DutyPoll)
}

func TestCommitPageClosesABatchForEveryDestination(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON, rawJSON}, Now: clk.Now()})
	c, batch := claimOne(t, s, store.DutyPoll), uuid.NewString()
	takePage(t, s, c, batch, 2, false, false, clk.Now())
	for _, d := range r.Destinations {
		if _, ok, err := s.NextDelivery(t.Context(), d.ID); err != nil || ok {
			t.Fatalf("an open batch is owed: %v, %v", ok, err)
		}
	}
	st, _, err := s.LoadStream(t.Context(), c.ID)
	if err != nil || st.BatchID != batch || st.BatchBytes != 20 || st.Cursor != `{"token":"next"}` {
		t.Fatalf("LoadStream = %+v, %v", st, err)
	}
	clk.Add(time.Second)
	takePage(t, s, c, batch, 3, true, true, clk.Now())
	for _, d := range r.Destinations {
		dv, ok, err := s.NextDelivery(t.Context(), d.ID)
		if err != nil || !ok || dv.BatchID != batch || dv.Records != 5 || !dv.ClosedAt.Equal(clk.Now()) {
			t.Fatalf("NextDelivery = %+v, %v, %v", dv, ok, err)
		}
	}
	pages, err := s.Pages(t.Context(), batch)
	if err != nil || len(pages) != 2 {
		t.Fatalf("Pages = %v, %v", pages, err)
	}
	if st, _, err = s.LoadStream(t.Context(), c.ID); err != nil || st.BatchID != "" {
		t.Errorf("the stream still has batch %q open (%v)", st.BatchID, err)
	}
	if claims, err := s.Claim(t.Context(), store.DutyDeliver, "me", time.Minute, 10); err != nil || len(claims) != 2 {
		t.Errorf("destinations were not woken: %v, %v", claims, err)
	}
}

func TestAFencedPageLeavesNothing(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	old := claimOne(t, s, store.DutyPoll)
	clk.Add(time.Minute)
	claimOne(t, s, store.DutyPoll)
	batch := uuid.NewString()
	err := s.CommitPage(t.Context(), old, store.PageCommit{
		Cursor: `{"token":"late"}`, BatchID: batch, Body: []byte("x"), Records: 1, Seen: []store.SeenID{{ID: idOf(1)}},
	})
	if !errors.Is(err, store.ErrFenced) {
		t.Fatalf("CommitPage = %v, want ErrFenced", err)
	}
	st, _, err := s.LoadStream(t.Context(), old.ID)
	if err != nil || st.Cursor != "{}" || st.BatchID != "" {
		t.Errorf("the stream changed: %+v, %v", st, err)
	}
	if fresh, _, err := s.Unseen(t.Context(), old.ID, []store.SeenID{{ID: idOf(1)}}); err != nil || !fresh[idOf(1)] {
		t.Errorf("the id was kept: %v, %v", fresh, err)
	}
}

func TestCommitPageIsAllOrNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []struct{ statement, table string }{
		{"INSERT", "batch"}, {"INSERT", "page"}, {"INSERT", "seen"}, {"UPDATE", "batch"}, {"INSERT", "delivery"},
		{"UPDATE", "ingestion_destination"}, {"INSERT", "coverage"},
	} {
		t.Run(at.statement+" "+at.table, func(t *testing.T) {
			t.Parallel()
			clk := newClock()
			s := storetest.New(t, clk.Now)
			r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
			c := claimOne(t, s, store.DutyPoll)
			page := store.PageCommit{
				Cursor: `{"token":"behind"}`, Watermark: clk.Now(), BatchID: uuid.NewString(), Body: []byte("x"), Records: 1, Bytes: 1,
				Seen: []store.SeenID{{ID: idOf(1), Hour: 1}}, CloseBatch: true, ClosedAt: clk.Now(),
				Covered: store.Interval{From: clk.Now().Add(-time.Hour), To: clk.Now()}, Finish: true, Due: clk.Now(),
			}
			s.Break(t, at.statement, at.table)
			if err := s.CommitPage(t.Context(), c, page); err == nil {
				t.Fatal("the page was committed: the statement is not part of it")
			}
			s.Mend(t)
			st, _, err := s.LoadStream(t.Context(), c.ID)
			fresh, _, uerr := s.Unseen(t.Context(), c.ID, page.Seen)
			covered, cerr := s.Coverage(t.Context(), c.ID)
			if err := errors.Join(err, uerr, cerr); err != nil {
				t.Fatal(err)
			}
			if st.Cursor != "{}" || st.BatchID != "" || len(fresh) != 1 || len(covered) != 0 {
				t.Errorf("something of the page stayed: %+v, %d fresh, %v", st, len(fresh), covered)
			}
			if err := s.CommitPage(t.Context(), c, page); err != nil {
				t.Fatalf("the same page again: %v", err)
			}
			if dv, ok, err := s.NextDelivery(t.Context(), r.Destinations[0].ID); err != nil || !ok || dv.Records != 1 {
				t.Errorf("NextDelivery = %+v, %v, %v", dv, ok, err)
			}
		})
	}
}

func TestUnseenKnowsWhatWasTakenIn(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c := claimOne(t, s, store.DutyPoll)
	var old, all []store.SeenID
	for i := range 1200 {
		id := store.SeenID{ID: [16]byte{byte(i), byte(i >> 8)}, Hour: int64(i)}
		all = append(all, id)
		if i%2 == 0 {
			old = append(old, id)
		}
	}
	err := s.CommitPage(t.Context(), c, store.PageCommit{
		Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: 600, Seen: old,
	})
	if err != nil {
		t.Fatal(err)
	}
	fresh, _, err := s.Unseen(t.Context(), c.ID, all)
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range all {
		if want := i%2 == 1; fresh[id.ID] != want {
			t.Fatalf("id %d fresh = %v, want %v", i, fresh[id.ID], want)
		}
	}
	n, err := s.SweepSeen(t.Context(), c.ID, 600)
	if err != nil || n != 300 {
		t.Fatalf("SweepSeen = %d, %v; want 300", n, err)
	}
	if fresh, _, err = s.Unseen(t.Context(), c.ID, old); err != nil || len(fresh) != 300 {
		t.Errorf("%d ids are forgotten, want 300 (%v)", len(fresh), err)
	}
}

func TestAStoppedIngestionTakesNothingMoreIn(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c := claimOne(t, s, store.DutyPoll)
	if err := s.StopIngestion(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.CommitPage(t.Context(), c, store.PageCommit{Cursor: "{}", Finish: true, Due: clk.Now()}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a poll that was under way took a page in: %v", err)
	}
	clk.Add(time.Hour)
	noClaim(t, s, store.DutyPoll)
	if err := s.StartIngestion(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	claimOne(t, s, store.DutyPoll)
}

func TestLedger(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c := claimOne(t, s, store.DutyPoll)
	base := clk.Now()
	at := func(m int) time.Time { return base.Add(time.Duration(m) * time.Minute) }
	for _, i := range []store.Interval{{From: at(0), To: at(10)}, {From: at(10), To: at(20)}, {From: at(5), To: at(15)}, {From: at(30), To: at(40)}} {
		if err := s.CommitPage(t.Context(), c, store.PageCommit{Cursor: "{}", Covered: i, Records: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.CommitGap(t.Context(), c, c.ID, store.Gap{Interval: store.Interval{From: at(20), To: at(30)}, Reason: "lost", Body: []byte("b"), FoundAt: at(31)}, "{}", at(30)); err != nil {
		t.Fatal(err)
	}
	covered, err := s.Coverage(t.Context(), c.ID)
	want := []store.Covered{
		{Interval: store.Interval{From: at(0), To: at(20)}, Pages: 3, Records: 6},
		{Interval: store.Interval{From: at(30), To: at(40)}, Pages: 1, Records: 2},
	}
	if diff := cmp.Diff(want, covered); diff != "" || err != nil {
		t.Errorf("Coverage (-want +got), %v:\n%s", err, diff)
	}
	gaps, err := s.Gaps(t.Context(), c.ID)
	wantGaps := []store.Gap{{Seq: 1, Interval: store.Interval{From: at(20), To: at(30)}, Reason: "lost", Body: []byte("b"), FoundAt: at(31)}}
	if diff := cmp.Diff(wantGaps, gaps); diff != "" || err != nil {
		t.Errorf("Gaps (-want +got), %v:\n%s", err, diff)
	}
}
