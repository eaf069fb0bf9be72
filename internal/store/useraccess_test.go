package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// taskID is a UUID with a number.
func taskID(n int) string { return fmt.Sprintf("70000000-0000-4000-8000-%012d", n) }

// tasked starts n tasks of a new rig's authorization.
func tasked(t *testing.T, s *store.Store, clk *clocktest.Clock, n int) storetest.Rig {
	t.Helper()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	var tasks []store.UserAccess
	for i := range n {
		tasks = append(tasks, task(r.Authorization, i, clk.Now()))
	}
	made, err := s.CreateUserAccessTasks(t.Context(), storetest.Caller(), r.Bundle.ID, tasks)
	if err != nil || len(made) != n {
		t.Fatalf("CreateUserAccessTasks = %v, %v", made, err)
	}
	for id, ok := range made {
		if !ok {
			t.Errorf("%s was not made", id)
		}
	}
	return r
}

func task(a fabric.AppAuthorization, n int, now time.Time) store.UserAccess {
	return store.UserAccess{SealedEmail: []byte("sealed email"), UserAccessTask: fabric.UserAccessTask{
		ID: taskID(n), BundleID: a.BundleID, AuthorizationID: a.ID, Account: a.Account, Region: a.Region,
		App: a.App, Tenant: a.Tenant, Status: fabric.InProgress, CreatedAt: now,
	}}
}

// readTask reads one task as its owner sees it; false: it is not there.
func readTask(t *testing.T, s *store.Store, r storetest.Rig, n int) (store.UserAccess, bool) {
	t.Helper()
	got, err := s.UserAccessTasks(t.Context(), storetest.Caller(), r.Bundle.ID, []string{taskID(n)})
	if err != nil {
		t.Fatal(err)
	}
	row, ok := got[taskID(n)]
	return row, ok
}

func TestAUserAccessTask(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 1)
	want := task(r.Authorization, 0, clk.Now())
	if got, _ := readTask(t, s, r, 0); cmp.Diff(want, got, cmpopts.EquateEmpty()) != "" {
		t.Errorf("a new task (-want +got):\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	c := claimOne(t, s, store.DutyUserAccess)
	got, a, err := s.LoadUserAccess(t.Context(), c.ID)
	if err != nil || a.ID != r.Authorization.ID || a.Status != fabric.Connected || cmp.Diff(want, got, cmpopts.EquateEmpty()) != "" {
		t.Errorf("LoadUserAccess = %+v, %+v, %v", got, a, err)
	}
	if err := s.UserAccessFailed(t.Context(), c, fabric.AppThrottles, 0); err != nil {
		t.Fatal(err)
	}
	clk.Add(time.Second)
	if err := s.EndUserAccess(t.Context(), c, fabric.Completed, "", []byte("sealed user")); err != nil {
		t.Fatal(err)
	}
	want.Status, want.EndedAt, want.SealedUser = fabric.Completed, clk.Now(), []byte("sealed user")
	if got, _ := readTask(t, s, r, 0); cmp.Diff(want, got, cmpopts.EquateEmpty()) != "" {
		t.Errorf("an ended task (-want +got):\n%s", cmp.Diff(want, got, cmpopts.EquateEmpty()))
	}
	clk.Add(time.Hour)
	noClaim(t, s, store.DutyUserAccess)
}

// The time of the first refusal of a grant's version stays until it fails in
// another way, or another version is refused.
func TestHowLongAGrantIsDenied(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 1)
	c := claimOne(t, s, store.DutyUserAccess)
	first := clk.Now()
	for _, step := range []struct {
		denied, want int64
		since        time.Time
	}{
		{3, 3, first}, {3, 3, first}, {4, 4, first.Add(2 * time.Second)},
		{0, 0, first.Add(3 * time.Second)}, {4, 4, first.Add(4 * time.Second)},
	} {
		if err := s.UserAccessFailed(t.Context(), c, fabric.TokenRevoked, step.denied); err != nil {
			t.Fatal(err)
		}
		if got, _ := readTask(t, s, r, 0); got.Denied != step.want || !got.DeniedSince.Equal(step.since) || got.Error != fabric.TokenRevoked {
			t.Errorf("after version %d: %d since %v with %q, want %d since %v", step.denied, got.Denied, got.DeniedSince, got.Error, step.want, step.since)
		}
		clk.Add(time.Second)
	}
}

// What a claim that was overtaken writes is refused.
func TestALateSearchChangesNothing(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 1)
	late := claimOne(t, s, store.DutyUserAccess)
	clk.Add(time.Minute)
	c := claimOne(t, s, store.DutyUserAccess)
	if err := s.EndUserAccess(t.Context(), c, fabric.TaskFailed, fabric.UserNotFound, nil); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"EndUserAccess":    s.EndUserAccess(t.Context(), late, fabric.Completed, "", []byte("sealed user")),
		"UserAccessFailed": s.UserAccessFailed(t.Context(), late, fabric.AppThrottles, 7),
	} {
		if !errors.Is(err, store.ErrFenced) {
			t.Errorf("%s: %v, want ErrFenced", name, err)
		}
	}
	if got, _ := readTask(t, s, r, 0); got.Status != fabric.TaskFailed || got.Error != fabric.UserNotFound || got.Denied != 0 || len(got.SealedUser) != 0 {
		t.Errorf("got %+v", got)
	}
}

// Nobody sees the tasks of another account, Region or bundle.
func TestUserAccessTasksAreTheCallersOwn(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 2)
	own := storetest.Caller()
	for name, tt := range map[string]struct {
		c      fabric.Caller
		bundle string
		want   int
	}{
		"own":     {own, r.Bundle.ID, 2},
		"account": {fabric.Caller{Account: "999999999999", Region: own.Region}, r.Bundle.ID, 0},
		"Region":  {fabric.Caller{Account: own.Account, Region: "eu-west-1"}, r.Bundle.ID, 0},
		"bundle":  {own, taskID(9), 0},
	} {
		got, err := s.UserAccessTasks(t.Context(), tt.c, tt.bundle, []string{taskID(0), taskID(1), taskID(2)})
		if err != nil || len(got) != tt.want {
			t.Errorf("%s: %d tasks, %v; want %d", name, len(got), err, tt.want)
		}
		searchers, err := s.Searchers(t.Context(), tt.c, tt.bundle)
		if err != nil || len(searchers) != min(1, tt.want) {
			t.Errorf("%s: %d searchers, %v", name, len(searchers), err)
		}
		made, err := s.CreateUserAccessTasks(t.Context(), tt.c, tt.bundle, []store.UserAccess{task(r.Authorization, 100+tt.want, clk.Now())})
		if err != nil || made[taskID(100+tt.want)] != (name == "own") {
			t.Errorf("%s: made %v, %v", name, made, err)
		}
	}
}

// Tasks go with their authorization, and with their bundle.
func TestUserAccessTasksGoWithTheirAuthorization(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 3)
	c := claimOneOf(t, s, 3)
	if err := s.DeleteIngestion(t.Context(), storetest.Caller(), r.Bundle.ID, r.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	if err := s.DeleteAppAuthorization(t.Context(), storetest.Caller(), r.Bundle.ID, r.Authorization.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok := readTask(t, s, r, 0); ok {
		t.Error("a task of a deleted authorization is there")
	}
	if _, _, err := s.LoadUserAccess(t.Context(), c.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("LoadUserAccess: %v, want ErrNotFound", err)
	}
	if err := s.EndUserAccess(t.Context(), c, fabric.Completed, "", nil); !errors.Is(err, store.ErrFenced) {
		t.Errorf("EndUserAccess: %v, want ErrFenced", err)
	}
	made, err := s.CreateUserAccessTasks(t.Context(), storetest.Caller(), r.Bundle.ID, []store.UserAccess{task(r.Authorization, 7, clk.Now())})
	if err != nil || made[taskID(7)] {
		t.Errorf("a task of a deleted authorization was made: %v, %v", made, err)
	}
	if err := s.DeleteAppBundle(t.Context(), storetest.Caller(), r.Bundle.ID); err != nil {
		t.Error(err)
	}
}

// claimOneOf claims n tasks and returns one of them.
func claimOneOf(t *testing.T, s *store.Store, n int) store.Claim {
	t.Helper()
	claims, err := s.Claim(t.Context(), store.DutyUserAccess, "me", 5*time.Second, 10)
	if err != nil || len(claims) != n {
		t.Fatalf("%d claims, %v; want %d", len(claims), err, n)
	}
	return claims[0]
}

// Expiry ends what is in progress, worked or parked, and the sweep removes what
// has ended, each by its own time.
func TestUserAccessTasksAreSwept(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := tasked(t, s, clk, 3)
	started := clk.Now()
	claims, err := s.Claim(t.Context(), store.DutyUserAccess, "me", 100*time.Hour, 2)
	if err != nil || len(claims) != 2 {
		t.Fatal(claims, err)
	}
	ended, worked := claims[0], claims[1]
	if err := s.EndUserAccess(t.Context(), ended, fabric.Completed, "", []byte("u")); err != nil {
		t.Fatal(err)
	}
	if err := s.UserAccessFailed(t.Context(), worked, fabric.AppBadGateway, 0); err != nil {
		t.Fatal(err)
	}
	if n, err := s.ExpireUserAccess(t.Context(), started); n != 0 || err != nil {
		t.Errorf("expired %d, %v; want none yet", n, err)
	}
	clk.Add(time.Hour)
	if n, err := s.ExpireUserAccess(t.Context(), started.Add(time.Millisecond)); n != 2 || err != nil {
		t.Errorf("expired %d, %v; want 2", n, err)
	}
	if err := s.EndUserAccess(t.Context(), worked, fabric.Completed, "", nil); !errors.Is(err, store.ErrFenced) {
		t.Errorf("EndUserAccess of an expired task: %v, want ErrFenced", err)
	}
	clk.Add(200 * time.Hour)
	noClaim(t, s, store.DutyUserAccess)
	var got []string
	for n := range 3 {
		row, _ := readTask(t, s, r, n)
		got = append(got, fmt.Sprint(row.Status, row.Error))
	}
	slices.Sort(got)
	if d := cmp.Diff([]string{"COMPLETED", "EXPIRED", "EXPIREDAPPLICATION_BAD_GATEWAY"}, got); d != "" {
		t.Errorf("tasks (-want +got):\n%s", d)
	}
	for _, step := range []struct {
		before time.Time
		want   int64
	}{{started, 0}, {started.Add(time.Hour), 1}, {started.Add(time.Hour + time.Millisecond), 2}} {
		if n, err := s.SweepUserAccess(t.Context(), step.before); n != step.want || err != nil {
			t.Errorf("swept %d, %v; want %d", n, err, step.want)
		}
	}
}
