package simulator_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"selvedge/simulator"
)

func TestControl(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	send := func(method, path, body string) reply {
		req, err := http.NewRequestWithContext(t.Context(), method, w.url+"/simulator/v1/"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return w.send(req)
	}
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "events", `{"app":"OKTA","count":3,"late":"10m","repeat":1}`, 200, `{"ids":["`},
		{"POST", "events", `{"app":"TERRAFORMCLOUD","count":1}`, 200, `{"ids":["`},
		{"POST", "events", `{"app":"OKTA"}`, 400, `"error"`},
		{"POST", "events", `{"app":"OKTA","count":1,"repeat":2}`, 400, `"error"`},
		{"POST", "events", `{"app":"NOSUCH","count":1}`, 400, `no application is called`},
		{"POST", "events", `{"app":"OKTA","cuont":1}`, 400, `unknown field`},
		{"POST", "events", `[]`, 400, `"error"`},
		{"POST", "trickle", `{"app":"OKTA","every":"1h"}`, 200, `{}`},
		{"POST", "trickle", `{"app":"OKTA","every":"often"}`, 400, `is not a duration`},
		{"POST", "faults", `{"app":"OKTA","fault":{"kind":"500","path":"/api/","times":1}}`, 200, `{}`},
		{"POST", "faults", `{"app":"OKTA","fault":{"kind":"404"}}`, 400, `no fault is called`},
		{"POST", "faults", `{"app":"OKTA","fault":{"kind":"hang","delay":"x"}}`, 400, `is not a duration`},
		{"GET", "shown?app=NOSUCH", "", 400, `no application is called`},
		{"GET", "token-requests?app=TERRAFORMCLOUD", "", 400, `no token endpoint`},
		{"GET", "nothing", "", 404, ""},
	} {
		if got := send(c.method, c.path, c.body); got.status != c.status || !strings.Contains(got.body, c.want) {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, got.status, got.body)
		}
	}
	token := w.connect().Access
	if got := w.get("/api/v1/logs", token); got.status != http.StatusInternalServerError {
		t.Errorf("the fault did not take: %d", got.status)
	}
	send("POST", "faults", `{"app":"OKTA","fault":{"kind":"500"}}`)
	if got := send("DELETE", "faults?app=OKTA", ""); got.status != http.StatusOK {
		t.Errorf("delete faults: %d", got.status)
	}
	if got := w.get("/api/v1/logs", token); got.status != http.StatusOK || len(elements(t, got.body)) != 4 {
		t.Errorf("logs: %d %s", got.status, got.body)
	}
	shown := parse[struct {
		Count   int
		Records []struct {
			ID  string
			Raw []byte
		}
	}](t, send("GET", "shown?app=OKTA", "").body)
	if shown.Count != 3 || len(shown.Records) != 3 || !bytes.Equal(shown.Records[0].Raw, w.Okta().All()[shown.Records[0].ID]) {
		t.Errorf("shown: %+v", shown)
	}
	if got := send("GET", "all?app=TERRAFORMCLOUD", ""); !strings.HasPrefix(got.body, `{"count":1,`) {
		t.Errorf("all: %s", got.body)
	}
	requests := parse[struct{ Requests []simulator.TokenRequest }](t, send("GET", "token-requests?app=OKTA", "").body)
	if len(requests.Requests) != 1 || requests.Requests[0].Grant != "authorization_code" || !requests.Requests[0].Answered {
		t.Errorf("token requests: %+v", requests)
	}
	if got := send("POST", "revoke", `{"app":"OKTA"}`); got.status != http.StatusOK {
		t.Errorf("revoke: %d", got.status)
	}
	if got := w.get("/api/v1/logs", token); got.status != http.StatusUnauthorized {
		t.Errorf("after revoke: %d", got.status)
	}
}
