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

func TestCreateIngestion(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now(), Streams: []string{"a", "b"}, Cursor: `{"from":"x"}`})
	got, err := s.GetIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID)
	if d := cmp.Diff(r.Ingestion, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	from := clk.Now().Add(-6 * time.Hour)
	for _, id := range r.StreamIDs {
		st, _, err := s.LoadStream(t.Context(), id)
		if err != nil || st.Cursor != `{"from":"x"}` || !st.ReadFrom.Equal(from) || !st.Watermark.Equal(from) {
			t.Errorf("%s: %+v, %v", id, st, err)
		}
	}
	again := r.Ingestion
	again.ID = uuid.NewString()
	_, err = s.CreateIngestion(t.Context(), c, again, store.Start{}, store.Terms{})
	if exists, ok := errors.AsType[*store.ExistsError](err); !ok || exists.ResourceID != r.Ingestion.ID {
		t.Errorf("again: %v", err)
	}
}

func TestIngestionNeedsAConnectedAuthorization(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	a := another(r, "two")
	if err := create(t, s, a); err != nil {
		t.Fatal(err)
	}
	i := r.Ingestion
	i.ID, i.TenantID = uuid.NewString(), "two"
	for _, status := range []fabric.AuthorizationStatus{fabric.PendingConnect, fabric.ConnectionValidationFailed, fabric.TokenAutoRotationFailed} {
		a.Status = status
		if err := s.UpdateAppAuthorization(t.Context(), c, a, a.Generation, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := s.CreateIngestion(t.Context(), c, i, store.Start{}, store.Terms{}); !errors.Is(err, store.ErrNotConnected) {
			t.Errorf("%s: %v", status, err)
		}
	}
	a.Status = fabric.Connected
	if err := s.UpdateAppAuthorization(t.Context(), c, a, a.Generation, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateIngestion(t.Context(), c, i, store.Start{}, store.Terms{}); err != nil {
		t.Error(err)
	}
}

// An ingestion that requires another application has to wait for that one's
// authorization of the same tenant in the same bundle.
func TestIngestionRequiresAnotherApplication(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	storetest.Make(t, s, storetest.Spec{App: "OTHER", Tenant: "two"}) // in another bundle
	authorize := func(app, tenant string, status fabric.AuthorizationStatus) fabric.AppAuthorization {
		t.Helper()
		a := another(r, tenant)
		a.App, a.Status = app, status
		if err := create(t, s, a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	i := r.Ingestion
	i.ID, i.TenantID = uuid.NewString(), "two"
	try := func() error {
		_, err := s.CreateIngestion(t.Context(), c, i, store.Start{Requires: "OTHER"}, store.Terms{})
		return err
	}
	authorize(i.App, "two", fabric.Connected)
	authorize("OTHER", "three", fabric.Connected)
	if err := try(); !errors.Is(err, store.ErrNotConnected) {
		t.Errorf("without the other one of this tenant: %v", err)
	}
	other := authorize("OTHER", "two", fabric.PendingConnect)
	if err := try(); !errors.Is(err, store.ErrNotConnected) {
		t.Errorf("while the other one is not connected: %v", err)
	}
	other.Status = fabric.Connected
	if err := s.UpdateAppAuthorization(t.Context(), c, other, other.Generation, nil); err != nil {
		t.Fatal(err)
	}
	if err := try(); err != nil {
		t.Error(err)
	}
}

func TestStartAndStop(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	start := func() error { return s.StartIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID) }
	stop := func() error { return s.StopIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID) }
	if err := start(); !errors.Is(err, store.ErrState) {
		t.Errorf("start what is enabled: %v", err)
	}
	for name, stranger := range strangers() {
		if err := s.StopIngestion(t.Context(), stranger, r.Bundle.ID, r.Ingestion.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := errors.Join(stop(), start()); err != nil {
		t.Error(err)
	}
	noClaim(t, s, store.DutyPoll) // no destination
	if err := stop(); err != nil {
		t.Error(err)
	}
	if err := stop(); !errors.Is(err, store.ErrState) {
		t.Errorf("stop what is disabled: %v", err)
	}
	storetest.Destination(t, s, r.Ingestion, rawJSON, clk.Now())
	noClaim(t, s, store.DutyPoll) // a destination wakes no disabled ingestion
	clk.Add(time.Minute)
	if err := start(); err != nil {
		t.Error(err)
	}
	claimOne(t, s, store.DutyPoll)
	got, err := s.GetIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID)
	if err != nil || got.State != fabric.Enabled || !got.UpdatedAt.Equal(clk.Now()) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStopFencesThePollUnderWay(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now(), Destinations: []fabric.Processing{rawJSON}})
	claim := claimOne(t, s, store.DutyPoll)
	if err := s.StopIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.CommitPage(t.Context(), claim, store.PageCommit{Cursor: "{}"}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a page after Stop: %v", err)
	}
	if err := s.StartIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	noClaim(t, s, store.DutyPoll) // the old poll's lease has not ended
	clk.Add(time.Hour)
	claimOne(t, s, store.DutyPoll)
}

func TestDeleteIngestion(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now(), Destinations: []fabric.Processing{rawJSON}})
	claim := claimOne(t, s, store.DutyPoll)
	seen := []store.SeenID{{ID: idOf(1), Hour: 1}}
	err := s.CommitPage(t.Context(), claim, store.PageCommit{
		Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("b"), Records: 1, Seen: seen, CloseBatch: true, ClosedAt: clk.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	del := func(c fabric.Caller) error { return s.DeleteIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID) }
	if err := del(c); !errors.Is(err, store.ErrInUse) {
		t.Errorf("with a destination: %v", err)
	}
	d := r.Destinations[0]
	if err := s.DeleteIngestionDestination(t.Context(), c, d.BundleID, d.IngestionID, d.ID); err != nil {
		t.Fatal(err)
	}
	if err := del(strangers()["another Region"]); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another Region: %v", err)
	}
	if err := del(c); err != nil {
		t.Fatal(err)
	}
	if sizes, err := s.Sizes(t.Context()); err != nil || sizes["seen"]+sizes["seen_odd"] != 0 {
		t.Errorf("its ids are still there: %v, %v", sizes, err)
	}
	if err := s.CommitPage(t.Context(), claim, store.PageCommit{Cursor: "{}"}); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a page after Delete: %v", err)
	}
}
