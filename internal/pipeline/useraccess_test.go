package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/pipeline"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/simulator"
)

func TestUsersAreFoundOrNot(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	for app, want := range map[string]fabric.AccessUser{
		"OKTA":           {ID: "00u1user5im000000002", FullName: "Zoë Müller", FirstName: "Zoë", LastName: "Müller", Status: "ACTIVE"},
		"TERRAFORMCLOUD": {ID: "user-V3R563qtJNcExAkN", Status: "active"},
	} {
		a := h.authorize(app)
		there := h.start(a, known)
		h.run()
		h.want(there, fabric.Completed, "")
		if _, user := h.read(there); user != want {
			t.Errorf("%s: found %+v, want %+v", app, user, want)
		}
		none := h.start(a, unknown)
		h.run()
		h.want(none, fabric.TaskFailed, fabric.UserNotFound)
	}
	if len(h.ended) != 4 {
		t.Errorf("counted %v", h.ended)
	}
}

func TestASearchThatIsThrottled(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	id := h.start(h.authorize("OKTA"), known)
	h.inject("OKTA", simulator.Fault{Path: "/api/v1/users", Kind: simulator.Status429, Times: 1, Delay: 40 * time.Second})
	retry := h.run()
	if retry == nil || retry.After < 39*time.Second || retry.After > 41*time.Second {
		t.Fatalf("waits %+v, want the 40 s that Okta asks for", retry)
	}
	h.want(id, fabric.InProgress, fabric.AppThrottles)
	h.clock.Add(retry.After)
	h.run()
	h.want(id, fabric.Completed, "")
}

// A search goes on for 24 hours, over restarts, and tells the last failure when
// it expires.
func TestASearchThatExpires(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	started := h.clock.Now()
	id := h.start(h.authorize("OKTA"), known)
	h.inject("OKTA", simulator.Fault{Path: "/api/v1/users", Kind: simulator.Status500})
	tries := 0
	for ; ; tries++ {
		retry := h.run()
		if retry == nil {
			break
		}
		h.want(id, fabric.InProgress, fabric.AppInternalError)
		h.clock.Add(retry.After)
		h.refresh()
		if tries%100 == 50 {
			h.close()
			h.open()
		}
	}
	h.want(id, fabric.Expired, fabric.AppInternalError)
	if took := h.clock.Now().Sub(started); took != fabric.UserAccessLife || tries < 250 {
		t.Errorf("expired after %v and %d tries, want 24 h", took, tries)
	}
	if d := cmp.Diff([]string{"OKTA expired"}, h.ended); d != "" {
		t.Errorf("counted (-want +got):\n%s", d)
	}
}

func TestASearchIsFinishedAfterARestart(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	id := h.start(h.authorize("TERRAFORMCLOUD"), known)
	h.claim() // whose process is gone
	h.close()
	h.clock.Add(6 * time.Second)
	h.open()
	h.run()
	h.want(id, fabric.Completed, "")
}

// An access token that is no longer taken is refreshed once; where the refreshed
// one is not taken either, or the grant has gone, the task says so.
func TestASearchWithTokensThatAreNotTaken(t *testing.T) {
	t.Parallel()
	t.Run("an ended access token", func(t *testing.T) {
		t.Parallel()
		h := newHunt(t)
		id := h.start(h.authorize("OKTA"), known)
		h.sim.Okta().ExpireAccessTokens()
		retry := h.run()
		h.want(id, fabric.InProgress, fabric.TokenRevoked)
		h.refresh()
		h.clock.Add(retry.After)
		h.run()
		h.want(id, fabric.Completed, "")
	})
	t.Run("the next one too", func(t *testing.T) {
		t.Parallel()
		h := newHunt(t)
		id := h.start(h.authorize("OKTA"), known)
		for range 2 {
			h.sim.Okta().ExpireAccessTokens()
			if retry := h.run(); retry != nil {
				h.refresh()
				h.clock.Add(retry.After)
			}
		}
		h.want(id, fabric.TaskFailed, fabric.TokenRevoked)
	})
	t.Run("no new one comes", func(t *testing.T) {
		t.Parallel()
		h := newHunt(t)
		id, started := h.start(h.authorize("OKTA"), known), h.clock.Now()
		h.sim.Okta().ExpireAccessTokens()
		for retry := h.run(); retry != nil; retry = h.run() {
			h.want(id, fabric.InProgress, fabric.TokenRevoked)
			h.clock.Add(retry.After)
		}
		h.want(id, fabric.Expired, fabric.TokenRevoked)
		if took := h.clock.Now().Sub(started); took != fabric.UserAccessLife {
			t.Errorf("given up after %v", took)
		}
	})
	t.Run("a revoked grant", func(t *testing.T) {
		t.Parallel()
		h := newHunt(t)
		id := h.start(h.authorize("OKTA"), known)
		h.sim.Okta().Revoke()
		retry := h.run()
		h.refresh()
		h.clock.Add(retry.After)
		h.run()
		h.want(id, fabric.TaskFailed, fabric.TokenNotRotated)
	})
	t.Run("a revoked key", func(t *testing.T) {
		t.Parallel()
		h := newHunt(t)
		a := h.authorize("TERRAFORMCLOUD")
		id := h.start(a, known)
		h.sim.TerraformCloud().Revoke()
		h.run()
		h.want(id, fabric.TaskFailed, fabric.TokenRevoked)
		if now, err := h.store.GetAppAuthorization(t.Context(), storetest.Caller(), h.bundle, a.ID); err != nil || now.Status != fabric.Connected {
			t.Errorf("the authorization is %s, %v: it is not the search's to judge", now.Status, err)
		}
	})
}

// While the token endpoint is away no token is refused: the search goes on when it
// is back.
func TestASearchWhileTheTokenEndpointIsAway(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	a := h.authorize("OKTA")
	h.clock.Add(2 * time.Hour) // the access token has ended
	id, back := h.start(a, known), h.clock.Now().Add(3*time.Hour)
	h.inject("OKTA", simulator.Fault{Path: "/oauth2/v1/token", Kind: simulator.Status500})
	for h.clock.Now().Before(back) {
		retry := h.run()
		if retry == nil {
			break
		}
		h.want(id, fabric.InProgress, fabric.TokenRevoked)
		h.refreshFails()
		h.clock.Add(retry.After)
	}
	if now, err := h.store.GetAppAuthorization(t.Context(), storetest.Caller(), h.bundle, a.ID); err != nil || now.Status != fabric.Connected {
		t.Errorf("the authorization is %s, %v", now.Status, err)
	}
	if err := h.sim.ClearFaults("OKTA"); err != nil {
		t.Fatal(err)
	}
	h.clock.Add(time.Hour)
	h.refresh()
	h.run()
	h.want(id, fabric.Completed, "")
}

// The tenant of a task is the one that it was started for.
func TestASearchInATenantThatIsNoLongerTheAuthorizations(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	a := h.authorize("OKTA")
	id := h.start(a, known)
	moved := a
	moved.Tenant.Identifier = "other.okta.com"
	if err := h.store.UpdateAppAuthorization(t.Context(), storetest.Caller(), moved, a.Generation, nil); err != nil {
		t.Fatal(err)
	}
	h.run()
	h.want(id, fabric.TaskFailed, fabric.AuthorizationInvalid)
}

// slow is a session that answers when it is told to.
type slow struct {
	connector.Session

	asked  chan struct{}
	answer chan struct{}
}

func (s *slow) FindUser(ctx context.Context, email string) (connector.User, error) {
	if _, ok := ctx.Deadline(); !ok || email != known {
		return connector.User{}, fmt.Errorf("asked for %s with a deadline: %t", email, ok)
	}
	s.asked <- struct{}{}
	<-s.answer
	return connector.User{ID: "late"}, nil
}

// lending is grants with one session for all.
type lending struct {
	pipeline.Grants

	session connector.Session
}

func (l lending) Session(context.Context, fabric.AppAuthorization) (connector.Session, token.Grant, error) {
	return l.session, token.Grant{Version: 1, Generation: 1}, nil
}

// Two processes may ask at once, when one has stood still for longer than its
// lease: the answer of the one that goes on counts.
func TestASearchByTwoProcesses(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	id := h.start(h.authorize("OKTA"), known)
	s := &slow{asked: make(chan struct{}), answer: make(chan struct{})}
	first := h.claim()
	late := make(chan error)
	go func() { late <- h.dutyWith(lending{session: s}).Run(context.Background(), first) }()
	<-s.asked
	h.clock.Add(6 * time.Second)
	h.run()
	close(s.answer)
	if err := <-late; !errors.Is(err, store.ErrFenced) {
		t.Errorf("the late answer: %v, want ErrFenced", err)
	}
	h.want(id, fabric.Completed, "")
	if _, user := h.read(id); user.Status != "ACTIVE" || len(h.ended) != 1 {
		t.Errorf("found %+v, counted %v", user, h.ended)
	}
}

// cutOff is a session whose caller stops while it waits for an answer.
type cutOff struct {
	connector.Session

	stop context.CancelFunc
}

func (c cutOff) FindUser(context.Context, string) (connector.User, error) {
	c.stop()
	return connector.User{}, &connector.Error{Kind: connector.Unavailable, Op: "app: look up user"}
}

// What a stop cuts off is no failure of the application's.
func TestASearchThatIsStopped(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	id := h.start(h.authorize("OKTA"), known)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := h.dutyWith(lending{session: cutOff{stop: cancel}}).Run(ctx, h.claim())
	if _, again := errors.AsType[*job.Retry](err); again || !errors.Is(err, context.Canceled) {
		t.Errorf("a search that was stopped: %v", err)
	}
	h.want(id, fabric.InProgress, "")
}

// A task that goes with its authorization leaves nothing to do.
func TestASearchWhoseAuthorizationIsDeleted(t *testing.T) {
	t.Parallel()
	h := newHunt(t)
	a := h.authorize("OKTA")
	h.start(a, known)
	c := h.claim()
	if err := h.store.DeleteAppAuthorization(t.Context(), storetest.Caller(), h.bundle, a.ID); err != nil {
		t.Fatal(err)
	}
	if err := h.duty.Run(t.Context(), c); err != nil {
		t.Error(err)
	}
}

func TestTheSweepEndsUserAccessTasks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	row := store.UserAccess{SealedEmail: []byte("sealed"), UserAccessTask: fabric.UserAccessTask{
		ID: uuid.NewString(), BundleID: r.made.Bundle.ID, AuthorizationID: r.made.Authorization.ID, CreatedAt: r.clock(),
	}}
	if _, err := r.store.CreateUserAccessTasks(t.Context(), storetest.Caller(), r.made.Bundle.ID, []store.UserAccess{row}); err != nil {
		t.Fatal(err)
	}
	sweep := func(want string) {
		t.Helper()
		if err := r.sweeper.Run(t.Context(), r.claim(store.DutySweep)); err != nil {
			t.Fatal(err)
		}
		got, err := r.store.UserAccessTasks(t.Context(), storetest.Caller(), r.made.Bundle.ID, []string{row.ID})
		if err != nil || string(got[row.ID].Status) != want {
			t.Errorf("%v: %q, %v; want %q", r.clock(), got[row.ID].Status, err, want)
		}
	}
	r.pass(24*time.Hour + 10*time.Minute)
	sweep("IN_PROGRESS")
	r.pass(time.Minute)
	sweep("EXPIRED")
	r.pass(7 * 24 * time.Hour)
	sweep("EXPIRED")
	r.pass(time.Minute)
	sweep("")
}

// Each failure has one of the documented texts; what may pass is tried again.
func TestWhatAFailureOfASearchMeans(t *testing.T) {
	t.Parallel()
	of := func(k connector.Kind, status int) error {
		return &connector.Error{Kind: k, Op: "app: look up user", Status: status}
	}
	for _, tt := range []struct {
		err   error
		want  fabric.UserAccessError
		final bool
	}{
		{of(connector.Forbidden, http.StatusForbidden), fabric.AppForbids, true},
		{of(connector.Forbidden, http.StatusUnauthorized), fabric.AppForbids, true},
		{of(connector.Forbidden, http.StatusNotFound), fabric.AppForbids, true},
		{of(connector.Forbidden, http.StatusOK), fabric.PermissionsNotFound, true},
		{of(connector.Forbidden, 0), fabric.AuthorizationInvalid, true},
		{of(connector.Throttled, http.StatusTooManyRequests), fabric.AppThrottles, false},
		{of(connector.Throttled, http.StatusServiceUnavailable), fabric.AppThrottles, false},
		{of(connector.Unavailable, http.StatusBadRequest), fabric.AppBadRequest, true},
		{of(connector.Unavailable, http.StatusUnprocessableEntity), fabric.AppBadRequest, true},
		{of(connector.Unavailable, http.StatusRequestTimeout), fabric.AppNotReady, false},
		{of(connector.Unavailable, http.StatusInternalServerError), fabric.AppInternalError, false},
		{of(connector.Unavailable, http.StatusNotImplemented), fabric.AppInternalError, false},
		{of(connector.Unavailable, http.StatusBadGateway), fabric.AppBadGateway, false},
		{of(connector.Unavailable, http.StatusServiceUnavailable), fabric.AppUnavailable, false},
		{of(connector.Unavailable, http.StatusGatewayTimeout), fabric.AppNotReady, false},
		{of(connector.Unavailable, 0), fabric.AppNotReady, false},
		{of(connector.Unavailable, http.StatusOK), fabric.AppNotReady, false},
		{of(connector.Malformed, http.StatusOK), fabric.AppInternalError, false},
		{of(connector.CursorExpired, http.StatusBadRequest), fabric.AppBadRequest, true},
		{errors.New("anything else"), fabric.AppNotReady, false},
	} {
		if why, final := pipeline.Judge(tt.err); why != tt.want || final != tt.final {
			t.Errorf("%v: %s, final %t; want %s, %t", tt.err, why, final, tt.want, tt.final)
		}
	}
}
