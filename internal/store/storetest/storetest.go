// Package storetest makes stores and rows for the tests of other packages.
package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// Caller is who made the rows of a Rig.
func Caller() fabric.Caller {
	return fabric.Caller{Account: "111122223333", Region: "us-east-1", AccessKeyID: "AKIDTEST"}
}

// New opens a store of the test's own; it is closed when the test ends. It is
// on SQLite, and on PostgreSQL in the tests that OnPostgreSQL runs. A nil clock
// is the database's: see store.Options.
func New(tb testing.TB, now func() time.Time) *store.Store {
	tb.Helper()
	return open(tb, Options(tb, now))
}

// Open opens the store at path, which may hold rows already.
func Open(tb testing.TB, path string, now func() time.Time) *store.Store {
	tb.Helper()
	return open(tb, store.Options{Path: path, Now: now})
}

func open(tb testing.TB, o store.Options) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), o)
	if err != nil {
		tb.Fatalf("open store: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close store: %v", err)
		}
	})
	return s
}

// Rig is an ingestion with all that it needs: a bundle, a connected
// authorization and destinations.
type Rig struct {
	Bundle        fabric.AppBundle
	Authorization fabric.AppAuthorization
	Ingestion     fabric.Ingestion
	Destinations  []fabric.IngestionDestination
	StreamIDs     []string
}

// Spec says what a Rig has. Zero members have defaults.
type Spec struct {
	App          string   // default OKTA
	Tenant       string   // default acme.okta.com
	Streams      []string // default system_log
	Destinations []fabric.Processing
	DataKey      []byte          // wrapped; default: one that opens nothing
	BundleID     string          // default: a new one
	Cursor       string          // default {}
	AuthType     fabric.AuthType // default oauth2
	Now          time.Time
}

// Make inserts a Rig.
func Make(tb testing.TB, s *store.Store, spec Spec) Rig {
	tb.Helper()
	spec = spec.withDefaults()
	ctx, c := tb.Context(), Caller()
	var r Rig
	var err error
	must := func(what string) {
		tb.Helper()
		if err != nil {
			tb.Fatalf("make %s: %v", what, err)
		}
	}
	r.Bundle, err = s.CreateAppBundle(ctx, c, fabric.AppBundle{
		ID: spec.BundleID, Account: c.Account, Region: c.Region, CreatedAt: spec.Now,
	}, spec.DataKey, store.Terms{})
	must("bundle")
	r.Authorization, err = s.CreateAppAuthorization(ctx, c, fabric.AppAuthorization{
		ID: uuid.NewString(), BundleID: r.Bundle.ID, Account: c.Account, Region: c.Region, App: spec.App,
		Tenant:   fabric.Tenant{Identifier: spec.Tenant, DisplayName: spec.Tenant},
		AuthType: spec.AuthType, Status: fabric.Connected, Generation: 1, CreatedAt: spec.Now, UpdatedAt: spec.Now,
	}, store.Given{Credential: []byte("sealed")}, store.Terms{})
	must("authorization")
	r.Ingestion, err = s.CreateIngestion(ctx, c, fabric.Ingestion{
		ID: uuid.NewString(), BundleID: r.Bundle.ID, Account: c.Account, Region: c.Region, App: spec.App,
		TenantID: spec.Tenant, Type: fabric.IngestionTypeAuditLog, State: fabric.Enabled, CreatedAt: spec.Now, UpdatedAt: spec.Now,
	}, store.Start{Streams: spec.Streams, Cursor: spec.Cursor, From: spec.Now.Add(-6 * time.Hour)}, store.Terms{})
	must("ingestion")
	for _, name := range spec.Streams {
		r.StreamIDs = append(r.StreamIDs, r.Ingestion.ID+"/"+name)
	}
	for _, p := range spec.Destinations {
		r.Destinations = append(r.Destinations, Destination(tb, s, r.Ingestion, p, spec.Now))
	}
	return r
}

// Destination adds a destination to an ingestion, in the bucket "audit-logs".
func Destination(tb testing.TB, s *store.Store, i fabric.Ingestion, p fabric.Processing, now time.Time) fabric.IngestionDestination {
	tb.Helper()
	d, err := s.CreateIngestionDestination(tb.Context(), Caller(), fabric.IngestionDestination{
		ID: uuid.NewString(), BundleID: i.BundleID, IngestionID: i.ID, Account: i.Account, Region: i.Region,
		Processing: p, Place: fabric.Place{Bucket: "audit-logs"}, Status: fabric.Active, CreatedAt: now, UpdatedAt: now,
	}, store.Terms{})
	if err != nil {
		tb.Fatalf("make destination: %v", err)
	}
	return d
}

func (s Spec) withDefaults() Spec {
	if s.App == "" {
		s.App = "OKTA"
	}
	if s.Tenant == "" {
		s.Tenant = "acme.okta.com"
	}
	if s.Streams == nil {
		s.Streams = []string{"system_log"}
	}
	if s.DataKey == nil {
		s.DataKey = []byte("wrapped")
	}
	if s.BundleID == "" {
		s.BundleID = uuid.NewString()
	}
	if s.AuthType == "" {
		s.AuthType = fabric.AuthOAuth2
	}
	if s.Cursor == "" {
		s.Cursor = "{}"
	}
	if s.Now.IsZero() {
		s.Now = time.Now().UTC().Truncate(time.Millisecond)
	}
	return s
}
