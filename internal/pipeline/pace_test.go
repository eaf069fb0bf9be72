package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/pipeline"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/simulator"
)

// pacedRig is two replicas over one database, each with an ingestion of its own
// from one tenant of the simulated Okta, which takes ten requests a minute.
type pacedRig struct {
	observer
	t       *testing.T
	clock   *clocktest.Clock
	sim     *simulator.Server
	origin  string
	store   *store.Store
	keys    *secret.Keyring
	master  secret.Master
	app     connector.App
	pollers []*pipeline.Poller

	mu      sync.Mutex
	calls   map[time.Time]int // of the provider, by the minute that it counts in
	refused map[time.Time]int
	fresh   int
}

func (r *pacedRig) Page(_ string, _, fresh int, _ int64) { r.fresh += fresh }

func newPacedRig(t *testing.T, pace connector.Pace) *pacedRig {
	t.Helper()
	r := &pacedRig{
		t: t, clock: clocktest.At(time.Date(2026, 11, 22, 12, 0, 30, 0, time.UTC)), app: okta.App(),
		calls: map[time.Time]int{}, refused: map[time.Time]int{},
	}
	r.app.Pace = pace
	r.sim = simulator.New(simulator.Options{Now: r.clock.Now, Okta: simulator.OktaOptions{PerMinute: 10}})
	served := httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(served.Close)
	r.origin = served.URL
	r.store = storetest.New(t, r.clock.Now)
	var err error
	if r.master, err = secret.CreateMaster(filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	r.keys = secret.NewKeyring(r.master, r.store.DataKey, r.clock.Now)
	for _, spelling := range []string{"acme.okta.com", "https://acme.okta.com/"} {
		r.join(spelling)
	}
	return r
}

// serve counts what the provider is asked for, and what it refuses.
func (r *pacedRig) serve(w http.ResponseWriter, req *http.Request) {
	minute := r.clock.Now().Truncate(time.Minute)
	seen := httptest.NewRecorder()
	r.sim.ServeHTTP(seen, req)
	r.mu.Lock()
	r.calls[minute]++
	if seen.Code == http.StatusTooManyRequests {
		r.refused[minute]++
	}
	r.mu.Unlock()
	for name, values := range seen.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(seen.Code)
	_, _ = w.Write(seen.Body.Bytes())
}

// join adds a replica, and connects an ingestion by it.
func (r *pacedRig) join(tenant string) {
	r.t.Helper()
	log := slog.New(slog.DiscardHandler)
	m := token.New(token.Options{
		Store: r.store, Keys: r.keys, Apps: []connector.App{r.app}, Derive: r.master.Derive, PublicURL: "http://127.0.0.1:8686",
		Transport: outbound.New(outbound.Options{Origins: []outbound.Origin{{From: "https://acme.okta.com", To: r.origin}}}),
		Pacer:     outbound.NewPacer(outbound.PacerOptions{Store: r.store, Now: r.clock.Now, Log: log}),
		Now:       r.clock.Now, Log: log, Owner: "replica-" + tenant,
	})
	r.t.Cleanup(func() {
		if err := m.Close(context.WithoutCancel(r.t.Context())); err != nil {
			r.t.Error(err)
		}
	})
	poller, err := pipeline.NewPoller(pipeline.Options{
		Store: r.store, Keys: r.keys, Apps: []connector.App{r.app}, Grants: m, Interval: time.Minute, KeepRaw: time.Hour,
		Now: r.clock.Now, Log: log, Observer: r, Wake: func() {},
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.pollers = append(r.pollers, poller)
	r.connect(m, tenant)
}

func (r *pacedRig) connect(m *token.Manager, tenant string) {
	r.t.Helper()
	ctx, c := r.t.Context(), storetest.Caller()
	spec := storetest.Spec{App: "OKTA", Tenant: tenant, Now: r.clock.Now(), Destinations: []fabric.Processing{rawJSON()}}
	spec.BundleID = map[bool]string{true: "11111111-1111-4111-8111-111111111111", false: "21111111-1111-4111-8111-111111111111"}[len(r.pollers) == 1]
	var err error
	if spec.DataKey, err = r.keys.NewDataKey(ctx, fabric.AppBundle{ID: spec.BundleID, Account: c.Account, Region: c.Region}); err != nil {
		r.t.Fatal(err)
	}
	a := storetest.Make(r.t, r.store, spec).Authorization
	id, hush := r.sim.Okta().Client()
	a.Generation, a.Status = 2, fabric.PendingConnect
	sealed, err := m.Seal(ctx, a, fabric.Credential{ClientID: id, ClientSecret: fabric.Secret(hush)})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.UpdateAppAuthorization(ctx, c, a, 1, &store.Given{Credential: sealed.Credential, Verifier: sealed.Verifier}); err != nil {
		r.t.Fatal(err)
	}
	authURL, err := m.AuthURL(ctx, a)
	if err != nil {
		r.t.Fatal(err)
	}
	back, err := r.sim.Okta().Approve(ctx, &http.Client{}, strings.Replace(authURL, "https://acme.okta.com", r.origin, 1))
	if err != nil {
		r.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		r.t.Fatal(err)
	}
	a, err = m.Callback(ctx, u.Query().Get("state"), u.Query().Get("code"), "", "")
	if err != nil || a.Status != fabric.Connected {
		r.t.Fatalf("Callback = %s %q, %v", a.Status, a.Reason, err)
	}
}

// work polls what is due, replica by replica in turn, until the time of the next
// poll; it returns the reasons of those that wait.
func (r *pacedRig) work(turn int) []string {
	r.t.Helper()
	claims, err := r.store.Claim(r.t.Context(), store.DutyPoll, "test", time.Hour, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	var reasons []string
	for i, c := range claims {
		err := r.pollers[(i+turn)%2].Run(r.t.Context(), c)
		retry, ok := errors.AsType[*job.Retry](err)
		if err != nil && !ok {
			r.t.Fatal(err)
		}
		if ok {
			reasons = append(reasons, retry.Reason)
			if err := r.store.Fail(r.t.Context(), c, r.clock.Now().Add(retry.After), retry.Reason); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	next, ok, err := r.store.NextDue(r.t.Context(), store.DutyPoll)
	if err != nil || !ok {
		r.t.Fatalf("NextDue = %v, %v", ok, err)
	}
	r.clock.Add(max(next.Sub(r.clock.Now()), time.Millisecond))
	return reasons
}

// emit has the provider show so many small events.
func (r *pacedRig) emit(n int) {
	r.t.Helper()
	events := make([]simulator.Event, n)
	for i := range events {
		at := r.clock.Now().Add(-time.Duration(i) * time.Millisecond)
		events[i] = simulator.Event{Raw: fmt.Appendf(nil, `{"uuid":"e%d","published":%q}`, i, at.Format("2006-01-02T15:04:05.000Z")), Arrival: at}
	}
	if err := r.sim.Okta().Add(events...); err != nil {
		r.t.Fatal(err)
	}
}

// TestASlowProviderIsNotStormed: what one replica learns of a limit the other
// keeps to, and all is collected.
func TestASlowProviderIsNotStormed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		pace    connector.Pace
		refused int // calls of a minute, at the most
		reason  string
	}{
		{"by its headers", okta.App().Pace, 0, "okta: list system log: throttled: paced: the provider asks to wait until 12:0"},
		{"by its refusals", connector.Pace{}, 1, "okta: list system log: throttled (HTTP 429): E0000047: API call exceeded rate limit due to too many requests.; the provider asks to wait until 12:0"},
		{"by our own limit", connector.Pace{PerSecond: 0.1, Burst: 2}, 0, "okta: list system log: throttled: paced: at most 6 calls a minute are made to one tenant; the next is due at 12:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newPacedRig(t, c.pace)
			r.clock.Add(time.Minute)
			const events = 10_500 // eleven pages: more than a minute has for either of the two
			r.emit(events)
			start, told := r.clock.Now(), false
			turn := 0
			for ; r.fresh < 2*events && r.clock.Now().Sub(start) < 10*time.Minute; turn++ {
				for _, reason := range r.work(turn) {
					told = told || strings.HasPrefix(reason, c.reason)
				}
			}
			if r.fresh != 2*events {
				t.Errorf("%d of %d records were collected in 10 minutes", r.fresh, 2*events)
			}
			if !told {
				t.Errorf("no poll waited because of %q", c.reason)
			}
			for minute, n := range r.refused {
				if n > c.refused {
					t.Errorf("%d of %d calls from %v were refused, want %d at the most", n, r.calls[minute], minute, c.refused)
				}
			}
			t.Logf("%d rounds of polls in %v, calls %v, refused %v", turn, r.clock.Now().Sub(start), r.calls, r.refused)
		})
	}
}

// TestAPollThatIsPacedKeepsItsBatch: what is read at a few pages a second becomes
// one object, unless it has to wait for longer.
func TestAPollThatIsPacedKeepsItsBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.made.Destinations[0]
	paced := func(wait time.Duration) error {
		return &connector.Error{Kind: connector.Throttled, Op: "app: list", Until: r.clock().Add(wait), Err: outbound.ErrPaced}
	}
	r.script.will(connector.Page{Records: records(1), Next: behind("two")}, nil)
	r.script.will(connector.Page{}, paced(200*time.Millisecond))
	if retry := r.poll(); retry == nil || retry.After != time.Second {
		t.Fatalf("the poll ended with %+v, want a wait of 1s", retry)
	}
	r.deliverAll()
	r.pass(time.Second)
	r.script.will(connector.Page{Records: records(2), Next: behind("three")}, nil)
	r.script.will(connector.Page{}, paced(time.Minute))
	if retry := r.poll(); retry == nil || retry.After != time.Minute {
		t.Fatalf("the poll ended with %+v, want a wait of 1m", retry)
	}
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2), r.lines(d)); diff != "" {
		t.Errorf("delivered: (-want +got)\n%s", diff)
	}
	if n := len(r.objects(d)); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
}

// TestAPollThatIsPacedAndCannotGoOn: what a paced poll has read is delivered,
// whatever becomes of the authorization or of the room meanwhile.
func TestAPollThatIsPacedAndCannotGoOn(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(*rig){
		"no grant":           func(r *rig) { r.script.noGrant = true },
		"scopes are missing": func(r *rig) { r.script.scope = "Something" },
		"no room": func(r *rig) {
			r.options.RawLimit = 1
			r.rebuild()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, onStream(scoped))
			d := r.made.Destinations[0]
			r.script.scope = "Read.All Sign.Read"
			r.script.will(connector.Page{Records: records(1), Next: behind("two")}, nil)
			r.script.will(connector.Page{}, &connector.Error{
				Kind: connector.Throttled, Op: "app: list", Until: r.clock().Add(200 * time.Millisecond), Err: outbound.ErrPaced,
			})
			if retry := r.poll(); retry == nil || retry.After != time.Second {
				t.Fatalf("the poll ended with %+v, want a wait of 1s", retry)
			}
			breaks(r)
			r.pass(time.Second)
			if retry := r.poll(); retry == nil || retry.After < time.Minute {
				t.Fatalf("the poll ended with %+v, want a rest", retry)
			}
			r.deliverAll()
			if diff := cmp.Diff(lines(1), r.lines(d)); diff != "" {
				t.Errorf("delivered: (-want +got)\n%s", diff)
			}
		})
	}
}

// TestSweepForgetsTenantsThatNobodyCalls: the sweep leaves no row of a tenant
// that was not called for a day.
func TestSweepForgetsTenantsThatNobodyCalls(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	block := func(tenant string) {
		t.Helper()
		if err := r.store.Block(t.Context(), store.PaceKey{App: "SCRIPT", Tenant: tenant}, r.clock().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	block("gone")
	r.pass(24 * time.Hour)
	block("called")
	if err := r.sweeper.Run(t.Context(), r.claim(store.DutySweep)); err != nil {
		t.Fatal(err)
	}
	if n, err := r.store.SweepPaces(t.Context(), 0); err != nil || n != 1 {
		t.Errorf("%d rows were left, %v; want that of the tenant that was called", n, err)
	}
}
