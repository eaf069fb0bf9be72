package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// logs is a session whose application has no users to look up; finder's has.
type (
	logs   struct{ connector.Session }
	finder struct{ connector.Session }
)

func (finder) FindUser(context.Context, string) (connector.User, error) { return connector.User{}, nil }

const email = "ada.okafor@example.com"

// bundle makes a bundle of the rig's caller.
func (r *rig) bundle(t *testing.T) fabric.AppBundle {
	t.Helper()
	r.now = r.now.Add(time.Second)
	b, err := r.store.CreateAppBundle(t.Context(), r.caller, fabric.AppBundle{
		ID: uuid.NewString(), Account: r.caller.Account, Region: r.caller.Region, CreatedAt: r.now,
	}, []byte("key"), store.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// authorize makes an authorization with a status, and tokens where it is granted.
func (r *rig) authorize(t *testing.T, b fabric.AppBundle, app, tenant string, status fabric.AuthorizationStatus, granted bool) fabric.AppAuthorization {
	t.Helper()
	r.now = r.now.Add(time.Second)
	a, err := r.store.CreateAppAuthorization(t.Context(), r.caller, fabric.AppAuthorization{
		ID: uuid.NewString(), BundleID: b.ID, App: app, Tenant: fabric.Tenant{Identifier: tenant, DisplayName: "The " + tenant},
		AuthType: fabric.AuthOAuth2, Status: status, Generation: 1, CreatedAt: r.now, UpdatedAt: r.now,
	}, store.Given{Credential: []byte("sealed")}, store.Terms{})
	if err != nil {
		t.Fatal(err)
	}
	if !granted {
		return a
	}
	c, ok, err := r.store.ClaimRow(t.Context(), store.DutyRefresh, a.ID, "test", time.Second)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	err = r.store.ChangeGrant(t.Context(), c, store.GrantChange{
		Swap: &store.TokenSet{Version: 1, Generation: 1, Sealed: []byte("tokens")}, Finish: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (r *rig) start(t *testing.T, bundle string) []fabric.UserAccessTask {
	t.Helper()
	tasks, err := r.StartUserAccessTasks(t.Context(), r.caller, bundle, email)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// One item comes of each authorization whose application has users, in order;
// those that cannot search say why.
func TestWhatATaskIsStartedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.bundle(t)
	if tasks := r.start(t, b.ID); len(tasks) != 0 || r.woken != 0 {
		t.Errorf("an empty bundle: %v, woken %d", tasks, r.woken)
	}
	for _, a := range []struct {
		app, tenant string
		status      fabric.AuthorizationStatus
		granted     bool
	}{
		{"OKTA", "connected", fabric.Connected, true},
		{"OKTA", "never", fabric.PendingConnect, false},
		{"OKTA", "update", fabric.PendingConnect, true},
		{"LOGS", "logs", fabric.Connected, true},
		{"AUDIT", "audit", fabric.PendingConnect, false},
		{"OKTA", "invalid", fabric.ConnectionValidationFailed, true},
		{"NEW", "new", fabric.PendingConnect, false},
		{"OKTA", "ended", fabric.TokenAutoRotationFailed, true},
	} {
		r.authorize(t, b, a.app, a.tenant, a.status, a.granted)
	}
	r.authorize(t, r.bundle(t), "OKTA", "of another bundle", fabric.Connected, true)
	var got []string
	var ids []string
	for _, task := range r.start(t, b.ARN().String()) {
		got = append(got, fmt.Sprint(task.App, " ", task.Tenant.Identifier, " ", task.Error))
		if (task.ID != "") != (task.Error == "") {
			t.Errorf("the task %q has the error %q", task.ID, task.Error)
		}
		if task.ID != "" {
			ids = append(ids, task.ID)
		}
	}
	want := []string{
		"OKTA connected ", "OKTA never AUTHORIZATION_TOKEN_NOT_FOUND", "OKTA update ",
		"OKTA invalid APP_AUTHORIZATION_NOT_VALID", "NEW new AUTHORIZATION_TOKEN_NOT_FOUND",
		"OKTA ended AUTHORIZATION_TOKEN_ROTATION_FAILED",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("items (-want +got):\n%s", d)
	}
	if r.woken != 1 {
		t.Errorf("woken %d times, want once", r.woken)
	}
	tasks, err := r.BatchGetUserAccessTasks(t.Context(), r.caller, b.ID, ids)
	if err != nil || len(tasks) != 2 {
		t.Fatalf("%v, %v", tasks, err)
	}
	first := fabric.UserAccessTask{
		ID: ids[0], BundleID: b.ID, AuthorizationID: tasks[0].AuthorizationID, Account: r.caller.Account, Region: r.caller.Region, App: "OKTA",
		Tenant: fabric.Tenant{Identifier: "connected", DisplayName: "The connected"}, Email: email, Status: fabric.InProgress, CreatedAt: r.now,
	}
	if d := cmp.Diff(first, tasks[0]); d != "" {
		t.Errorf("the first task (-want +got):\n%s", d)
	}
}

// Tasks come in the order in which they are asked for, and all of them or none.
func TestGetUserAccessTasks(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, other := r.bundle(t), r.bundle(t)
	for _, tenant := range []string{"a", "b", "c"} {
		r.authorize(t, b, "OKTA", tenant, fabric.Connected, true)
	}
	r.authorize(t, other, "OKTA", "d", fabric.Connected, true)
	tasks, foreign := r.start(t, b.ID), r.start(t, other.ID)[0].ID
	id := func(i int) string { return tasks[i].ID }

	asked := []string{id(2), id(0), id(2), id(1)}
	got, err := r.BatchGetUserAccessTasks(t.Context(), r.caller, b.ID, asked)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, task := range got {
		order = append(order, task.ID)
	}
	if d := cmp.Diff(asked, order); d != "" {
		t.Errorf("order (-asked +got):\n%s", d)
	}
	for name, tt := range map[string]struct {
		caller  fabric.Caller
		bundle  string
		ids     []string
		kind    fabric.Kind
		missing string
	}{
		"unknown":          {r.caller, b.ID, []string{id(0), nobody}, fabric.KindUserAccessTask, nobody},
		"the first of two": {r.caller, b.ID, []string{foreign, nobody, id(0)}, fabric.KindUserAccessTask, foreign},
		"another bundle":   {r.caller, other.ID, []string{id(0)}, fabric.KindUserAccessTask, id(0)},
		"another account":  {fabric.Caller{Account: "999999999999", Region: r.caller.Region}, b.ID, []string{id(0)}, fabric.KindAppBundle, b.ID},
		"another Region":   {fabric.Caller{Account: r.caller.Account, Region: "eu-west-1"}, b.ID, []string{id(0)}, fabric.KindAppBundle, b.ID},
		"no such bundle":   {r.caller, nobody, []string{id(0)}, fabric.KindAppBundle, nobody},
	} {
		got, err := r.BatchGetUserAccessTasks(t.Context(), tt.caller, tt.bundle, tt.ids)
		if e := fault(t, err); got != nil || e.Kind != fabric.NotFound || e.ResourceType != tt.kind || e.ResourceID != tt.missing {
			t.Errorf("%s: %v, %v; want that the %s %s is missing", name, got, err, tt.kind, tt.missing)
		}
	}
	if _, err := r.StartUserAccessTasks(t.Context(), fabric.Caller{Account: "999999999999", Region: r.caller.Region}, b.ARN().String(), email); fault(t, err).Kind != fabric.Validation {
		t.Errorf("another account's bundle by its ARN: %v", err)
	}
}

// A task ends with the user that was found, which is kept sealed.
func TestAUserThatWasFound(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.bundle(t)
	r.authorize(t, b, "OKTA", "a", fabric.Connected, true)
	task := r.start(t, b.ID)[0]
	claims, err := r.store.Claim(t.Context(), store.DutyUserAccess, "test", time.Minute, 2)
	if err != nil || len(claims) != 1 {
		t.Fatal(claims, err)
	}
	row, _, err := r.store.LoadUserAccess(t.Context(), task.ID)
	if err != nil {
		t.Fatal(err)
	}
	user := fabric.AccessUser{ID: "1", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "ACTIVE"}
	text, err := json.Marshal(user)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys{}.Seal(t.Context(), row.UserPlace(), text)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.store.EndUserAccess(t.Context(), claims[0], fabric.Completed, "", sealed); err != nil {
		t.Fatal(err)
	}
	got, err := r.BatchGetUserAccessTasks(t.Context(), r.caller, b.ID, []string{task.ID})
	if err != nil || got[0].User != user || got[0].Status != fabric.Completed || !got[0].EndedAt.Equal(r.now) {
		t.Errorf("got %+v, %v", got, err)
	}
}
