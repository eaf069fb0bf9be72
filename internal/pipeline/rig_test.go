package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/pipeline"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/ocsf"
	"selvedge/sink"
	"selvedge/sink/local"
)

// rig is the pipeline over a real store and a local bucket, with a scripted
// provider and a clock that tests move by hand.
type rig struct {
	t        *testing.T
	store    *store.Store
	made     storetest.Rig
	extra    fabric.IngestionDestination // of everyDay
	script   *script
	feed     *feed // in the script's place; nil: the script
	interval time.Duration
	buckets  *flaky
	streams  *stream
	keys     *secret.Keyring
	root     string
	poller   *pipeline.Poller
	deliver  *pipeline.Deliverer
	sweeper  *pipeline.Sweeper
	backfill *pipeline.Backfiller
	options  pipeline.Options
	seen     *observer
	mu       sync.Mutex
	now      time.Time
}

// Streams of the scripted application.
const (
	arrival = "arrival" // the cursor runs by arrival
	byTime  = "by_time" // windows overlap by an hour
	scoped  = "scoped"  // of its own scopes
)

type option func(*storetest.Spec, *rig)

func onStream(name string) option {
	return func(s *storetest.Spec, _ *rig) { s.Streams = []string{name} }
}

func destinations(ps ...fabric.Processing) option {
	return func(s *storetest.Spec, _ *rig) { s.Destinations = ps }
}

func withKey() option { return func(s *storetest.Spec, _ *rig) { s.AuthType = fabric.AuthAPIKey } }

func rawJSON() fabric.Processing {
	return fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}
}

func ocsfJSON() fabric.Processing {
	return fabric.Processing{Schema: fabric.SchemaOCSF, Format: fabric.FormatJSON}
}

func newRig(t *testing.T, opts ...option) *rig {
	t.Helper()
	r := &rig{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), script: &script{}, seen: &observer{failed: map[string]int{}}}
	r.interval = time.Minute
	r.store = storetest.New(t, r.clock)
	r.script.store = r.store
	master, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	keys := secret.NewKeyring(master, r.store.DataKey, r.clock)
	spec := storetest.Spec{App: "SCRIPT", Streams: []string{arrival}, Destinations: []fabric.Processing{rawJSON()}, Now: r.now}
	spec.BundleID = "11111111-1111-4111-8111-111111111111"
	c := storetest.Caller()
	spec.DataKey, err = keys.NewDataKey(t.Context(), fabric.AppBundle{ID: spec.BundleID, Account: c.Account, Region: c.Region})
	if err != nil {
		t.Fatal(err)
	}
	first, err := json.Marshal(connector.Cursor{From: r.now.Add(-pipeline.FirstReach)})
	if err != nil {
		t.Fatal(err)
	}
	spec.Cursor = string(first)
	for _, o := range opts {
		o(&spec, r)
	}
	r.made = storetest.Make(t, r.store, spec)
	r.root = t.TempDir()
	r.buckets = &flaky{to: local.New(r.root)}
	r.streams = &stream{max: 1 << 20}
	r.keys = keys
	r.build(keys)
	if err := local.New(r.root).Prepare(t.Context(), "audit-logs"); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) build(keys *secret.Keyring) {
	r.t.Helper()
	app, grants := r.script.app(), pipeline.Grants(r.script)
	if r.feed != nil {
		r.feed.script, r.feed.clock = r.script, r.clock
		app, grants = r.feed.app(), r.feed
	}
	o := pipeline.Options{
		Store: r.store, Keys: keys, Apps: []connector.App{app}, Grants: grants, Buckets: r.buckets, Streams: r.streams,
		Interval: r.interval, KeepRaw: 6 * time.Hour, Now: r.clock, Log: slog.New(slog.DiscardHandler),
		Observer: r.seen, Ledger: r.seen, Wake: func() {},
	}
	var err error
	if r.poller, err = pipeline.NewPoller(o); err != nil {
		r.t.Fatal(err)
	}
	if r.deliver, err = pipeline.NewDeliverer(o); err != nil {
		r.t.Fatal(err)
	}
	r.sweeper, r.backfill, r.options = pipeline.NewSweeper(o), pipeline.NewBackfiller(r.poller), o
}

// rebuild makes the duties anew, with the options as a test has changed them.
func (r *rig) rebuild() {
	r.t.Helper()
	var err error
	if r.poller, err = pipeline.NewPoller(r.options); err != nil {
		r.t.Fatal(err)
	}
	if r.deliver, err = pipeline.NewDeliverer(r.options); err != nil {
		r.t.Fatal(err)
	}
	r.sweeper, r.backfill = pipeline.NewSweeper(r.options), pipeline.NewBackfiller(r.poller)
}

// restart makes the duties anew, as a new process does.
func (r *rig) restart() { r.build(r.keys) }

func (r *rig) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.now
}

func (r *rig) pass(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = r.now.Add(d)
}

// claim takes the only due row of a duty.
func (r *rig) claim(d store.Duty) store.Claim {
	r.t.Helper()
	claims, err := r.store.Claim(r.t.Context(), d, "test", time.Hour, 10)
	if err != nil || len(claims) != 1 {
		r.t.Fatalf("Claim(%s) = %v, %v; want one", d, claims, err)
	}
	return claims[0]
}

// poll runs one claim of the stream, ending it as the dispatcher would, and
// returns what the duty asked for.
func (r *rig) poll() *job.Retry {
	r.t.Helper()
	c := r.claim(store.DutyPoll)
	return r.end(c, r.poller.Run(r.t.Context(), c))
}

func (r *rig) end(c store.Claim, err error) *job.Retry {
	r.t.Helper()
	if err == nil {
		return nil
	}
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok {
		r.t.Fatalf("%s: %v", c.Duty, err)
	}
	if err := r.store.Fail(r.t.Context(), c, r.clock().Add(retry.After), retry.Reason); err != nil {
		r.t.Fatal(err)
	}
	return retry
}

// deliverAll runs a claim of every destination that is due.
func (r *rig) deliverAll() {
	r.t.Helper()
	claims, err := r.store.Claim(r.t.Context(), store.DutyDeliver, "test", time.Hour, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, c := range claims {
		r.end(c, r.deliver.Run(r.t.Context(), c))
	}
}

// backfillAll runs what is to be read beside the live tail, to its end or to its
// first failure.
func (r *rig) backfillAll() {
	r.t.Helper()
	for {
		claims, err := r.store.Claim(r.t.Context(), store.DutyBackfill, "test", time.Hour, 10)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(claims) == 0 {
			return
		}
		for _, c := range claims {
			r.end(c, r.backfill.Run(r.t.Context(), c))
		}
	}
}

func (r *rig) stream() store.Stream {
	r.t.Helper()
	st, _, err := r.store.LoadStream(r.t.Context(), r.made.StreamIDs[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// lines returns the lines of all objects of a destination, in order of their
// keys' times.
func (r *rig) lines(d fabric.IngestionDestination) []string {
	r.t.Helper()
	var all []string
	for _, f := range r.objects(d) {
		b, err := os.ReadFile(f)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(b) == 0 || b[len(b)-1] != '\n' {
			r.t.Errorf("%s does not end with a line feed", f)
		}
		all = append(all, strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")...)
	}
	return all
}

func (r *rig) objects(d fabric.IngestionDestination) []string {
	r.t.Helper()
	files, err := filepath.Glob(filepath.Join(r.root, "audit-logs", "AWSAppFabric", "AuditLog", "*", "*", "*", "*", d.ID, "*", "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(filepath.Base(a), filepath.Base(b)) })
	return files
}

// script is a provider whose answers tests lay out: what each call of Poll
// gives, in order. It is also the grants.
type script struct {
	mu        sync.Mutex
	answers   []answer
	asked     []connector.Cursor
	version   int64
	expedited int
	noGrant   bool
	scope     string // what the provider has said that it granted
	retention time.Duration
	onPoll    func() // called at each call of Poll, as time passes
	store     *store.Store
}

type answer struct {
	page connector.Page
	err  error
}

func (s *script) app() connector.App {
	return connector.App{
		Name: "SCRIPT",
		Streams: []connector.Stream{
			{Name: arrival, Arrival: true, Overlap: time.Hour, Retention: s.retention},
			{Name: byTime, Newest: true, Overlap: time.Hour},
			{Name: scoped, Arrival: true, Scopes: []string{"https://api.example/Read.All", "Sign.Read"}},
		},
		Normalize: func(_ string, raw []byte, _ *ocsf.Event) error {
			return fmt.Errorf("no mapping for %d bytes", len(raw))
		},
	}
}

// will lays out the next answer.
func (s *script) will(page connector.Page, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers = append(s.answers, answer{page, err})
}

func (s *script) Session(context.Context, fabric.AppAuthorization) (connector.Session, token.Grant, error) {
	if s.noGrant {
		return nil, token.Grant{}, token.ErrNoGrant
	}
	return s, token.Grant{
		Version: s.version, Generation: 1, Facts: map[string]string{"scope": s.scope},
	}, nil
}

func (s *script) Expedite(context.Context, string) error {
	s.expedited++
	return nil
}

// Rejected gives the verdict that token.Manager gives.
func (s *script) Rejected(ctx context.Context, a fabric.AppAuthorization, reason string) error {
	c, ok, err := s.store.ClaimRow(ctx, store.DutyRefresh, a.ID, "test", time.Minute)
	if err != nil || !ok {
		return err
	}
	return s.store.ChangeGrant(ctx, c, store.GrantChange{Finish: true, Verdict: &store.Verdict{
		Generation: a.Generation, Status: fabric.ConnectionValidationFailed, Reason: reason,
	}})
}

func (s *script) Connect(context.Context) (map[string]string, error) { return map[string]string{}, nil }

func (s *script) Poll(_ context.Context, _ string, at connector.Cursor) (connector.Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, at)
	if s.onPoll != nil {
		s.onPoll()
	}
	if len(s.answers) == 0 {
		return connector.Page{Next: at, Done: true}, nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	return a.page, a.err
}

func (s *script) lastAsked() connector.Cursor { return s.asked[len(s.asked)-1] }

// records makes records with the given numbers; each is a line of its own.
func records(numbers ...int) []connector.Record {
	var all []connector.Record
	for _, n := range numbers {
		all = append(all, connector.Record{
			ID: fmt.Sprintf("id-%d", n), Time: time.Date(2026, 3, 1, 11, 0, n%60, 0, time.UTC), Raw: []byte(line(n)),
		})
	}
	return all
}

func line(n int) string { return fmt.Sprintf(`{"n":%d,"text":"\u00e9"}`, n) }

func lines(numbers ...int) []string {
	var all []string
	for _, n := range numbers {
		all = append(all, line(n))
	}
	return all
}

// flaky is a sink that fails as told.
type flaky struct {
	to   sink.ObjectSink
	fail func(o sink.Object) error
	puts int
}

func (f *flaky) Put(ctx context.Context, o sink.Object) error {
	f.puts++
	if f.fail != nil {
		if err := f.fail(o); err != nil {
			return err
		}
	}
	return f.to.Put(ctx, o)
}

// stream is a record sink that takes what it is told to.
type stream struct {
	max  int
	take func(to sink.Stream, records [][]byte) (failed []int, err error)
	sent [][]string // of each Send: its records
	got  []string   // records taken, in order
}

func (s *stream) MaxRecord() int { return s.max }

func (s *stream) Send(_ context.Context, to sink.Stream, records [][]byte) (failed []int, err error) {
	if s.take != nil {
		failed, err = s.take(to, records)
	}
	var sent []string
	for i, r := range records {
		sent = append(sent, string(r))
		if !slices.Contains(failed, i) && (err == nil || len(failed) > 0) {
			s.got = append(s.got, strings.TrimSuffix(string(r), "\n"))
		}
	}
	s.sent = append(s.sent, sent)
	return failed, err
}

// observer counts what it is told, and failures by their kind.
type observer struct {
	mu     sync.Mutex
	base   int
	told   map[string]int
	failed map[string]int
}

func (o *observer) count(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.told == nil {
		o.told = map[string]int{}
	}
	o.told[what]++
}

func (o *observer) Late(_ string, late time.Duration) {
	if late > 0 {
		o.count("late")
	}
}
func (o *observer) Gap(_, event string)                     { o.count("gap " + event) }
func (o *observer) Held(_, why string)                      { o.count("held " + why) }
func (o *observer) Delayed(_ string, d time.Duration)       { o.count("delayed " + d.String()) }
func (o *observer) Backfilled(_, kind string, pages, _ int) { o.count("backfilled " + kind) }

func (*observer) Polled(string, string)                       {}
func (*observer) Page(string, int, int, int64)                {}
func (*observer) Delivered(string, int, int64, time.Duration) {}
func (o *observer) Normalized(_ string, base, _ int)          { o.base += base }
func (o *observer) DeliveryFailed(_, kind string)             { o.failed[kind]++ }
