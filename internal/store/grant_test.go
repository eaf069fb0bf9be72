package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// grants is a store with one authorization, under a clock that the test moves.
type grants struct {
	*store.Store
	t   *testing.T
	now time.Time
	id  string
}

func newGrants(t *testing.T) *grants {
	t.Helper()
	g := &grants{t: t, now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), id: "20000000-0000-4000-8000-000000000001"}
	g.Store = storetest.New(t, func() time.Time { return g.now })
	caller := fabric.Caller{Account: "123456789012", Region: "eu-west-1"}
	b := fabric.AppBundle{ID: "10000000-0000-4000-8000-000000000001", Account: caller.Account, Region: caller.Region, CreatedAt: g.now}
	if _, err := g.CreateAppBundle(t.Context(), caller, b, []byte("wrapped"), store.Terms{}); err != nil {
		t.Fatal(err)
	}
	a := fabric.AppAuthorization{
		ID: g.id, BundleID: b.ID, Account: caller.Account, Region: caller.Region, App: "OKTA",
		Tenant: fabric.Tenant{Identifier: "acme.okta.com", DisplayName: "Acme"}, AuthType: fabric.AuthOAuth2,
		Status: fabric.PendingConnect, Generation: 1, CreatedAt: g.now, UpdatedAt: g.now,
	}
	given := store.Given{Credential: []byte("credential"), Verifier: []byte("verifier 1")}
	if _, err := g.CreateAppAuthorization(t.Context(), caller, a, given, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *grants) load() store.Grant {
	g.t.Helper()
	row, err := g.LoadGrant(g.t.Context(), g.id)
	if err != nil {
		g.t.Fatal(err)
	}
	return row
}

func (g *grants) claim() store.Claim {
	g.t.Helper()
	c, ok, err := g.ClaimRow(g.t.Context(), store.DutyRefresh, g.id, "owner", 5*time.Second)
	if err != nil || !ok {
		g.t.Fatalf("claim: %v, %v", ok, err)
	}
	return c
}

func (g *grants) change(c store.Claim, change store.GrantChange) {
	g.t.Helper()
	if err := g.ChangeGrant(g.t.Context(), c, change); err != nil {
		g.t.Fatal(err)
	}
}

func TestGrantLifecycle(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	row := g.load()
	if string(row.Credential) != "credential" || string(row.Verifier) != "verifier 1" || row.VerifierNo != 1 ||
		row.Version != 0 || len(row.Tokens) != 0 || row.Facts == nil || !row.Due.IsZero() {
		t.Fatalf("a new grant: %+v", row)
	}
	c := g.claim()
	at := g.now
	if err := g.BeginIntent(t.Context(), c, store.Intent{Kind: store.IntentExchange, Key: "k", At: at, Request: []byte("req")}); err != nil {
		t.Fatal(err)
	}
	if row = g.load(); !row.Due.Equal(g.now) {
		t.Errorf("an intent is due %s: a crash would leave it unfound", row.Due)
	}
	if err := g.StoreAnswer(t.Context(), c, "k", []byte("answer")); err != nil {
		t.Fatal(err)
	}
	want := store.Intent{Kind: store.IntentExchange, Key: "k", At: at, Request: []byte("req"), Answer: []byte("answer")}
	if diff := cmp.Diff(want, g.load().Intent); diff != "" {
		t.Error(diff)
	}
	g.now = g.now.Add(time.Minute)
	g.change(c, store.GrantChange{
		Swap:     &store.TokenSet{Version: 1, Generation: 1, Sealed: []byte("set 1"), ExpiresAt: at.Add(time.Hour), KeepOld: true},
		Facts:    map[string]string{"site": "x"},
		CodeKey:  "k",
		Verifier: []byte("verifier 2"), VerifierNo: 1,
		Verdict: &store.Verdict{Generation: 1, Status: fabric.Connected},
		Event:   &store.GrantEvent{Generation: 1, Version: 1, Replica: "r", Kind: store.EventExchanged},
		Due:     at.Add(30 * time.Minute), Finish: true,
	})
	row = g.load()
	if string(row.Tokens) != "set 1" || len(row.Previous) != 0 || row.Version != 1 || row.Intent.Kind != store.NoIntent ||
		string(row.Verifier) != "verifier 2" || row.VerifierNo != 2 || row.CodeKey != "k" || row.Facts["site"] != "x" ||
		!row.ExpiresAt.Equal(at.Add(time.Hour)) || !row.Due.Equal(at.Add(30*time.Minute)) ||
		row.Authorization.Status != fabric.Connected || !row.Authorization.UpdatedAt.Equal(g.now) {
		t.Fatalf("after the exchange: %+v", row)
	}
	if diff := cmp.Diff(store.Intent{}, row.Intent, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	c = g.claim()
	g.now = g.now.Add(time.Minute)
	g.change(c, store.GrantChange{
		Swap:    &store.TokenSet{Version: 2, Generation: 1, Sealed: []byte("set 2"), KeepOld: true},
		Verdict: &store.Verdict{Generation: 1, Status: fabric.Connected, Reason: "same"},
		Event:   &store.GrantEvent{Generation: 1, Version: 2, Replica: "r", Kind: store.EventRefreshed, Detail: "d"},
		Finish:  true,
	})
	row = g.load()
	if string(row.Previous) != "set 1" || row.Authorization.UpdatedAt.Equal(g.now) || row.Authorization.Reason != "same" || !row.Due.IsZero() {
		t.Fatalf("after a swap: %+v", row)
	}
	for _, drop := range []struct {
		version int64
		left    string
	}{{1, "set 1"}, {2, ""}} {
		if err := g.DropPrevious(t.Context(), g.id, drop.version); err != nil {
			t.Fatal(err)
		}
		if left := string(g.load().Previous); left != drop.left {
			t.Errorf("DropPrevious(%d) leaves %q, want %q", drop.version, left, drop.left)
		}
	}
	events, err := g.Lineage(t.Context(), g.id, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantEvents := []store.GrantEvent{
		{Generation: 1, Version: 2, At: g.now, Replica: "r", Kind: store.EventRefreshed, Detail: "d"},
		{Generation: 1, Version: 1, At: g.now.Add(-time.Minute), Replica: "r", Kind: store.EventExchanged},
	}
	if diff := cmp.Diff(wantEvents, events); diff != "" {
		t.Error(diff)
	}
}

func TestGrantWritesAreFenced(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	old := g.claim()
	if err := g.BeginIntent(t.Context(), old, store.Intent{Kind: store.IntentRefresh, Key: "k", At: g.now}); err != nil {
		t.Fatal(err)
	}
	g.now = g.now.Add(6 * time.Second) // the lease has ended
	g.claim()
	before := g.load()
	for name, write := range map[string]func(context.Context) error{
		"BeginIntent": func(ctx context.Context) error {
			return g.BeginIntent(ctx, old, store.Intent{Kind: store.IntentRefresh, Key: "x"})
		},
		"StoreAnswer": func(ctx context.Context) error { return g.StoreAnswer(ctx, old, "k", []byte("a")) },
		"ClearIntent": func(ctx context.Context) error { return g.ClearIntent(ctx, old) },
		"KeepIntent":  func(ctx context.Context) error { return g.KeepIntent(ctx, old, false) },
		"DeferIntent": func(ctx context.Context) error { return g.DeferIntent(ctx, old, time.Second) },
		"ChangeGrant": func(ctx context.Context) error {
			return g.ChangeGrant(ctx, old, store.GrantChange{
				Swap: &store.TokenSet{Version: 1, Sealed: []byte("late")}, CodeKey: "late", Finish: true,
				Event: &store.GrantEvent{Kind: store.EventRefreshed},
			})
		},
		"SetAuthorizationStatus": func(ctx context.Context) error {
			return g.SetAuthorizationStatus(ctx, old, g.id, store.Verdict{Generation: 1, Status: fabric.Connected})
		},
	} {
		if err := write(t.Context()); !errors.Is(err, store.ErrFenced) {
			t.Errorf("%s: %v, want ErrFenced", name, err)
		}
	}
	if diff := cmp.Diff(before, g.load()); diff != "" {
		t.Errorf("a refused write has changed something: %s", diff)
	}
	if events, err := g.Lineage(t.Context(), g.id, 10); err != nil || len(events) != 0 {
		t.Errorf("lineage %v, %v", events, err)
	}
}

func TestSwapsCompareTheVersion(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	c := g.claim()
	for _, version := range []int64{0, 2} {
		err := g.ChangeGrant(t.Context(), c, store.GrantChange{
			Swap: &store.TokenSet{Version: version, Sealed: []byte("x")}, CodeKey: "x",
		})
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("version %d over version 0: %v, want ErrFenced", version, err)
		}
	}
	if row := g.load(); row.Version != 0 || row.CodeKey != "" || len(row.Tokens) != 0 {
		t.Errorf("half of a refused change: %+v", row)
	}
}

func TestVerdictsOfAnotherGenerationAreVoid(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	c := g.claim()
	for _, generation := range []int64{0, 2} {
		err := g.SetAuthorizationStatus(t.Context(), c, g.id, store.Verdict{Generation: generation, Status: fabric.Connected, Reason: "late"})
		if err != nil {
			t.Fatal(err)
		}
		if a := g.load().Authorization; a.Status != fabric.PendingConnect || a.Reason != "" {
			t.Errorf("a verdict on generation %d: %s, %q", generation, a.Status, a.Reason)
		}
	}
	g.change(c, store.GrantChange{Verifier: []byte("late"), VerifierNo: 7})
	if row := g.load(); row.VerifierNo != 1 || string(row.Verifier) != "verifier 1" {
		t.Errorf("verifier %d, %q", row.VerifierNo, row.Verifier)
	}
}

func TestAdoptAnswer(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	adopt := func(key string) bool {
		t.Helper()
		took, err := g.AdoptAnswer(t.Context(), g.id, key, []byte("from a file"))
		if err != nil {
			t.Fatal(err)
		}
		return took
	}
	if adopt("") || adopt("k") {
		t.Error("an answer to no intent was taken")
	}
	c := g.claim()
	if err := g.BeginIntent(t.Context(), c, store.Intent{Kind: store.IntentRefresh, Key: "k", At: g.now}); err != nil {
		t.Fatal(err)
	}
	if adopt("other") {
		t.Error("an answer to another intent was taken")
	}
	if !adopt("k") || string(g.load().Intent.Answer) != "from a file" {
		t.Error("the answer was not taken")
	}
	if adopt("k") {
		t.Error("an answer was taken twice")
	}
}

func TestKeepIntent(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	c := g.claim()
	for missing, want := range map[bool]time.Time{true: g.now, false: {}} {
		if err := g.BeginIntent(t.Context(), c, store.Intent{Kind: store.IntentExchange, Key: "k", At: g.now, Request: []byte("r")}); err != nil {
			t.Fatal(err)
		}
		if err := g.StoreAnswer(t.Context(), c, "k", []byte("503")); err != nil {
			t.Fatal(err)
		}
		if err := g.KeepIntent(t.Context(), c, missing); err != nil {
			t.Fatal(err)
		}
		in := g.load().Intent
		if in.Kind != store.IntentExchange || len(in.Answer) != 0 || string(in.Request) != "r" || !in.At.Equal(want) {
			t.Errorf("missing %v: %+v", missing, in)
		}
	}
}

func TestMetaAndDataKey(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	if _, err := g.Meta(t.Context(), "check"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a value that was never set: %v", err)
	}
	for _, value := range []string{"first", "second"} {
		kept, err := g.SetMetaOnce(t.Context(), "check", []byte(value))
		if err != nil || string(kept) != "first" {
			t.Errorf("SetMetaOnce(%s) = %q, %v; want the first", value, kept, err)
		}
	}
	if value, err := g.Meta(t.Context(), "check"); err != nil || string(value) != "first" {
		t.Errorf("Meta = %q, %v", value, err)
	}
	wrapped, arn, err := g.DataKey(t.Context(), g.load().Authorization.BundleID)
	if err != nil || string(wrapped) != "wrapped" ||
		arn != "arn:aws:appfabric:eu-west-1:123456789012:appbundle/10000000-0000-4000-8000-000000000001" {
		t.Errorf("DataKey = %q, %q, %v", wrapped, arn, err)
	}
	if _, _, err := g.DataKey(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the key of no bundle: %v", err)
	}
	if _, err := g.LoadGrant(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no grant: %v", err)
	}
}

func TestAnswersStay(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	c := g.claim()
	in := store.Intent{Kind: store.IntentRefresh, Key: "k", At: g.now}
	if err := g.BeginIntent(t.Context(), c, in); err != nil {
		t.Fatal(err)
	}
	if took, err := g.AdoptAnswer(t.Context(), g.id, "k", []byte("first")); err != nil || !took {
		t.Fatal(took, err)
	}
	if err := g.StoreAnswer(t.Context(), c, "k", []byte("second")); !errors.Is(err, store.ErrAnswered) {
		t.Errorf("StoreAnswer over an answer: %v, want ErrAnswered", err)
	}
	if err := g.StoreAnswer(t.Context(), c, "another", []byte("second")); !errors.Is(err, store.ErrFenced) {
		t.Errorf("StoreAnswer to another request: %v, want ErrFenced", err)
	}
	if err := g.BeginIntent(t.Context(), c, in); !errors.Is(err, store.ErrFenced) {
		t.Errorf("BeginIntent of what has an answer: %v, want ErrFenced", err)
	}
	if took, err := g.AdoptAnswer(t.Context(), g.id, "k", []byte("third")); err != nil || took {
		t.Errorf("AdoptAnswer over an answer: %v, %v", took, err)
	}
	if answer := string(g.load().Intent.Answer); answer != "first" {
		t.Errorf("the answer is %q", answer)
	}
	if err := g.BeginIntent(t.Context(), c, store.Intent{Kind: store.IntentRefresh, Key: "next", At: g.now}); err != nil {
		t.Errorf("BeginIntent of something else: %v", err)
	}
}

func TestDeferIntent(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	c := g.claim()
	in := store.Intent{Kind: store.IntentRefresh, Key: "k", At: g.now}
	ends := map[string]func(context.Context) error{
		"KeepIntent":  func(ctx context.Context) error { return g.KeepIntent(ctx, c, true) },
		"DeferIntent": func(ctx context.Context) error { return g.DeferIntent(ctx, c, 0) },
	}
	for name, end := range ends {
		if err := g.BeginIntent(t.Context(), c, in); err != nil {
			t.Fatal(err)
		}
		if at := g.load().Intent.Resend; !at.IsZero() {
			t.Errorf("a new intent may be sent again at %s", at)
		}
		if err := g.DeferIntent(t.Context(), c, 3*time.Second); err != nil {
			t.Fatal(err)
		}
		if at := g.load().Intent.Resend; !at.Equal(g.now.Add(3 * time.Second)) {
			t.Errorf("put off to %s", at)
		}
		if err := end(t.Context()); err != nil {
			t.Fatal(err)
		}
		if at := g.load().Intent.Resend; !at.Equal(g.now) {
			t.Errorf("after %s it may be sent again at %s, want at once", name, at)
		}
	}
	if err := g.ClearIntent(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if at := g.load().Intent.Resend; !at.IsZero() {
		t.Errorf("no intent may be sent again at %s", at)
	}
}

func TestExpedite(t *testing.T) {
	t.Parallel()
	g := newGrants(t)
	later := g.now.Add(time.Hour)
	if err := g.Finish(t.Context(), g.claim(), later); err != nil {
		t.Fatal(err)
	}
	if err := g.Expedite(t.Context(), g.id); err != nil || !g.load().Due.Equal(g.now) {
		t.Errorf("after a success it is due %s, %v; want now", g.load().Due, err)
	}
	if err := g.Fail(t.Context(), g.claim(), later, "the provider asks to wait"); err != nil {
		t.Fatal(err)
	}
	if err := g.Expedite(t.Context(), g.id); err != nil || !g.load().Due.Equal(later) {
		t.Errorf("after a failure it is due %s, %v; want as it was put off", g.load().Due, err)
	}
}
