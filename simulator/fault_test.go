package simulator_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"selvedge/simulator"
)

func inject(t *testing.T, w *world, app string, fault simulator.Fault) {
	t.Helper()
	if err := w.Inject(app, fault); err != nil {
		t.Fatal(err)
	}
}

func TestFaultsOfAnAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault  simulator.Fault
		status int
		body   string
		broken bool // the body cannot be read to its end
	}{
		"429":       {simulator.Fault{Kind: simulator.Status429, Delay: 90 * time.Second}, 429, "E0000047", false},
		"500":       {simulator.Fault{Kind: simulator.Status500}, 500, "E0000009", false},
		"html":      {simulator.Fault{Kind: simulator.HTML}, 200, "<html>", false},
		"html 503":  {simulator.Fault{Kind: simulator.HTML, Status: 503}, 503, "<html>", false},
		"truncated": {simulator.Fault{Kind: simulator.Truncate}, 200, "[", true},
		"cursor":    {simulator.Fault{Kind: simulator.ExpiredCursor}, 400, "'after'", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := start(t, simulator.Options{})
			token := w.connect().Access
			if _, err := w.Okta().Emit(20, 0); err != nil {
				t.Fatal(err)
			}
			address := next(w.get("/api/v1/logs?limit=0", token).header)
			address = strings.Replace(address, "limit=0", "limit=20", 1)
			c.fault.Path, c.fault.Times = "/api/v1/logs", 1
			inject(t, w, "OKTA", c.fault)
			got := w.do(http.MethodGet, address, token, nil)
			if got.status != c.status || !strings.Contains(got.body, c.body) || (got.err != nil) != c.broken {
				t.Errorf("%d %s %v", got.status, got.body, got.err)
			}
			if shown := len(w.Okta().Shown()); shown != 0 {
				t.Errorf("%d records count as shown", shown)
			}
			if c.status == 429 {
				if reset := got.header.Get("X-Rate-Limit-Reset"); reset != strconv.FormatInt(w.clock.Now().Add(90*time.Second).Unix(), 10) || got.header.Get("Retry-After") != "" {
					t.Errorf("headers %v", got.header)
				}
			}
			if got = w.do(http.MethodGet, address, token, nil); got.status != http.StatusOK || len(w.Okta().Shown()) != 20 {
				t.Errorf("afterwards: %d, %d shown", got.status, len(w.Okta().Shown()))
			}
		})
	}
}

func TestFaultsOfCredentials(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	got := w.connect()
	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.InvalidGrant, Times: 1})
	if r := w.get("/api/v1/users/me", got.Access); r.status != http.StatusOK {
		t.Errorf("a fault of the token endpoint took an API request: %d", r.status)
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(got.Refresh)); r.status != http.StatusBadRequest || !strings.Contains(r.body, `"error":"invalid_grant"`) {
		t.Errorf("invalid grant: %d %s", r.status, r.body)
	}
	got = w.token(w.refreshForm(got.Refresh)) // its state was kept

	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.ExpiredToken, Times: 1})
	if r := w.get("/api/v1/users/me", got.Access); r.status != http.StatusUnauthorized {
		t.Errorf("expired token: %d", r.status)
	}
	got = w.token(w.refreshForm(got.Refresh))

	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.RevokedGrant, Times: 1})
	if r := w.get("/api/v1/users/me", got.Access); r.status != http.StatusUnauthorized {
		t.Errorf("revoked grant: %d", r.status)
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(got.Refresh)); r.status != http.StatusBadRequest {
		t.Errorf("refresh of a revoked grant: %d %s", r.status, r.body)
	}
}

func TestLostAnswers(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	first := w.connect()
	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.DropRequest, Path: "/oauth2/v1/token", Times: 1})
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); r.err == nil {
		t.Errorf("dropped request answered: %d", r.status)
	}
	second := w.token(w.refreshForm(first.Refresh)) // the request had no effect
	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.DropAnswer, Path: "/oauth2/v1/token", Times: 1})
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(second.Refresh)); r.err == nil {
		t.Errorf("dropped answer came: %d", r.status)
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(second.Refresh)); r.status != http.StatusBadRequest {
		t.Errorf("the dropped answer's request had no effect: %d", r.status)
	}
}

// signals is a log handler that tells when a request has had its effect.
type signals chan struct{}

func (s signals) Enabled(context.Context, slog.Level) bool { return true }
func (s signals) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s signals) WithGroup(string) slog.Handler            { return s }
func (s signals) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "fault" && a.Value.String() != "" {
			s <- struct{}{}
		}
		return true
	})
	return nil
}

func TestSlowToken(t *testing.T) {
	t.Parallel()
	decided := make(signals, 1)
	w := start(t, simulator.Options{Log: slog.New(decided)})
	first := w.connect()
	inject(t, w, "OKTA", simulator.Fault{Kind: simulator.SlowToken, Delay: time.Hour, Times: 1})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/oauth2/v1/token", strings.NewReader(w.refreshForm(first.Refresh).Encode()))
		if err == nil {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			err = w.send(req).err
		}
		done <- err
	}()
	<-decided
	cancel()
	if err := <-done; err == nil {
		t.Error("the answer came at once")
	}
	if r := w.do(http.MethodPost, "/oauth2/v1/token", "", w.refreshForm(first.Refresh)); r.status != http.StatusBadRequest {
		t.Errorf("the request had no effect: %d", r.status)
	}
}

func TestHangEnds(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"client goes away", "fault is cleared"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			decided := make(signals, 1)
			w := start(t, simulator.Options{Log: slog.New(decided)})
			token := w.connect().Access
			inject(t, w, "OKTA", simulator.Fault{Kind: simulator.Hang, Path: "/api/v1/logs"})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url+"/api/v1/logs", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+token)
			done := make(chan reply)
			go func() { done <- w.send(req) }()
			<-decided
			if r := w.get("/api/v1/users/me", token); r.status != http.StatusOK {
				t.Errorf("another path hangs too: %d", r.status)
			}
			if how == "client goes away" {
				cancel()
			} else if err := w.ClearFaults("OKTA"); err != nil {
				t.Fatal(err)
			}
			if r := <-done; how == "client goes away" && r.err == nil {
				t.Error("a hanging request was answered")
			}
		})
	}
}

func TestFaultSchedule(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault simulator.Fault
		want  string // one letter a request: x fails
	}{
		"always":      {simulator.Fault{}, "xxxxxxxxx"},
		"times":       {simulator.Fault{Times: 2}, "xx......."},
		"every":       {simulator.Fault{Every: 3}, "..x..x..x"},
		"every times": {simulator.Fault{Every: 2, Times: 1}, ".x......."},
		"other path":  {simulator.Fault{Path: "/oauth2/"}, "........."},
	} {
		w := start(t, simulator.Options{})
		c.fault.Kind = simulator.Status500
		token := w.connect().Access
		inject(t, w, "OKTA", c.fault)
		got := ""
		for range 9 {
			if w.get("/api/v1/users/me", token).status == http.StatusOK {
				got += "."
			} else {
				got += "x"
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if err := w.ClearFaults("OKTA"); err != nil {
			t.Fatal(err)
		}
		if r := w.get("/api/v1/users/me", token); r.status != http.StatusOK {
			t.Errorf("%s: cleared, and still %d", name, r.status)
		}
	}
}

func TestFaultProbabilityFollowsTheSeed(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) string {
		w := start(t, simulator.Options{Seed: seed})
		token := w.connect().Access
		inject(t, w, "OKTA", simulator.Fault{Kind: simulator.Status500, Probability: 0.5})
		var out strings.Builder
		for range 40 {
			out.WriteString(strconv.Itoa(w.get("/api/v1/users/me", token).status / 100))
		}
		return out.String()
	}
	first, again, other := run(1), run(1), run(2)
	if first != again || first == other || !strings.Contains(first, "2") || !strings.Contains(first, "5") {
		t.Errorf("%s\n%s\n%s", first, again, other)
	}
}

func TestBadFaults(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for _, fault := range []simulator.Fault{{}, {Kind: "404"}, {Kind: simulator.Hang, Times: -1}, {Kind: simulator.Hang, Probability: 2}} {
		if err := w.Inject("OKTA", fault); err == nil {
			t.Errorf("%+v was taken", fault)
		}
	}
	if w.Inject("NOSUCH", simulator.Fault{Kind: simulator.Hang}) == nil || w.ClearFaults("NOSUCH") == nil {
		t.Error("an application that is not there was taken")
	}
}

func TestRouting(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, c := range map[string]struct {
		host, path string
		status     int
		okta       bool
	}{
		"by host":            {"okta.localhost:1", "/api/v2/organizations/x", 404, true},
		"by host, upper":     {"TerraformCloud.localhost", "/api/v1/logs", 404, false},
		"by path, okta":      {"acme.okta.com", "/api/v1/logs", 401, true},
		"by path, terraform": {"app.terraform.io", "/api/v2/organization/audit-trail", 401, false},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = c.host
		got := w.send(req)
		document := parse[map[string]json.RawMessage](t, got.body)
		if _, okta := document["errorCode"]; got.status != c.status || okta != c.okta {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
	if got := w.get("/nowhere", ""); got.status != http.StatusNotFound {
		t.Errorf("nowhere: %d", got.status)
	}
}
