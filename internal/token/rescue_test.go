package token_test

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"selvedge/connector/okta"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/simulator"
)

// neighbour is another replica, with a disk and connections of its own.
type neighbour struct {
	*world
	store *store.Store
	m     *token.Manager
}

func (w *world) neighbour() *neighbour {
	w.t.Helper()
	n := &neighbour{world: w, store: w.store}
	if w.line != nil {
		o := w.options
		o.URL = w.line.Direct
		var err error
		if n.store, err = store.Open(w.t.Context(), o); err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { _ = n.store.Close() })
	}
	log := slog.New(slog.DiscardHandler)
	n.m = token.New(token.Options{
		Store: n.store, Apps: w.apps, Derive: w.master.Derive, PublicURL: publicURL,
		Keys:      secret.New(secret.Options{Masters: secret.Masters{w.master}, Load: n.store.DataKey, Now: w.clockHere}),
		Transport: outbound.New(outbound.Options{Origins: w.origin, Log: log}),
		Now:       w.clockHere, Log: log, Owner: "replica-2", Dir: filepath.Join(w.dir, "answers of replica-2"),
	})
	w.t.Cleanup(func() { _ = n.m.Close(context.Background()) })
	return n
}

// refresh does the duty once.
func (n *neighbour) refresh() error {
	n.t.Helper()
	return refreshAs(n.t, n.store, n.m, n.a.ID, "replica-2", n.clockHere)
}

func (n *neighbour) mustRefresh() {
	n.t.Helper()
	if err := n.refresh(); err != nil {
		n.t.Fatal(err)
	}
}

func (n *neighbour) grant() store.Grant { return grantOf(n.t, n.store, n.a.ID) }

func (w *world) answerFile() string { return filepath.Join(w.dir, "answers", w.a.ID+".answer") }

// within waits for what another goroutine does.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	end := time.After(limit)
	for !done() {
		select {
		case <-end:
			t.Fatalf("not within %s: %s", limit, what)
		case <-ticker.C:
		}
	}
}

// A replica that kept an answer in a file brings it as soon as the database is
// back, and one that claims before has it wait.
func TestAnswerOfANeighbour(t *testing.T) {
	t.Parallel()
	w := onFlaky(t)
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error { w.line.Cut(); return nil })
	if err := w.refresh(); err == nil {
		t.Fatal("a refresh without a database")
	}
	if _, err := os.Stat(w.answerFile()); err != nil {
		t.Fatal(err)
	}
	w.clock.Add(10 * time.Second) // the lease has ended
	other, sent := w.neighbour(), len(w.sim.Okta().TokenRequests())
	err := other.refresh()
	if retry, ok := errors.AsType[*job.Retry](err); !ok || retry.After != 3*time.Second {
		t.Fatalf("the neighbour came first: %v", err)
	}
	w.line.Mend()
	within(t, 3*time.Second, "the answer is in the journal", func() bool { return len(other.grant().Intent.Answer) > 0 })
	within(t, 5*time.Second, "the file is removed", func() bool {
		_, err := os.Stat(w.answerFile())
		return os.IsNotExist(err)
	})
	other.mustRefresh()
	if n := len(w.sim.Okta().TokenRequests()); n != sent {
		t.Error("the token was sent again")
	}
	w.want(other.grant().Authorization, fabric.Connected, "")
}

// The answer that is missing is waited for once, however often the row is
// claimed; a person's new code waits too, and is not lost.
func TestGraceBeforeSendingAgain(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{Grace: time.Hour})
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error { return errKilled })
	if err := w.refresh(); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	w.clock.Add(10 * time.Second)
	other, sent := w.neighbour(), len(w.sim.Okta().TokenRequests())
	for _, left := range []time.Duration{3 * time.Second, 2 * time.Second, time.Second} {
		err := other.refresh()
		if retry, ok := errors.AsType[*job.Retry](err); !ok || retry.After != left {
			t.Fatalf("%v, want a retry after %s", err, left)
		}
		w.clock.Add(time.Second)
	}
	if n := len(w.sim.Okta().TokenRequests()); n != sent {
		t.Fatal("the token was sent again within the grace")
	}
	if err := other.refresh(); err != nil {
		t.Fatal(err)
	}
	if n := len(w.sim.Okta().TokenRequests()); n != sent+1 {
		t.Errorf("%d requests, want one", n-sent)
	}
	w.want(w.now(), fabric.Connected, "")

	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error { return errKilled })
	if err := w.refresh(); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	w.clock.Add(10 * time.Second)
	sent = len(w.sim.Okta().TokenRequests())
	w.connect()
	if n := len(w.sim.Okta().TokenRequests()); n != sent+2 {
		t.Errorf("%d requests, want the one that was not answered and that with the code", n-sent)
	}
}

// A request whose answer is late is sent again by another replica. The answer
// that came meanwhile is the one that counts.
func TestLateAnswerStays(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.clock.Add(30 * time.Minute)
	second, first := make(chan error, 1), make(chan struct{})
	w.onStepDo("answered", func() error {
		w.clock.Add(time.Minute) // the lease has ended
		if err := w.refresh(); err == nil {
			t.Error("sent again without a grace")
		}
		w.clock.Add(time.Minute)
		answered := make(chan struct{})
		w.onStepDo("answered", func() error {
			close(answered)
			<-first
			return nil
		})
		go func() { second <- w.refresh() }()
		<-answered
		return nil
	})
	if err := w.refresh(); !errors.Is(err, store.ErrFenced) {
		t.Errorf("the first: %v", err)
	}
	close(first)
	if err := <-second; err != nil {
		t.Errorf("the second: %v", err)
	}
	w.want(w.now(), fabric.Connected, "")
}

// A database that hangs is as good as none: the answer is in a file soon, and the
// duty ends.
func TestHangingDatabase(t *testing.T) {
	t.Parallel()
	for name, fenced := range map[string]bool{"hangs": false, "hangs after the lease was lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := onFlaky(t)
			w.connect()
			w.clock.Add(30 * time.Minute)
			w.onStepDo("answered", func() error {
				var err error
				if fenced {
					err = w.store.Release(t.Context(), store.DutyRefresh, "replica-1")
				}
				w.line.Hang()
				return err
			})
			c, ok, err := w.store.ClaimRow(t.Context(), store.DutyRefresh, w.a.ID, "replica-1", 5*time.Second)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			ended := make(chan error, 1)
			go func() { ended <- w.m.Refresh(t.Context(), c) }()
			within(t, 10*time.Second, "the answer is in a file", func() bool {
				_, err := os.Stat(w.answerFile())
				return err == nil
			})
			select {
			case err := <-ended:
				if err == nil {
					t.Error("the duty says that it has succeeded")
				}
			case <-time.After(30 * time.Second):
				t.Error("the duty hangs with the database")
			}
			other := w.neighbour()
			w.line.Mend()
			within(t, 10*time.Second, "the answer is in the journal", func() bool { return len(other.grant().Intent.Answer) > 0 })
			w.clock.Add(10 * time.Second)
			other.mustRefresh()
			w.want(other.grant().Authorization, fabric.Connected, "")
			if n := w.sentTwice(); n != 0 {
				t.Errorf("%d tokens were sent twice", n)
			}
		})
	}
}

// onFlaky is an authorization of the simulated Okta in a database behind a line.
func onFlaky(t *testing.T) *world {
	t.Helper()
	w := bare(t, okta.App())
	w.line = storetest.PostgreSQLBehindLine(t)
	w.options = store.Options{URL: w.line.URL, Now: w.clockHere}
	w.sim = simulator.New(simulator.Options{Now: w.clock.Now})
	w.serve(w.sim, "https://acme.okta.com")
	w.authorize("OKTA", "acme.okta.com", w.oktaCredential())
	return w
}
