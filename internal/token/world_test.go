package token_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/logtest"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/simulator"
)

const publicURL = "http://127.0.0.1:8686"

// world is a server's custody with everything around it: a database, and
// applications behind HTTP.
type world struct {
	t      testing.TB
	dir    string
	clock  *clocktest.Clock
	log    *logtest.Buffer
	master secret.Master
	apps   []connector.App
	origin []outbound.Origin
	sim    *simulator.Server
	http   *httptest.Server
	skew   time.Duration // of this server's clock; that of the applications is right

	mu   sync.Mutex
	step func(name string) error

	kms     *hsm // nil: bundles are under the master key
	options store.Options
	line    *storetest.Line // to the database; nil: it is not in between
	store   *store.Store
	m       *token.Manager
	keys    *secret.Keyring
	a       fabric.AppAuthorization
}

func bare(t testing.TB, apps ...connector.App) *world {
	t.Helper()
	w := &world{
		t: t, dir: t.TempDir(), apps: apps, log: &logtest.Buffer{},
		clock: clocktest.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)),
	}
	w.options = storetest.Options(t, w.clockHere)
	if w.options.URL == "" {
		w.options.Path = filepath.Join(w.dir, "selvedge.db") // with all else that is on disk
		storetest.Lay(t, w.options.Path)
	}
	var err error
	if w.master, err = secret.CreateMaster(filepath.Join(w.dir, "master.key")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.close)
	return w
}

// simulated is a world with the simulated applications.
func simulated(t testing.TB, options simulator.Options) *world {
	t.Helper()
	w := bare(t, okta.App(), terraformcloud.App())
	options.Now = w.clock.Now
	w.sim = simulator.New(options)
	w.serve(w.sim, "https://acme.okta.com", "https://app.terraform.io")
	return w
}

// serve puts a handler in the place of origins, and opens the world.
func (w *world) serve(h http.Handler, origins ...string) {
	w.t.Helper()
	w.http = httptest.NewServer(h)
	w.t.Cleanup(w.http.Close)
	for _, from := range origins {
		w.origin = append(w.origin, outbound.Origin{From: from, To: w.http.URL})
	}
	w.open()
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.store, err = store.Open(context.Background(), w.options)
	if err != nil {
		w.t.Fatal(err)
	}
	o := secret.Options{Masters: secret.Masters{w.master}, Load: w.store.DataKey, Now: w.clockHere}
	if w.kms != nil {
		o.KMS = w.kms
	}
	w.keys = secret.New(o)
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.m = w.manager("replica-1", log)
}

// manager is the custody of one replica.
func (w *world) manager(owner string, log *slog.Logger) *token.Manager {
	return token.New(token.Options{
		Store: w.store, Keys: w.keys, Apps: w.apps, Derive: w.master.Derive, PublicURL: publicURL,
		Transport: outbound.New(outbound.Options{Origins: w.origin, Log: log}),
		Pacer:     outbound.NewPacer(outbound.PacerOptions{Store: w.store, Now: w.clockHere, Log: log}),
		Now:       w.clockHere, Log: log, Owner: owner,
		Dir: filepath.Join(w.dir, "answers"), Rand: func() float64 { return 0.5 },
	}.WithStep(w.onStep))
}

func (w *world) clockHere() time.Time { return w.clock.Now().Add(w.skew) }

func (w *world) close() {
	if w.m == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.m.Close(ctx); err != nil {
		w.t.Error(err)
	}
	if err := w.store.Close(); err != nil {
		w.t.Error(err)
	}
	w.m = nil
}

// restart is a process that ends and another that begins.
func (w *world) restart() {
	w.t.Helper()
	w.close()
	w.open()
}

var errKilled = errors.New("killed")

// killAt ends the process at a step: from then on nothing reaches the database.
func (w *world) killAt(name string) {
	w.onStepDo(name, func() error {
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
		return errKilled
	})
}

// onStepDo has something happen the first time that a step is reached.
func (w *world) onStepDo(name string, do func() error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.step = func(at string) error {
		if at != name {
			return nil
		}
		w.mu.Lock()
		w.step = nil
		w.mu.Unlock()
		return do()
	}
}

func (w *world) onStep(name string) error {
	w.mu.Lock()
	step := w.step
	w.mu.Unlock()
	if step == nil {
		return nil
	}
	return step(name)
}

// revive is the start after killAt.
func (w *world) revive() {
	w.t.Helper()
	w.mu.Lock()
	w.step = nil
	w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.m.Close(ctx); err != nil {
		w.t.Error(err)
	}
	_ = w.store.Close() // killAt has closed the database, and left the lock
	if w.options.URL != "" {
		w.clock.Add(10 * time.Second) // other replicas live on: a lease must run out
	}
	w.open()
}

func (w *world) caller() fabric.Caller {
	return fabric.Caller{Account: "123456789012", Region: "us-east-1"}
}

// authorize makes a bundle with one authorization.
func (w *world) authorize(app, tenant string, c fabric.Credential) fabric.AppAuthorization {
	w.t.Helper()
	ctx, caller := w.t.Context(), w.caller()
	b := fabric.AppBundle{ID: "10000000-0000-4000-8000-000000000001", Account: caller.Account, Region: caller.Region, CreatedAt: w.clock.Now()}
	if w.kms != nil {
		b.KeyARN = hsmKey
	}
	key, err := w.keys.NewDataKey(ctx, b)
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.store.CreateAppBundle(ctx, caller, b, key, store.Terms{}); err != nil {
		w.t.Fatal(err)
	}
	a := fabric.AppAuthorization{
		ID: "20000000-0000-4000-8000-000000000001", BundleID: b.ID, Account: caller.Account, Region: caller.Region,
		App: app, Tenant: fabric.Tenant{Identifier: tenant, DisplayName: "Acme"}, AuthType: c.Type(),
		Status: fabric.PendingConnect, Generation: 1, CreatedAt: w.clock.Now(), UpdatedAt: w.clock.Now(),
	}
	given := w.give(a, c)
	if a, err = w.store.CreateAppAuthorization(ctx, caller, a, given, store.Terms{}); err != nil {
		w.t.Fatal(err)
	}
	w.a = a
	return a
}

func (w *world) give(a fabric.AppAuthorization, c fabric.Credential) store.Given {
	w.t.Helper()
	sealed, err := w.m.Seal(w.t.Context(), a, c)
	if err != nil {
		w.t.Fatal(err)
	}
	return store.Given{Credential: sealed.Credential, Verifier: sealed.Verifier}
}

// update gives the authorization another credential.
func (w *world) update(c fabric.Credential) {
	w.t.Helper()
	next := w.now()
	from := next.Generation
	next.Generation++
	next.Status, next.Reason, next.UpdatedAt = fabric.PendingConnect, "", w.clock.Now()
	given := w.give(next, c)
	if err := w.store.UpdateAppAuthorization(w.t.Context(), w.caller(), next, from, &given); err != nil {
		w.t.Fatal(err)
	}
}

// oktaWorld is a world with an authorization of the simulated Okta.
func oktaWorld(t testing.TB, options simulator.OktaOptions) *world {
	t.Helper()
	w := simulated(t, simulator.Options{Okta: options})
	w.authorize("OKTA", "acme.okta.com", w.oktaCredential())
	return w
}

func (w *world) oktaCredential() fabric.Credential {
	id, secret := w.sim.Okta().Client()
	return fabric.Credential{ClientID: id, ClientSecret: fabric.Secret(secret)}
}

func (w *world) authURL() string {
	w.t.Helper()
	u, err := w.m.AuthURL(w.t.Context(), w.a)
	if err != nil {
		w.t.Fatal(err)
	}
	return u
}

// consent approves and returns the query that the browser comes back with.
func (w *world) consent(authURL string) url.Values {
	w.t.Helper()
	back, err := w.sim.Okta().Approve(w.t.Context(), w.http.Client(), authURL)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	if got := u.Scheme + "://" + u.Host + u.Path; got != publicURL+"/appfabric/oauth2" {
		w.t.Fatalf("sent back to %s", got)
	}
	return u.Query()
}

func (w *world) callback(q url.Values) (fabric.AppAuthorization, error) {
	return w.m.Callback(w.t.Context(), q.Get("state"), q.Get("code"), q.Get("error"), q.Get("error_description"))
}

// connect connects by the browser, and must succeed.
func (w *world) connect() {
	w.t.Helper()
	a, err := w.callback(w.consent(w.authURL()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
}

func (w *world) want(a fabric.AppAuthorization, status fabric.AuthorizationStatus, reason string) {
	w.t.Helper()
	if a.Status != status || a.Reason != reason {
		w.t.Fatalf("%s, %q; want %s, %q", a.Status, a.Reason, status, reason)
	}
}

func (w *world) now() fabric.AppAuthorization { return w.grant().Authorization }

func (w *world) grant() store.Grant { return grantOf(w.t, w.store, w.a.ID) }

func grantOf(t testing.TB, s *store.Store, id string) store.Grant {
	t.Helper()
	g, err := s.LoadGrant(context.WithoutCancel(t.Context()), id)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// refresh does the duty once, whether it is due or not, as the dispatcher does.
func (w *world) refresh() error {
	w.t.Helper()
	return refreshAs(w.t, w.store, w.m, w.a.ID, "replica-1", w.clockHere)
}

// refreshAs does the duty once as a replica does.
func refreshAs(t testing.TB, s *store.Store, m *token.Manager, id, replica string, now func() time.Time) error {
	t.Helper()
	ctx := t.Context()
	c, ok, err := s.ClaimRow(ctx, store.DutyRefresh, id, replica, 5*time.Second)
	if err != nil || !ok {
		t.Fatalf("claim: %v, %v", ok, err)
	}
	err = m.Refresh(ctx, c)
	if retry, again := errors.AsType[*job.Retry](err); again {
		if ferr := s.Fail(ctx, c, now().Add(retry.After), retry.Reason); ferr != nil {
			t.Fatal(ferr)
		}
	}
	return err
}

func (w *world) mustRefresh() {
	w.t.Helper()
	if err := w.refresh(); err != nil {
		w.t.Fatal(err)
	}
}

// resume does the duty over what a crash has left. Where an answer is missing it
// is put off once, for whoever may have the answer.
func (w *world) resume() {
	w.t.Helper()
	sent := len(w.sim.Okta().TokenRequests())
	err := w.refresh()
	retry, put := errors.AsType[*job.Retry](err)
	if err != nil && !put {
		w.t.Fatal(err)
	}
	if put {
		if n := len(w.sim.Okta().TokenRequests()); n != sent || retry.Reason != "the token endpoint's answer is missing" || retry.After != 3*time.Second {
			w.t.Fatalf("%d requests, and put off by %v: %s", n-sent, retry.After, retry.Reason)
		}
		w.clock.Add(retry.After)
		w.mustRefresh()
	}
}

// poll makes one call with the grant in use.
func (w *world) poll() error {
	w.t.Helper()
	s, _, err := w.m.Session(w.t.Context(), w.a)
	if err != nil {
		return err
	}
	_, err = s.Connect(w.t.Context())
	return err
}

func (w *world) inject(f simulator.Fault) {
	w.t.Helper()
	if err := w.sim.Inject("OKTA", f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mend() {
	w.t.Helper()
	if err := w.sim.ClearFaults("OKTA"); err != nil {
		w.t.Fatal(err)
	}
}

// sentTwice says how many requests carried a code or token that an earlier one
// had carried.
func (w *world) sentTwice() int {
	seen, twice := map[string]bool{}, 0
	for _, r := range w.sim.Okta().TokenRequests() {
		if seen[r.Credential] {
			twice++
		}
		seen[r.Credential] = true
	}
	return twice
}

func (w *world) lineage() []store.EventKind {
	w.t.Helper()
	events, err := w.store.Lineage(w.t.Context(), w.a.ID, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	var kinds []store.EventKind
	for _, e := range events {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}
