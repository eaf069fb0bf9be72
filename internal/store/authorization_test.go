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

// another is an authorization beside that of the rig.
func another(r storetest.Rig, tenant string) fabric.AppAuthorization {
	a := r.Authorization
	a.ID, a.Tenant.Identifier, a.Status = uuid.NewString(), tenant, fabric.PendingConnect
	return a
}

func TestCreateAppAuthorization(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	want := another(r, "two")
	want.Reason = "why"
	if _, err := s.CreateAppAuthorization(t.Context(), c, want, store.Given{Mark: "m"}, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	got, err := s.GetAppAuthorization(t.Context(), c, want.BundleID, want.ID)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	if mark, err := s.CredentialMark(t.Context(), c, want.ID); err != nil || mark != "m" {
		t.Errorf("mark %q, %v", mark, err)
	}
	if g, err := s.LoadGrant(t.Context(), want.ID); err != nil || g.Version != 0 || g.VerifierNo != 1 {
		t.Errorf("grant %+v, %v", g, err)
	}
	exists, ok := errors.AsType[*store.ExistsError](create(t, s, another(r, "two")))
	if !ok || exists.ResourceID != want.ID || !errors.Is(exists, store.ErrExists) {
		t.Errorf("the same tenant again: %v", exists)
	}
	lost := another(r, "three")
	lost.BundleID = uuid.NewString()
	if err := create(t, s, lost); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without a bundle: %v", err)
	}
	page, err := s.ListAppAuthorizations(t.Context(), c, r.Bundle.ID, store.Mark{}, 10)
	if err != nil || len(page) != 2 {
		t.Errorf("%d authorizations, %v; want 2", len(page), err)
	}
}

func create(t *testing.T, s *store.Store, a fabric.AppAuthorization) error {
	t.Helper()
	_, err := s.CreateAppAuthorization(t.Context(), storetest.Caller(), a, store.Given{}, store.Terms{})
	return err
}

func TestUpdateAppAuthorization(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	free := another(r, "two")
	if err := create(t, s, free); err != nil {
		t.Fatal(err)
	}
	next := free
	next.Tenant = fabric.Tenant{Identifier: "moved", DisplayName: "Moved"}
	next.Status, next.Reason, next.Generation, next.UpdatedAt = fabric.ConnectionValidationFailed, "why", 2, free.UpdatedAt.Add(time.Minute)
	given := &store.Given{Credential: []byte("new"), Verifier: []byte("v"), Mark: "m"}
	if err := s.UpdateAppAuthorization(t.Context(), c, next, 1, given); err != nil {
		t.Fatal(err)
	}
	got, err := s.GetAppAuthorization(t.Context(), c, free.BundleID, free.ID)
	if d := cmp.Diff(next, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	g, err := s.LoadGrant(t.Context(), free.ID)
	if err != nil || string(g.Credential) != "new" || string(g.Verifier) != "v" || g.VerifierNo != 2 {
		t.Errorf("given: %+v, %v", g, err)
	}
	kept := &store.Given{Verifier: []byte("w")}
	if err := s.UpdateAppAuthorization(t.Context(), c, next, 2, kept); err != nil {
		t.Fatal(err)
	}
	g, err = s.LoadGrant(t.Context(), free.ID)
	mark, _ := s.CredentialMark(t.Context(), c, free.ID)
	if err != nil || string(g.Credential) != "new" || string(g.Verifier) != "w" || g.VerifierNo != 3 || mark != "m" {
		t.Errorf("kept: %+v, %q, %v", g, mark, err)
	}
	used := r.Authorization
	used.Tenant.Identifier = "elsewhere"
	taken := next
	taken.Tenant.Identifier = r.Authorization.Tenant.Identifier
	for name, tt := range map[string]struct {
		caller fabric.Caller
		a      fabric.AppAuthorization
		from   int64
		want   error
	}{
		"another generation":   {c, next, 1, store.ErrStale},
		"used by an ingestion": {c, used, 1, store.ErrInUse},
		"a tenant twice":       {c, taken, 2, store.ErrExists},
		"another account":      {strangers()["another account"], next, 2, store.ErrNotFound},
	} {
		if err := s.UpdateAppAuthorization(t.Context(), tt.caller, tt.a, tt.from, nil); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func TestDeleteAppAuthorization(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	del := func(c fabric.Caller) error {
		return s.DeleteAppAuthorization(t.Context(), c, r.Bundle.ID, r.Authorization.ID)
	}
	if err := del(c); !errors.Is(err, store.ErrInUse) {
		t.Errorf("used: %v", err)
	}
	if err := s.DeleteIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	for name, stranger := range strangers() {
		if err := del(stranger); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := del(c); err != nil {
		t.Error(err)
	}
	if _, err := s.LoadGrant(t.Context(), r.Authorization.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the grant is still there: %v", err)
	}
}
