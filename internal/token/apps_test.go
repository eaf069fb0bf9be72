package token_test

import (
	"context"
	"errors"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/fabric"
	"selvedge/internal/token"
)

// The flag of golden files.
var update = flag.Bool("update", false, "rewrite the golden files")

func credentialOf(app connector.App) fabric.Credential {
	if app.Auth.Type() == fabric.AuthAPIKey {
		return fabric.Credential{APIKey: "canary key"}
	}
	return fabric.Credential{ClientID: "the client/1", ClientSecret: "canary secret"}
}

// of is a world with an authorization of the application.
func of(t *testing.T, app connector.App) *world {
	t.Helper()
	w := bare(t, app)
	w.open()
	w.authorize(app.Name, app.Auth.Tenant.Example, credentialOf(app))
	return w
}

// Where a person consents, for each application: by whoever looks at the golden
// file and at the provider's documentation.
func TestAuthURLOfEachApplication(t *testing.T) {
	t.Parallel()
	var got strings.Builder
	for _, app := range all.Apps() {
		w := of(t, app)
		raw := w.authURL()
		got.WriteString(app.Name + " " + describe(t, raw) + "\n")
		if (raw != "") != (app.Auth.Grant == connector.AuthorizationCode) {
			t.Errorf("%s: authUrl %q with the grant %d", app.Name, raw, app.Auth.Grant)
		}
		if raw == "" {
			continue
		}
		if app.Auth.PKCE != strings.Contains(raw, "&code_challenge=") {
			t.Errorf("%s: PKCE is %t in %s", app.Name, app.Auth.PKCE, raw)
		}
		w.checkStable(app, raw)
	}
	path := filepath.Join("testdata", "authurl.golden")
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("%s differs; -update rewrites it:\n%s", path, d)
	}
}

// checkStable holds what Terraform's provider compares: all that stands before
// the first "oauth2" is the same in each reading, whatever was updated between
// them.
func (w *world) checkStable(app connector.App, first string) {
	w.t.Helper()
	w.clock.Add(time.Hour)
	w.restart()
	w.update(fabric.Credential{ClientID: "another", ClientSecret: "canary secret"})
	second := w.authURL()
	before, _, found := strings.Cut(first, "oauth2")
	if !found || !strings.HasPrefix(second, before+"oauth2") || first == second {
		w.t.Errorf("%s: not the same up to oauth2:\n%s\n%s", app.Name, first, second)
	}
	if strings.Contains(first, "canary") {
		w.t.Errorf("%s: a secret is in %s", app.Name, first)
	}
}

// describe takes an authorize URL apart; what differs from run to run is left
// out.
func describe(t *testing.T, raw string) string {
	t.Helper()
	if raw == "" {
		return "has none"
	}
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	out := u.Scheme + "://" + u.Host + u.EscapedPath() + "\n"
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(value); err != nil { // no + for a space
			t.Fatal(err)
		}
		if name == "state" || name == "code_challenge" {
			value = "..."
		}
		out += "\t" + name + " = " + value + "\n"
	}
	return out
}

// What has no connector is not connected: neither by the API nor by a browser
// that comes back, and neither uses anything up.
func TestNoConnector(t *testing.T) {
	t.Parallel()
	for _, app := range all.Apps() {
		if app.HasConnector() {
			continue
		}
		t.Run(app.Name, func(t *testing.T) {
			t.Parallel()
			w := of(t, app)
			before := w.grant()
			request := &token.AuthRequest{RedirectURI: publicURL + "/appfabric/oauth2", Code: "canary code"}
			for name, req := range map[string]*token.AuthRequest{"without a request": nil, "with a request": request} {
				_, err := w.m.Connect(t.Context(), w.a, req)
				checkNoConnector(t, app, name, err)
			}
			if raw := w.authURL(); raw != "" {
				u, err := url.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				state := u.Query().Get("state")
				for _, q := range []url.Values{
					{"state": {state}, "code": {"canary code"}}, {"state": {state}, "code": {"canary code"}},
					{"state": {state}, "error": {"access_denied"}},
				} {
					a, err := w.callback(q)
					checkNoConnector(t, app, "callback", err)
					if a.ID != w.a.ID {
						t.Error("the callback does not say what it is about")
					}
				}
				if _, err := w.callback(url.Values{"state": {state + "x"}, "code": {"c"}}); !errors.Is(err, token.ErrState) {
					t.Errorf("a state that is not ours: %v", err)
				}
			}
			if d := cmp.Diff(before, w.grant()); d != "" {
				t.Errorf("the grant has changed:\n%s", d)
			}
			if kinds := w.lineage(); len(kinds) != 0 {
				t.Errorf("the lineage has %v", kinds)
			}
			if strings.Contains(w.log.String(), "panic") || strings.Contains(w.log.String(), "canary") {
				t.Errorf("the log: %s", w.log)
			}
		})
	}
}

func checkNoConnector(t *testing.T, app connector.App, what string, err error) {
	t.Helper()
	fault, ok := errors.AsType[*fabric.Error](err)
	if !ok || fault.Kind != fabric.Validation || fault.Reason != fabric.ReasonOther || !errors.Is(err, token.ErrNoConnector) ||
		!strings.Contains(fault.Message, app.Name) {
		t.Errorf("%s: %v, want a validation error that names %s", what, err, app.Name)
	}
}

// An authorization that was connected by a server that had the connector has no
// session on one that has not.
func TestNoConnectorAnyMore(t *testing.T) {
	t.Parallel()
	w := bare(t, connector.App{
		Name: "TERRAFORMCLOUD", Auth: terraformcloud.App().Auth,
		Open: func(connector.Env) connector.Session { return agreeable{} },
	})
	w.open()
	w.authorize("TERRAFORMCLOUD", "acme", fabric.Credential{APIKey: "key"})
	a, err := w.m.Connect(t.Context(), w.a, nil)
	if err != nil {
		t.Fatal(err)
	}
	w.want(a, fabric.Connected, "")
	w.apps[0].Open = nil
	w.restart()
	if s, _, err := w.m.Session(t.Context(), w.a); s != nil || !errors.Is(err, token.ErrNoConnector) {
		t.Errorf("a session %v, %v", s, err)
	}
}

// agreeable is the session of a provider that accepts everything.
type agreeable struct{}

func (agreeable) Connect(context.Context) (map[string]string, error) { return nil, nil }

func (agreeable) Poll(context.Context, string, connector.Cursor) (connector.Page, error) {
	return connector.Page{Done: true}, nil
}
