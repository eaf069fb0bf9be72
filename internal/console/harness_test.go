package console_test

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/connector/all"
	"selvedge/internal/audit"
	"selvedge/internal/clocktest"
	"selvedge/internal/console"
	"selvedge/internal/control"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/logtest"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/internal/wire"

	contract "selvedge/connector"
)

// site is the console over a real API, control, store, trail and keyring. Only
// grants and places are made up.
type site struct {
	http.Handler
	t       testing.TB
	store   *store.Store
	keys    *secret.Keyring
	api     *wire.API
	control *control.Control
	grants  *grants
	caller  fabric.Caller
	root    sigv4.Key
	logs    *logtest.Buffer
	clock   *clocktest.Clock
	mu      sync.Mutex
	calls   []wire.Call
}

// tick moves the clock on by a millisecond, as whoever reads it does.
func (s *site) tick() time.Time {
	s.clock.Add(time.Millisecond)
	return s.clock.Now()
}

func newSite(t testing.TB) *site {
	t.Helper()
	caller := storetest.Caller()
	s := &site{t: t, caller: caller, clock: clocktest.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)), logs: &logtest.Buffer{}}
	s.root = sigv4.Key{ID: caller.AccessKeyID, Secret: "the root key's secret", Account: caller.Account}
	s.store = storetest.New(t, s.tick)
	s.grants = &grants{store: s.store, status: fabric.Connected, address: "https://provider.example/authorize?redirect_uri=x&state=1"}
	master, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.keys = secret.NewKeyring(master, s.store.DataKey, s.tick)
	trail, err := audit.Open(audit.Options{Path: filepath.Join(t.TempDir(), "trail.ndjson")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trail.Close() })
	derive := func(label string) []byte { sum := sha256.Sum256([]byte(label)); return sum[:] }
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	s.control, err = control.New(control.Options{
		Store: s.store, Apps: all.Apps(), Grants: s.grants, Keys: s.keys, Places: places{}, Derive: derive,
		Now: s.tick, Log: log, Trail: trail, Secrets: s.keys, Root: s.root,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.control.Wait)
	s.api = wire.New(wire.Options{
		Control: s.control, Authorize: s.control.Authorize, Log: log, Now: s.tick,
		Recorder: func(c wire.Call) { s.record(trail, c) },
	})
	s.Handler, err = console.New(console.Options{
		API: s.api, Keys: s.control.LookupKey, Apps: all.Apps(), Derive: derive, PublicURL: "https://selvedge.example", Now: s.tick, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) record(trail *audit.Trail, c wire.Call) {
	s.mu.Lock()
	s.calls = append(s.calls, c)
	s.mu.Unlock()
	err := trail.Record(audit.Call{
		RequestID: c.RequestID, Time: c.Start, Source: c.Source, Operation: c.Operation, ReadOnly: c.ReadOnly, Caller: c.Caller,
		SourceIP: c.SourceIP, UserAgent: c.UserAgent, ErrorCode: c.ErrorCode, ErrorMessage: c.Message, Parameters: c.Parameters, Elements: c.Elements,
	})
	if err != nil {
		s.t.Error(err)
	}
}

// called counts the calls of an operation; empty: of all.
func (s *site) called(operation string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.calls {
		if operation == "" || c.Operation == operation {
			n++
		}
	}
	return n
}

// grants stands in for the token manager: no provider is asked.
type grants struct {
	store   *store.Store
	mu      sync.Mutex
	status  fabric.AuthorizationStatus // that connections reach
	address string                     // to consent at
	given   []fabric.Credential
}

func (g *grants) Seal(_ context.Context, _ fabric.AppAuthorization, c fabric.Credential) (token.Sealed, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.given = append(g.given, c)
	return token.Sealed{Credential: []byte("sealed")}, nil
}

func (g *grants) AuthURL(_ context.Context, a fabric.AppAuthorization) (string, error) {
	for _, one := range all.Apps() {
		if one.Name == a.App && one.Auth.Grant == contract.AuthorizationCode {
			return g.address, nil
		}
	}
	return "", nil
}

func (g *grants) Connect(ctx context.Context, a fabric.AppAuthorization, _ *token.AuthRequest) (fabric.AppAuthorization, error) {
	a.Status = g.status
	if a.Status != fabric.Connected {
		a.Reason = "invalid_client: <b>no such client</b>"
	}
	return a, g.store.UpdateAppAuthorization(ctx, fabric.Caller{Account: a.Account, Region: a.Region}, a, a.Generation, nil)
}

func (*grants) Revoke(context.Context, fabric.AppAuthorization) func(context.Context) { return nil }

// places takes every place but one.
type places struct{}

func (places) Prepare(_ context.Context, _ fabric.Caller, _ fabric.Processing, p fabric.Place) error {
	if p.Bucket == "unusable" {
		return fabric.Invalid("The bucket does not exist.")
	}
	return nil
}

// key makes an access key with a policy.
func (s *site) key(policy string) sigv4.Key {
	s.t.Helper()
	k, hidden, err := s.control.CreateKey(s.t.Context(), s.caller, control.CreateKeyInput{Account: s.caller.Account, Policy: policy})
	if err != nil {
		s.t.Fatal(err)
	}
	return sigv4.Key{ID: k.ID, Secret: hidden.Reveal(), Account: s.caller.Account}
}

// may is a policy that allows actions everywhere.
func may(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}

// bundle makes an app bundle with a data key of its own.
func (s *site) bundle() fabric.AppBundle {
	s.t.Helper()
	b, err := s.control.CreateAppBundle(s.t.Context(), s.caller, control.CreateAppBundleInput{})
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// authorize makes a connected authorization.
func (s *site) authorize(b fabric.AppBundle, app, tenant string) fabric.AppAuthorization {
	s.t.Helper()
	a, err := s.control.CreateAppAuthorization(s.t.Context(), s.caller, control.CreateAppAuthorizationInput{
		Bundle: b.ID, App: app, AuthType: fabric.AuthOAuth2, Tenant: fabric.Tenant{Identifier: tenant, DisplayName: "The " + tenant},
		Credential: fabric.Credential{ClientID: "id", ClientSecret: "hush"},
	})
	if err == nil {
		a, err = s.control.ConnectAppAuthorization(s.t.Context(), s.caller, control.ConnectInput{Bundle: b.ID, Authorization: a.ID})
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return a
}

// collected is an ingestion whose pages a test takes in.
type collected struct {
	*site
	fabric.Ingestion
	authorization fabric.AppAuthorization
	path          string
	claims        map[string]store.Claim // by the name of the stream
}

// collect makes an ingestion, with a bucket as its destination where it is named.
func (s *site) collect(app, tenant string, buckets ...string) *collected {
	s.t.Helper()
	b := s.bundle()
	a := s.authorize(b, app, tenant)
	i, err := s.control.CreateIngestion(s.t.Context(), s.caller, control.CreateIngestionInput{
		Bundle: b.ID, App: app, TenantID: tenant, Type: fabric.IngestionTypeAuditLog,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	l := &collected{
		site: s, Ingestion: i, authorization: a, path: "/console/bundles/" + b.ID + "/ingestions/" + i.ID, claims: map[string]store.Claim{},
	}
	for _, bucket := range buckets {
		_, err := s.control.CreateIngestionDestination(s.t.Context(), s.caller, control.CreateIngestionDestinationInput{
			Bundle: b.ID, Ingestion: i.ID, Processing: fabric.Processing{Schema: fabric.SchemaOCSF, Format: fabric.FormatJSON}, Place: fabric.Place{Bucket: bucket},
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if len(buckets) > 0 {
		claims, err := s.store.Claim(s.t.Context(), store.DutyPoll, "test", time.Hour, 99)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, c := range claims {
			_, name, _ := strings.Cut(c.ID, "/")
			l.claims[name] = c
		}
	}
	return l
}

// take takes a page of records in and closes its batch.
func (l *collected) take(stream string, records ...contract.Record) {
	l.t.Helper()
	pages, err := encode.NewPages()
	if err != nil {
		l.t.Fatal(err)
	}
	now := l.tick()
	batch := uuid.NewString()
	body, err := l.keys.Seal(l.t.Context(), store.PagePlace(l.BundleID, batch), pages.Pack(records))
	if err == nil {
		err = l.store.CommitPage(l.t.Context(), l.claims[stream], store.PageCommit{
			Cursor: "{}", Watermark: now, Covered: store.Interval{From: now.Add(-6 * time.Hour), To: now},
			BatchID: batch, Body: body, Records: int64(len(records)), CloseBatch: true, ClosedAt: now,
		})
	}
	if err != nil {
		l.t.Fatal(err)
	}
}
