package token_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/simulator"
)

// suite is a world with one application, at its simulation.
type suite struct {
	*world
	app     connector.App
	account simulator.Account
	gate    *gate
}

// suiteCase is one case of the suite, and which applications it is for.
type suiteCase struct {
	name string
	fits func(connector.App) bool
	run  func(*suite)
}

func anyGrant(connector.App) bool { return true }

func withTokens(a connector.App) bool { return a.Auth.Grant != connector.APIKey }

func withKeyOnly(a connector.App) bool { return a.Auth.Grant == connector.APIKey }

func minting(a connector.App) bool { return withTokens(a) && !consenting(a) }

func consenting(a connector.App) bool { return a.Auth.Grant == connector.AuthorizationCode }

func tellingScopes(a connector.App) bool { return withTokens(a) && a.Auth.ScopesTold }

// provingTenant are those whose grant tells whose it is. Where the host is the
// tenant nothing else can answer, and where the tenant is a label nothing can
// tell.
func provingTenant(a connector.App) bool {
	labels := []string{"DROPBOX", "GOOGLE", "SMARTSHEET"}
	return !strings.Contains(a.Auth.Origin, "{") && !slices.Contains(labels, a.Name)
}

func suiteCases() []suiteCase {
	return []suiteCase{
		{"connect", anyGrant, (*suite).caseConnect},
		{"three_refreshes", withTokens, (*suite).caseThreeRefreshes},
		{"refresh_refused", withTokens, (*suite).caseRefused},
		{"revoked_while_polling", withTokens, (*suite).caseRevoked},
		{"key_withdrawn", withKeyOnly, (*suite).caseKeyWithdrawn},
		{"401_with_a_live_grant", withTokens, (*suite).caseExpired},
		{"rate_limit", withTokens, (*suite).caseRateLimit},
		{"bad_answers", withTokens, (*suite).caseBadAnswers},
		{"clock_ahead", anyGrant, func(s *suite) { s.caseClock(10 * time.Minute) }},
		{"clock_behind", anyGrant, func(s *suite) { s.caseClock(-10 * time.Minute) }},
		{"lost_answer", withTokens, (*suite).caseLostAnswer},
		{"lost_answer_to_the_sign_in", withTokens, (*suite).caseLostSignIn},
		{"two_processes", withTokens, (*suite).caseTwoProcesses},
		{"fewer_scopes", tellingScopes, (*suite).caseFewerScopes},
		{"wrong_credential", anyGrant, (*suite).caseWrongCredential},
		{"wrong_tenant", provingTenant, (*suite).caseWrongTenant},
		{"without_a_request", consenting, (*suite).caseWithoutRequest},
		{"with_a_needless_request", minting, (*suite).caseNeedlessRequest},
	}
}

// TestEveryApplication runs the same cases over every application that has a
// connector, each against its simulation.
func TestEveryApplication(t *testing.T) {
	t.Parallel()
	for _, app := range all.Apps() {
		if !app.HasConnector() {
			continue
		}
		t.Run(app.Name, func(t *testing.T) {
			t.Parallel()
			if _, err := simulator.New(simulator.Options{}).Account(app.Name); err != nil {
				t.Fatalf("there is a connector but no simulator: %v", err)
			}
			for _, c := range suiteCases() {
				if !c.fits(app) {
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					c.run(newSuite(t, app))
				})
			}
		})
	}
}

// newSuite opens a world in which nothing is authorized yet.
func newSuite(t *testing.T, app connector.App) *suite {
	t.Helper()
	s := &suite{world: bare(t, app), app: app}
	s.sim = simulator.New(simulator.Options{Now: s.clock.Now})
	var err error
	if s.account, err = s.sim.Account(app.Name); err != nil {
		t.Fatal(err)
	}
	host, err := s.sim.Host(app.Name)
	if err != nil {
		t.Fatal(err)
	}
	s.gate = &gate{next: s.sim, secret: s.account.ClientSecret}
	if withTokens(app) {
		vars, err := app.Auth.Tenant.Vars(s.account.Tenant)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(connector.Expand(app.Auth.TokenURL, vars))
		if err != nil {
			t.Fatal(err)
		}
		s.gate.path = u.Path
	}
	s.http = httptest.NewServer(s.gate)
	t.Cleanup(s.http.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(s.http.URL, "http://"), ":")
	for _, from := range s.account.Origins {
		s.origin = append(s.origin, outbound.Origin{From: from, To: "http://" + host + ":" + port})
	}
	return s
}

// begin authorizes, with this server's clock wrong by skew.
func (s *suite) begin(skew time.Duration) {
	s.t.Helper()
	s.skew = skew
	s.open()
	s.authorize(s.app.Name, s.account.Tenant, s.credential())
}

func (s *suite) credential() fabric.Credential {
	if withKeyOnly(s.app) {
		return fabric.Credential{APIKey: fabric.Secret(s.account.APIKey)}
	}
	return fabric.Credential{ClientID: s.account.ClientID, ClientSecret: fabric.Secret(s.account.ClientSecret)}
}

// tryConnect connects as the application wants it, and says what became of it.
func (s *suite) tryConnect() (fabric.AppAuthorization, error) {
	s.t.Helper()
	if !s.account.Consent {
		return s.m.Connect(s.t.Context(), s.now(), nil)
	}
	back, err := s.sim.Approve(s.t.Context(), s.app.Name, simulator.Client(), s.authURL())
	if err != nil {
		return s.now(), err
	}
	u, err := url.Parse(back)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.callback(u.Query())
}

func (s *suite) connect() {
	s.t.Helper()
	a, err := s.tryConnect()
	if err != nil {
		s.t.Fatal(err)
	}
	s.want(a, fabric.Connected, "")
}

func (s *suite) connected() {
	s.t.Helper()
	s.begin(0)
	s.connect()
}

// toDue lets time pass until the refresh is due.
func (s *suite) toDue() {
	s.t.Helper()
	due := s.grant().Due
	if due.IsZero() {
		s.t.Fatal("no refresh is due")
	}
	s.clock.Add(due.Sub(s.clockHere()))
}

func (s *suite) mustPoll() {
	s.t.Helper()
	if err := s.poll(); err != nil {
		s.t.Fatalf("a call with the grant in use: %v", err)
	}
}

// retries does the duty, which must be put off without a change of the status.
func (s *suite) retries(what string) *job.Retry {
	s.t.Helper()
	err := s.refresh()
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok || retry.Reason == "" || retry.After <= 0 {
		s.t.Fatalf("%s: Refresh = %v, want a retry with a reason", what, err)
	}
	s.want(s.now(), fabric.Connected, "")
	return retry
}

// injectAtTokens makes the simulator's own token endpoint misbehave.
func (s *suite) injectAtTokens(f simulator.Fault) {
	s.t.Helper()
	f.Path = s.gate.path
	if err := s.sim.Inject(s.app.Name, f); err != nil {
		s.t.Fatal(err)
	}
}

func (s *suite) mendAll() {
	s.t.Helper()
	s.gate.do(nil)
	if err := s.sim.ClearFaults(s.app.Name); err != nil {
		s.t.Fatal(err)
	}
}

// checkWords holds that a status came with what the provider said last.
func (s *suite) checkWords(a fabric.AppAuthorization, status fabric.AuthorizationStatus, prefix string) {
	s.t.Helper()
	said, ok := strings.CutPrefix(a.Reason, prefix)
	code, _, _ := strings.Cut(said, ":")
	if a.Status != status || !ok || code == "" || !strings.Contains(s.gate.lastSaid(), code) {
		s.t.Fatalf("%s, %q; want %s with the words of %s", a.Status, a.Reason, status, s.gate.lastSaid())
	}
}

// checkOrder holds that no refresh token was sent again once its successor had
// been.
func (s *suite) checkOrder() {
	s.t.Helper()
	requests, err := s.sim.TokenRequests(s.app.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	last, over := "", map[string]bool{}
	for _, r := range requests {
		if r.Credential == "" || r.Credential == last {
			continue
		}
		if over[r.Credential] {
			s.t.Error("a code or token was sent again after its successor")
		}
		over[last], last = true, r.Credential
	}
}

// second is another replica on the same database.
func (s *suite) second() *token.Manager {
	m := s.manager("replica-2", slog.New(slog.DiscardHandler))
	s.t.Cleanup(func() {
		if err := m.Close(context.Background()); err != nil {
			s.t.Error(err)
		}
	})
	return m
}

// hold keeps a request for tokens until it is let go on.
func (s *suite) hold() (came <-chan struct{}, letGo func()) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s.gate.do(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-release
		s.gate.next.ServeHTTP(w, r)
	})
	return arrived, func() { close(release) }
}

// claimDue takes what is due of the duty for a replica.
func (s *suite) claimDue(owner string) []store.Claim {
	s.t.Helper()
	claims, err := s.store.Claim(s.t.Context(), store.DutyRefresh, owner, time.Minute, 10)
	if err != nil {
		s.t.Fatal(err)
	}
	return claims
}
