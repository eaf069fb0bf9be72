package wire_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

const (
	email     = "ada.okafor@example.com"
	terraform = `{"app":"TERRAFORMCLOUD","authType":"apiKey","tenant":{"tenantIdentifier":"example-org","tenantDisplayName":"Example"},"credential":{"apiKeyCredential":{"apiKey":"hush"}}}`
)

// searched starts tasks in a bundle with a connected and an unconnected
// authorization, and returns the bundle and the task.
func (s *server) searched(t *testing.T, w who) (bundle, task string) {
	t.Helper()
	f := s.furnish(t, w)
	s.mustSend(t, 201, w, "POST", "/appbundles/"+f.bundle+"/appauthorizations", terraform)
	r := s.mustSend(t, 201, w, "POST", "/useraccess/start", fmt.Sprintf(`{"appBundleIdentifier":%q,"email":%q}`, f.bundleARN, email))
	items := r.body["userAccessTasksList"].([]any)
	task, _ = items[0].(map[string]any)["taskId"].(string)
	want := []any{
		map[string]any{"app": "OKTA", "tenantId": "acme.okta.com", "taskId": task},
		map[string]any{"app": "TERRAFORMCLOUD", "tenantId": "example-org", "error": map[string]any{
			"errorCode":    "AUTHORIZATION_TOKEN_NOT_FOUND",
			"errorMessage": "An authorization token was not found. Connect the app authorization for the application.",
		}},
	}
	if d := cmp.Diff(want, items); d != "" || !fabric.IsUUID(task) {
		t.Errorf("items (-want +got):\n%s", d)
	}
	return f.bundle, task
}

// What is said of a task as it goes on: members without a value are absent, and
// an error is told when the task has ended.
func TestUserAccessResults(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	bundle, task := s.searched(t, w)
	get := func() map[string]any {
		t.Helper()
		r := s.mustSend(t, 200, w, "POST", "/useraccess/batchget", fmt.Sprintf(`{"appBundleIdentifier":%q,"taskIdList":[%q]}`, bundle, task))
		return r.body["userAccessResultsList"].([]any)[0].(map[string]any)
	}
	check := func(status string, more map[string]any) {
		t.Helper()
		want := map[string]any{
			"app": "OKTA", "tenantId": "acme.okta.com", "tenantDisplayName": "Acme", "taskId": task, "resultStatus": status, "email": email,
		}
		for name, v := range more {
			want[name] = v
		}
		if d := cmp.Diff(want, get()); d != "" {
			t.Errorf("%s (-want +got):\n%s", status, d)
		}
	}
	check("IN_PROGRESS", nil)
	claim := func() store.Claim {
		t.Helper()
		claims, err := s.store.Claim(t.Context(), store.DutyUserAccess, "test", time.Hour, 1)
		if err != nil || len(claims) != 1 {
			t.Fatal(claims, err)
		}
		return claims[0]
	}
	c := claim()
	if err := s.store.UserAccessFailed(t.Context(), c, fabric.AppThrottles, 0); err != nil {
		t.Fatal(err)
	}
	check("IN_PROGRESS", nil)
	row, _, err := s.store.LoadUserAccess(t.Context(), task)
	if err != nil {
		t.Fatal(err)
	}
	user, err := json.Marshal(fabric.AccessUser{ID: "1", FullName: "Ada Okafor", FirstName: "Ada", LastName: "Okafor", Status: "ACTIVE"})
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys{}.Seal(t.Context(), row.UserPlace(), user)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.EndUserAccess(t.Context(), c, fabric.Completed, "", sealed); err != nil {
		t.Fatal(err)
	}
	check("COMPLETED", map[string]any{
		"userId": "1", "userFullName": "Ada Okafor", "userFirstName": "Ada", "userLastName": "Okafor", "userStatus": "ACTIVE",
	})
	for _, end := range []struct {
		status fabric.UserAccessStatus
		why    fabric.UserAccessError
		text   string
	}{
		{fabric.TaskFailed, fabric.UserNotFound, "The user not found"},
		{fabric.Expired, fabric.AppBadGateway, "Application encountered a bad gateway error"},
	} {
		r := s.mustSend(t, 201, w, "POST", "/useraccess/start", fmt.Sprintf(`{"appBundleIdentifier":%q,"email":%q}`, bundle, email))
		task = r.body["userAccessTasksList"].([]any)[0].(map[string]any)["taskId"].(string)
		if err := s.store.EndUserAccess(t.Context(), claim(), end.status, end.why, nil); err != nil {
			t.Fatal(err)
		}
		check(string(end.status), map[string]any{"taskError": map[string]any{"errorCode": string(end.why), "errorMessage": end.text}})
	}
	s.checkUnrecorded(t)
}

// checkUnrecorded looks for people in what the trail is told.
func (s *server) checkUnrecorded(t *testing.T) {
	t.Helper()
	told, err := json.Marshal(s.calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{email, "Okafor", "Ada"} {
		if strings.Contains(string(told)+s.logs.String(), secret) {
			t.Errorf("the trail or the log has %q", secret)
		}
	}
	if !strings.Contains(string(told), "resultStatus") {
		t.Error("the trail has nothing of the results")
	}
}

// Another account, Region or bundle has no way to a task, not even with its id.
func TestUserAccessTasksAreIsolated(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	bundle, task := s.searched(t, who{keyA, region})
	for name, w := range map[string]who{"another account": {keyB, region}, "another Region": {keyA, "eu-west-1"}, "another bundle": {keyA, region}} {
		own, _ := s.searched(t, w)
		r := s.send(t, w, "POST", "/useraccess/batchget", fmt.Sprintf(`{"appBundleIdentifier":%q,"taskIdList":[%q]}`, own, task))
		if r.line() != "404 ResourceNotFoundException" || r.text("resourceId") != task || r.text("resourceType") != "UserAccessTask" {
			t.Errorf("%s: %s %s", name, r.line(), r.raw)
		}
		if name == "another bundle" {
			continue
		}
		for _, call := range []string{"start", "batchget"} {
			r := s.send(t, w, "POST", "/useraccess/"+call, fmt.Sprintf(`{"appBundleIdentifier":%q,"email":%q,"taskIdList":[%q]}`, bundle, email, task))
			if r.line() != "404 ResourceNotFoundException" || r.text("resourceType") != "AppBundle" {
				t.Errorf("%s: %s: %s %s", name, call, r.line(), r.raw)
			}
		}
	}
}
