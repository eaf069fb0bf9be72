package store_test

import (
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func TestStatesOfAnIngestion(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{
		Streams: []string{"b", "a"}, Destinations: []fabric.Processing{rawJSON}, Now: clk.Now(),
	})
	claims, err := s.Claim(t.Context(), store.DutyPoll, "me", time.Minute, 1)
	if err != nil || len(claims) != 1 {
		t.Fatalf("%v, %v", claims, err)
	}
	closed := clk.Now().UTC().Truncate(time.Millisecond)
	err = s.CommitPage(t.Context(), claims[0], store.PageCommit{
		Cursor: `{}`, Watermark: closed, BatchID: "batch", Body: []byte("sealed"), Records: 7, CloseBatch: true, ClosedAt: closed,
	})
	if err != nil {
		t.Fatal(err)
	}
	due := closed.Add(time.Minute)
	if err := s.Fail(t.Context(), claims[0], due, "the provider rests"); err != nil {
		t.Fatal(err)
	}
	streams, err := s.StreamStates(t.Context(), c, r.Ingestion.ID)
	if err != nil || len(streams) != 2 || streams[0].Name != "a" || streams[1].Name != "b" {
		t.Fatalf("streams: %v, %v", streams, err)
	}
	for _, st := range streams {
		failed := st.ID == claims[0].ID
		if (st.LastError == "the provider rests") != failed || st.Due.Equal(due) != failed || st.Watermark.Equal(closed) != failed {
			t.Errorf("stream %+v", st)
		}
	}
	late := storetest.Destination(t, s, r.Ingestion, rawJSON, clk.Now().Add(time.Second))
	owed, err := s.Backlogs(t.Context(), c, r.Ingestion.ID)
	if err != nil || len(owed) != 2 || owed[0].DestinationID != r.Destinations[0].ID || owed[1].DestinationID != late.ID {
		t.Fatalf("backlogs: %v, %v", owed, err)
	}
	for _, b := range owed {
		if b.Batches != 1 || b.Records != 7 || !b.Oldest.Equal(closed) || b.Due.IsZero() {
			t.Errorf("backlog %+v", b)
		}
	}
	for name, stranger := range strangers() {
		streams, err := s.StreamStates(t.Context(), stranger, r.Ingestion.ID)
		owed, err2 := s.Backlogs(t.Context(), stranger, r.Ingestion.ID)
		if len(streams)+len(owed) != 0 || err != nil || err2 != nil {
			t.Errorf("%s: %v, %v, %v, %v", name, streams, owed, err, err2)
		}
	}
}
