package simulator_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

const asanaLogs = "/api/1.0/workspaces/1201234567890123/audit_log_events"

func TestAsanaPermission(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	service, member := w.Asana().Token(), w.Asana().MemberToken()
	const help = `"help":"For more information on API status codes and how to handle them, read the docs on errors: https://developers.asana.com/docs/errors"`
	said := func(message string) string {
		return `{"errors":[{` + help + `,"message":` + fmt.Sprintf("%q", message) + `}]}`
	}
	check := func(path, token string, status int, body string) {
		t.Helper()
		if got := w.get(path, token); got.status != status || body != "" && got.body != body {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
	}
	check(asanaLogs, "", 401, said("Not Authorized"))
	check(asanaLogs, "x", 401, said("Not Authorized"))
	check(asanaLogs, member, 403, "")
	check("/api/1.0/workspaces/42/audit_log_events", service, 403, said("workspace: Forbidden"))
	check(asanaLogs, service, 200, `{"data":[],"next_page":null}`)
	const fields = "?opt_fields=name,email"
	check("/api/1.0/users/ZOE.mueller@example.com"+fields, member, 200, `{"data":{"email":"zoe.mueller@example.com","gid":"1200000000000002","name":"Zoë Müller"}}`)
	check("/api/1.0/users/1200000000000002?opt_fields=name", service, 200, `{"data":{"gid":"1200000000000002","name":"Zoë Müller"}}`)
	check("/api/1.0/users/me"+fields, member, 200, "")
	check("/api/1.0/users/nobody@example.com", service, 404, said("user: Unknown object: nobody@example.com"))
	check("/api/1.0/users/somebody", service, 400, said(`user: Not an email, GID, or "me": somebody`))
	check("/api/1.0/users/me", "", 401, said("Not Authorized"))
	if got := w.get("/api/1.0/users/lukasz.zak@example.org", service); !strings.Contains(got.body, `"workspaces":[{"gid":"1209999999999999"`) {
		t.Errorf("a person from elsewhere: %s", got.body)
	}
	w.Asana().Revoke()
	check(asanaLogs, service, 401, said("Not Authorized"))
	check(asanaLogs, w.Asana().Token(), 200, "")
	w = start(t, simulator.Options{Asana: simulator.AsanaOptions{NoAudit: true}})
	check(asanaLogs, w.Asana().Token(), 403, "")
}

func TestAsanaLogs(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Asana: simulator.AsanaOptions{CursorLife: time.Hour}})
	token := w.Asana().Token()
	at := func(d time.Duration) string { return w.clock.Now().Add(d).Format("2006-01-02T15:04:05.000Z") }
	put := func(id string, published time.Duration) {
		if err := w.Asana().Add(simulator.Event{Raw: fmt.Appendf(nil, `{"gid":%q,"created_at":%q}`, id, at(published))}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(query url.Values) ([]string, string) {
		t.Helper()
		got := w.get(asanaLogs+"?"+query.Encode(), token)
		if got.status != http.StatusOK {
			t.Fatalf("%v: %d %s", query, got.status, got.body)
		}
		answer := parse[struct {
			Data []struct{ GID string }
			Next *struct{ Offset, Path, URI string } `json:"next_page"`
		}](t, got.body)
		found := []string{}
		for _, e := range answer.Data {
			found = append(found, e.GID)
		}
		if answer.Next == nil {
			return found, ""
		}
		if !strings.HasPrefix(answer.Next.Path, "/workspaces/") || !strings.HasSuffix(answer.Next.URI, answer.Next.Path) {
			t.Errorf("next page: %+v", answer.Next)
		}
		return found, answer.Next.Offset
	}
	query := url.Values{"start_at": {at(-time.Hour)}}
	if got, offset := read(query); len(got) != 0 || offset != "" {
		t.Errorf("nothing matches: %v %q", got, offset)
	}
	put("old", -91*24*time.Hour)
	put("before", -2*time.Hour)
	put("a", -time.Hour)
	put("b", -30*time.Minute)
	if got, _ := read(url.Values{}); !cmp.Equal([]string{"before", "a", "b"}, got) {
		t.Errorf("90 days: %v", got)
	}
	if got, _ := read(with(query, "end_at", at(-30*time.Minute))); !cmp.Equal([]string{"a"}, got) {
		t.Errorf("from start_at up to end_at: %v", got)
	}
	got, offset := read(with(query, "limit", "1"))
	if !cmp.Equal([]string{"a"}, got) || offset == "" {
		t.Errorf("one: %v %q", got, offset)
	}
	got, offset = read(with(query, "offset", offset))
	if !cmp.Equal([]string{"b"}, got) || offset == "" {
		t.Errorf("by offset: %v %q", got, offset)
	}
	got, quiet := read(with(query, "offset", offset))
	if len(got) != 0 || quiet == "" {
		t.Errorf("drained: %v %q", got, quiet)
	}
	w.clock.Advance(time.Minute)
	put("late", -45*time.Minute)
	if got, _ := read(with(query, "offset", quiet)); !cmp.Equal([]string{"late"}, got) {
		t.Errorf("what came later: %v", got)
	}
	for name, query := range map[string]url.Values{
		"no time":       {"start_at": {"yesterday"}},
		"none":          {"limit": {"0"}},
		"too many":      {"limit": {"1001"}},
		"a filter":      {"event_type": {"user_invited"}},
		"no offset":     {"offset": {"x"}},
		"other filters": {"offset": {quiet}},
	} {
		if got := w.get(asanaLogs+"?"+query.Encode(), token); got.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	w.clock.Advance(time.Hour)
	if got := w.get(asanaLogs+"?"+with(query, "offset", quiet).Encode(), token); got.status != http.StatusBadRequest || !strings.Contains(got.body, "offset: Your pagination token has expired.") {
		t.Errorf("an old offset: %d %s", got.status, got.body)
	}
}

func TestAsanaLimits(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Asana: simulator.AsanaOptions{PerMinute: 2}})
	token := w.Asana().Token()
	w.get(asanaLogs, token)
	if got := w.get(asanaLogs, token); got.status != http.StatusOK {
		t.Errorf("%d %v", got.status, got.header)
	}
	w.clock.Advance(30*time.Second + time.Millisecond)
	got := w.get(asanaLogs, token)
	want := `{"errors":[{"message":"You've made too many requests and hit a rate limit. Please retry after the given amount of time."}]}`
	if got.status != http.StatusTooManyRequests || got.body != want || got.header.Get("Retry-After") != "30" {
		t.Errorf("%d %s %v", got.status, got.body, got.header)
	}
	w.clock.Advance(30 * time.Second)
	inject(t, w, "ASANA", simulator.Fault{Kind: simulator.Status500, Times: 1})
	if got := w.get(asanaLogs, token); got.status != http.StatusInternalServerError || got.body != `{"errors":[{"message":"Server Error","phrase":"6 sad squid snuggle softly"}]}` {
		t.Errorf("%d %s", got.status, got.body)
	}
	inject(t, w, "ASANA", simulator.Fault{Kind: simulator.RevokedGrant, Times: 1})
	if got := w.get(asanaLogs, token); got.status != http.StatusUnauthorized {
		t.Errorf("%d %s", got.status, got.body)
	}
}
