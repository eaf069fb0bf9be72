package token_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/simulator"
)

func TestThreeRefreshesInARow(t *testing.T) {
	t.Parallel()
	for name, persistent := range map[string]bool{"rotating": false, "persistent": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := oktaWorld(t, simulator.OktaOptions{Persistent: persistent})
			w.connect()
			for i := range 3 {
				w.clock.Add(30 * time.Minute)
				before := w.grant()
				w.mustRefresh()
				g := w.grant()
				if g.Version != before.Version+1 || len(g.Previous) == 0 || g.Intent.Kind != store.NoIntent {
					t.Fatalf("refresh %d: version %d after %d, %d bytes of a previous set, intent %q",
						i, g.Version, before.Version, len(g.Previous), g.Intent.Kind)
				}
				if want := w.clock.Now().Add(30 * time.Minute); !g.Due.Equal(want) {
					t.Errorf("due %s, want %s", g.Due, want)
				}
				if err := w.poll(); err != nil {
					t.Fatal(err)
				}
				if g := w.grant(); len(g.Previous) != 0 {
					t.Error("the new tokens have worked, and the previous ones are still kept")
				}
				if i == 1 {
					w.restart()
				}
			}
			w.want(w.now(), fabric.Connected, "")
			if n := w.sentTwice(); !persistent && n != 0 {
				t.Errorf("%d tokens were sent twice", n)
			}
			want := []store.EventKind{store.EventRefreshed, store.EventRefreshed, store.EventRefreshed, store.EventExchanged}
			if diff := cmp.Diff(want, w.lineage()); diff != "" {
				t.Error(diff)
			}
			if g := w.grant(); g.Authorization.UpdatedAt.After(g.Authorization.CreatedAt.Add(time.Minute)) {
				t.Error("background work has changed updatedAt")
			}
		})
	}
}

func TestRefusedRefresh(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.InvalidGrant})
	w.clock.Add(30 * time.Minute)
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, "invalid_grant: The refresh token is invalid or expired.")
	if g := w.grant(); !g.Due.IsZero() {
		t.Errorf("a refused grant is due %s", g.Due)
	}
	if err := w.poll(); err != nil {
		t.Errorf("what is left of the access token: %v", err)
	}
	sent := len(w.sim.Okta().TokenRequests())
	w.mend()
	if err := w.m.Expedite(t.Context(), w.a.ID); err != nil {
		t.Fatal(err)
	}
	w.mustRefresh()
	if n := len(w.sim.Okta().TokenRequests()); n != sent {
		t.Error("a refused token was sent again")
	}
	w.want(w.now(), fabric.TokenAutoRotationFailed, "invalid_grant: The refresh token is invalid or expired.")
	w.clock.Add(30 * time.Minute)
	if err := w.poll(); !errors.Is(err, token.ErrNoGrant) {
		t.Errorf("after the access token's end: %v, want ErrNoGrant", err)
	}
	w.connect() // a new consent makes it good
}

func TestRevokedWhilePolling(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.sim.Okta().Revoke()
	if err := w.poll(); connector.KindOf(err) != connector.Unauthorized {
		t.Fatalf("poll: %v", err)
	}
	w.want(w.now(), fabric.Connected, "") // a 401 is no disconnection
	if err := w.m.Expedite(t.Context(), w.a.ID); err != nil {
		t.Fatal(err)
	}
	claims, err := w.store.Claim(t.Context(), store.DutyRefresh, "replica-1", time.Second, 1)
	if err != nil || len(claims) != 1 {
		t.Fatalf("an expedited refresh is due: %v, %v", claims, err)
	}
	if err := w.m.Refresh(t.Context(), claims[0]); err != nil {
		t.Fatal(err)
	}
	w.want(w.now(), fabric.TokenAutoRotationFailed, "invalid_grant: The refresh token is invalid or expired.")
}

func TestExpiredAccessToken(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	s, grant, err := w.m.Session(t.Context(), w.a)
	if err != nil {
		t.Fatal(err)
	}
	w.clock.Add(time.Hour) // a long wait between two calls of one session
	_, err = s.Connect(t.Context())
	if connector.KindOf(err) != connector.Unauthorized || !strings.Contains(err.Error(), "the access token has ended") {
		t.Errorf("a session after its token's end: %v", err)
	}
	w.mustRefresh()
	if _, err := s.Connect(t.Context()); err != nil {
		t.Errorf("the same session after a refresh: %v", err)
	}
	if _, now, err := w.m.Session(t.Context(), w.a); err != nil || now.Version <= grant.Version {
		t.Errorf("version %d after %d, %v", now.Version, grant.Version, err)
	}
}

func TestTransientFailuresChangeNothing(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{
		"429":          {Kind: simulator.Status429, Delay: time.Minute},
		"500":          {Kind: simulator.Status500},
		"503 page":     {Kind: simulator.HTML, Status: 503},
		"403 page":     {Kind: simulator.HTML, Status: 403},
		"200 page":     {Kind: simulator.HTML},
		"never came":   {Kind: simulator.DropRequest},
		"other method": {Kind: simulator.HTML, Status: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := oktaWorld(t, simulator.OktaOptions{})
			w.connect()
			fault.Path = tokenPath
			w.inject(fault)
			for range 3 {
				w.clock.Add(30 * time.Minute)
				err := w.refresh()
				if retry, ok := errors.AsType[*job.Retry](err); !ok || retry.Reason == "" || retry.After <= 0 {
					t.Fatalf("Refresh = %v, want a retry with a reason", err)
				}
				w.want(w.now(), fabric.Connected, "")
			}
			w.mend()
			w.mustRefresh() // after the access token's end, too
			if err := w.poll(); err != nil {
				t.Error(err)
			}
			w.want(w.now(), fabric.Connected, "")
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.http.Close()
	w.clock.Add(30 * time.Minute)
	err := w.refresh()
	if retry, ok := errors.AsType[*job.Retry](err); !ok || retry.Reason != "the token endpoint could not be reached" {
		t.Fatalf("Refresh = %v", err)
	}
	if g := w.grant(); g.Intent.Kind != store.NoIntent {
		t.Errorf("intent %q of a request that never left", g.Intent.Kind)
	}
	w.want(w.now(), fabric.Connected, "")
}

func TestLostAnswer(t *testing.T) {
	t.Parallel()
	t.Run("rotating", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		w.connect()
		w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.DropAnswer, Times: 1})
		w.clock.Add(30 * time.Minute)
		if err := w.refresh(); err == nil {
			t.Fatal("a refresh without an answer")
		}
		w.want(w.now(), fabric.Connected, "")
		w.mustRefresh()
		w.want(w.now(), fabric.TokenAutoRotationFailed, "answer lost: invalid_grant: The refresh token is invalid or expired.")
		if diff := cmp.Diff([]store.EventKind{store.EventLost, store.EventExchanged}, w.lineage()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("persistent", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{Persistent: true})
		w.connect()
		w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.DropAnswer, Times: 1})
		w.clock.Add(30 * time.Minute)
		if err := w.refresh(); err == nil {
			t.Fatal("a refresh without an answer")
		}
		w.mustRefresh()
		w.want(w.now(), fabric.Connected, "")
	})
	t.Run("truncated", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{Grace: time.Minute})
		w.connect()
		w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.Truncate, Times: 1})
		w.clock.Add(30 * time.Minute)
		if err := w.refresh(); err == nil {
			t.Fatal("a refresh with half an answer")
		}
		w.mustRefresh() // within the provider's grace
		w.want(w.now(), fabric.Connected, "")
	})
}

func TestLostAnswerToACode(t *testing.T) {
	t.Parallel()
	t.Run("used up", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.DropAnswer, Times: 1})
		a, err := w.callback(w.consent(w.authURL()))
		if err != nil {
			t.Fatal(err)
		}
		w.want(a, fabric.PendingConnect, "the token endpoint did not answer")
		w.mustRefresh()
		w.want(w.now(), fabric.ConnectionValidationFailed, "answer lost: invalid_grant: The authorization code is invalid or has expired.")
		w.connect()
	})
	t.Run("not seen", func(t *testing.T) {
		t.Parallel()
		w := oktaWorld(t, simulator.OktaOptions{})
		w.inject(simulator.Fault{Path: tokenPath, Kind: simulator.Status500, Times: 1})
		a, err := w.callback(w.consent(w.authURL()))
		if err != nil || a.Status != fabric.PendingConnect {
			t.Fatal(a.Status, err)
		}
		w.mustRefresh() // the duty goes on with the code
		w.want(w.now(), fabric.Connected, "")
	})
	for _, kind := range []simulator.Kind{simulator.Status500, simulator.DropRequest} {
		t.Run("the provider stays away: "+string(kind), func(t *testing.T) {
			t.Parallel()
			w := oktaWorld(t, simulator.OktaOptions{})
			w.inject(simulator.Fault{Path: tokenPath, Kind: kind})
			if _, err := w.callback(w.consent(w.authURL())); err != nil {
				t.Fatal(err)
			}
			w.clock.Add(14 * time.Minute)
			if err := w.refresh(); err == nil {
				t.Error("given up early")
			}
			w.clock.Add(2 * time.Minute)
			w.mustRefresh()
			if a := w.now(); a.Status != fabric.ConnectionValidationFailed || a.Reason == "" {
				t.Errorf("%s, %q", a.Status, a.Reason)
			}
		})
	}
}

func custodySteps() []string { return []string{"intent", "answered", "stored", "swapped"} }

// A process that is killed between any two steps of custody loses a grant only
// when an answer never arrived, and says so.
func TestKilledInARefresh(t *testing.T) {
	t.Parallel()
	for _, step := range custodySteps() {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := oktaWorld(t, simulator.OktaOptions{})
			w.connect()
			w.clock.Add(30 * time.Minute)
			w.killAt(step)
			if err := w.refresh(); !errors.Is(err, errKilled) && err == nil {
				t.Fatal("the process was not killed")
			}
			// The folder of answers is of the disk that is away.
			if err := os.RemoveAll(filepath.Join(w.dir, "answers")); err != nil {
				t.Fatal(err)
			}
			w.revive()
			sent := len(w.sim.Okta().TokenRequests())
			if g := w.grant(); step != "swapped" && (g.Due.IsZero() || g.Due.After(w.clock.Now())) {
				t.Fatalf("what is left is due %s: nobody finds it", g.Due)
			}
			if step != "swapped" {
				w.resume()
			}
			again := len(w.sim.Okta().TokenRequests()) - sent
			if want := map[string]int{"intent": 1, "answered": 1}[step]; again != want {
				t.Errorf("%d requests after the start, want %d", again, want)
			}
			if step == "answered" {
				w.want(w.now(), fabric.TokenAutoRotationFailed, "answer lost: invalid_grant: The refresh token is invalid or expired.")
				return
			}
			w.want(w.now(), fabric.Connected, "")
			if n := w.sentTwice(); n != 0 {
				t.Errorf("%d tokens were sent twice", n)
			}
			w.clock.Add(30 * time.Minute)
			w.mustRefresh()
			if err := w.poll(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A refusal of what was sent once more is an answer lost, also for the process
// that finds it in the journal.
func TestKilledTwiceInARefresh(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.clock.Add(30 * time.Minute)
	for _, step := range []string{"answered", "stored"} {
		w.killAt(step)
		if err := w.refresh(); !errors.Is(err, errKilled) && err == nil {
			t.Fatal("the process was not killed")
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "answers")); err != nil {
			t.Fatal(err)
		}
		w.revive()
		if step == "answered" {
			if err := w.refresh(); err == nil {
				t.Fatal("what has no answer was sent again at once")
			}
			w.clock.Add(3 * time.Second)
		}
	}
	w.mustRefresh()
	w.want(w.now(), fabric.TokenAutoRotationFailed, "answer lost: invalid_grant: The refresh token is invalid or expired.")
}

func TestKilledInAnExchange(t *testing.T) {
	t.Parallel()
	for _, step := range custodySteps() {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := oktaWorld(t, simulator.OktaOptions{})
			q := w.consent(w.authURL())
			w.killAt(step)
			if _, err := w.callback(q); err == nil {
				t.Fatal("the process was not killed")
			}
			w.revive()
			if err := os.RemoveAll(filepath.Join(w.dir, "answers")); err != nil {
				t.Fatal(err)
			}
			if g := w.grant(); g.Due.IsZero() || g.Due.After(w.clock.Now()) {
				t.Fatalf("what is left is due %s: nobody finds it", g.Due)
			}
			w.resume()
			if step == "answered" {
				w.want(w.now(), fabric.ConnectionValidationFailed, "answer lost: invalid_grant: The authorization code is invalid or has expired.")
				return
			}
			w.want(w.now(), fabric.Connected, "")
			if n := w.sentTwice(); n != 0 {
				t.Errorf("%d codes were sent twice", n)
			}
			// The browser loads its page again.
			a, err := w.callback(q)
			if err != nil {
				t.Fatal(err)
			}
			w.want(a, fabric.Connected, "")
		})
	}
}

// The caller of an exchange that was killed sends the same code again before
// the duty comes.
func TestSameCodeAfterAKill(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	q := w.consent(w.authURL())
	w.killAt("stored")
	if _, err := w.callback(q); err == nil {
		t.Fatal("the process was not killed")
	}
	w.revive()
	a, err := w.callback(q)
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
	if n := len(w.sim.Okta().TokenRequests()); n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
}

// A new consent while a refresh that was killed is unfinished.
func TestNewCodeAfterAKill(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.killAt("stored")
	if err := w.refresh(); err == nil {
		t.Fatal("the process was not killed")
	}
	w.revive()
	w.connect()
	w.mustRefresh()
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d tokens were sent twice", n)
	}
	w.want(w.now(), fabric.Connected, "")
}

// The database goes away while a request is on its way: the answer waits in a
// file.
func TestAnswerInAFile(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", w.store.Close)
	if err := w.refresh(); err == nil {
		t.Fatal("a refresh without a database")
	}
	file := filepath.Join(w.dir, "answers", w.a.ID+".answer")
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o", info.Mode().Perm())
	}
	w.revive()
	if err := w.m.Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	sent := len(w.sim.Okta().TokenRequests())
	w.mustRefresh()
	if n := len(w.sim.Okta().TokenRequests()); n != sent {
		t.Error("the token was sent again")
	}
	w.want(w.now(), fabric.Connected, "")
	if err := w.poll(); err != nil {
		t.Error(err)
	}
	if err := w.m.Replay(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	for range 3 {
		w.clock.Add(30 * time.Minute)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				claims, err := w.store.Claim(t.Context(), store.DutyRefresh, "replica", time.Minute, 1)
				if err != nil {
					t.Error(err)
				}
				for _, c := range claims {
					if err := w.m.Refresh(t.Context(), c); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
	}
	if n := len(w.sim.Okta().TokenRequests()); n != 4 {
		t.Errorf("%d token requests, want 4", n)
	}
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d tokens were sent twice", n)
	}
}

// A process whose lease has ended while it waited for an answer must not write
// it over what another has done since.
func TestFenced(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{Grace: time.Hour})
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error {
		w.clock.Add(time.Minute)
		w.resume()
		return nil
	})
	if err := w.refresh(); !errors.Is(err, store.ErrFenced) {
		t.Fatalf("the slower of two: %v, want ErrFenced", err)
	}
	w.want(w.now(), fabric.Connected, "")
	if err := w.poll(); err != nil {
		t.Error(err)
	}
}

// TestReleasedMeanwhile: a stop gives the leases up while an answer is on its
// way. The answer is kept, and the token is not sent again.
func TestReleasedMeanwhile(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	w.clock.Add(30 * time.Minute)
	w.onStepDo("answered", func() error {
		return w.store.Release(t.Context(), store.DutyRefresh, "replica-1")
	})
	if err := w.refresh(); !errors.Is(err, store.ErrFenced) {
		t.Fatalf("a refresh whose lease was given up: %v, want ErrFenced", err)
	}
	w.mustRefresh()
	w.want(w.now(), fabric.Connected, "")
	if err := w.poll(); err != nil {
		t.Error(err)
	}
	if n := w.sentTwice(); n != 0 {
		t.Errorf("%d tokens were sent twice", n)
	}
}

func TestDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	w := oktaWorld(t, simulator.OktaOptions{})
	w.connect()
	revoke := w.m.Revoke(t.Context(), w.a)
	c, _, err := w.store.ClaimRow(t.Context(), store.DutyRefresh, w.a.ID, "replica-1", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.store.DeleteAppAuthorization(t.Context(), w.caller(), w.a.BundleID, w.a.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.m.Refresh(t.Context(), c); err != nil {
		t.Errorf("a refresh of what was deleted: %v", err)
	}
	revoke(t.Context())
	if !strings.Contains(w.log.String(), "the grant is revoked") {
		t.Error("the grant was not revoked")
	}
}
