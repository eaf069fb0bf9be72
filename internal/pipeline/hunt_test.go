package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/pipeline"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/simulator"
)

// hunt is the search for users in the simulated applications, with real grants,
// a real store, and a clock that tests move by hand.
type hunt struct {
	t      *testing.T
	clock  *clocktest.Clock
	store  *store.Store
	option store.Options
	master secret.Master
	keys   *secret.Keyring
	sim    *simulator.Server
	http   *httptest.Server
	apps   []connector.App
	tokens *token.Manager
	duty   *pipeline.UserAccess
	bundle string

	mu    sync.Mutex
	ended []string
}

// People of both simulated companies, and one of none.
const (
	known   = "zoe.mueller@example.com"
	unknown = "nobody@example.com"
)

func newHunt(t *testing.T) *hunt {
	t.Helper()
	h := &hunt{
		t: t, clock: clocktest.At(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)), bundle: uuid.NewString(),
		apps: []connector.App{okta.App(), terraformcloud.App()},
	}
	h.option = storetest.Options(t, h.clock.Now)
	var err error
	if h.master, err = secret.CreateMaster(filepath.Join(t.TempDir(), "master.key")); err != nil {
		t.Fatal(err)
	}
	h.sim = simulator.New(simulator.Options{Now: h.clock.Now})
	h.http = httptest.NewServer(h.sim)
	t.Cleanup(func() {
		h.http.CloseClientConnections()
		h.http.Close()
	})
	h.open()
	t.Cleanup(h.close)
	c := storetest.Caller()
	key, err := h.keys.NewDataKey(t.Context(), fabric.AppBundle{ID: h.bundle, Account: c.Account, Region: c.Region})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.CreateAppBundle(t.Context(), c, fabric.AppBundle{ID: h.bundle, CreatedAt: h.clock.Now()}, key, store.Terms{}); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hunt) open() {
	h.t.Helper()
	var err error
	if h.store, err = store.Open(context.Background(), h.option); err != nil {
		h.t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	h.keys = secret.NewKeyring(h.master, h.store.DataKey, h.clock.Now)
	h.tokens = token.New(token.Options{
		Store: h.store, Keys: h.keys, Apps: h.apps, Derive: h.master.Derive, PublicURL: "http://127.0.0.1:8686",
		Transport: outbound.New(outbound.Options{Log: log, Origins: []outbound.Origin{
			{From: "https://acme.okta.com", To: h.http.URL}, {From: "https://app.terraform.io", To: h.http.URL},
		}}),
		Now: h.clock.Now, Log: log, Owner: "test", Rand: func() float64 { return 0.5 },
	})
	h.duty = h.dutyWith(h.tokens)
}

func (h *hunt) dutyWith(grants pipeline.Grants) *pipeline.UserAccess {
	return pipeline.NewUserAccess(pipeline.Options{
		Store: h.store, Keys: h.keys, Apps: h.apps, Grants: grants, Now: h.clock.Now, Log: slog.New(slog.DiscardHandler), Wake: func() {},
	}, func(app, outcome string) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.ended = append(h.ended, app+" "+outcome)
	})
}

func (h *hunt) close() {
	if err := errors.Join(h.tokens.Close(context.Background()), h.store.Close()); err != nil {
		h.t.Error(err)
	}
}

// authorize makes a connected authorization.
func (h *hunt) authorize(app string) fabric.AppAuthorization {
	h.t.Helper()
	ctx, c := h.t.Context(), storetest.Caller()
	a := fabric.AppAuthorization{
		ID: uuid.NewString(), BundleID: h.bundle, Account: c.Account, Region: c.Region, App: app,
		Tenant: fabric.Tenant{Identifier: "acme.okta.com", DisplayName: "Acme"}, AuthType: fabric.AuthOAuth2,
		Status: fabric.PendingConnect, Generation: 1, CreatedAt: h.clock.Now(), UpdatedAt: h.clock.Now(),
	}
	id, hush := h.sim.Okta().Client()
	credential := fabric.Credential{ClientID: id, ClientSecret: fabric.Secret(hush)}
	if app == "TERRAFORMCLOUD" {
		a.Tenant.Identifier, a.AuthType = "example-org", fabric.AuthAPIKey
		credential = fabric.Credential{APIKey: fabric.Secret(h.sim.TerraformCloud().Token())}
	}
	sealed, err := h.tokens.Seal(ctx, a, credential)
	if err != nil {
		h.t.Fatal(err)
	}
	if a, err = h.store.CreateAppAuthorization(ctx, c, a, store.Given{Credential: sealed.Credential, Verifier: sealed.Verifier}, store.Terms{}); err != nil {
		h.t.Fatal(err)
	}
	if a, err = h.tokens.Connect(ctx, a, h.consent(a)); err != nil || a.Status != fabric.Connected {
		h.t.Fatal(a.Status, a.Reason, err)
	}
	return a
}

// consent is what a browser comes back with; nil where nobody consents.
func (h *hunt) consent(a fabric.AppAuthorization) *token.AuthRequest {
	h.t.Helper()
	address, err := h.tokens.AuthURL(h.t.Context(), a)
	if err != nil || address == "" {
		return nil
	}
	back, err := h.sim.Okta().Approve(h.t.Context(), h.http.Client(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		h.t.Fatal(err)
	}
	return &token.AuthRequest{RedirectURI: u.Scheme + "://" + u.Host + u.Path, Code: fabric.Secret(u.Query().Get("code"))}
}

// start starts the search for somebody.
func (h *hunt) start(a fabric.AppAuthorization, email string) string {
	h.t.Helper()
	row := store.UserAccess{UserAccessTask: fabric.UserAccessTask{
		ID: uuid.NewString(), BundleID: h.bundle, AuthorizationID: a.ID, Tenant: a.Tenant, CreatedAt: h.clock.Now(),
	}}
	var err error
	if row.SealedEmail, err = h.keys.Seal(h.t.Context(), row.EmailPlace(), []byte(email)); err != nil {
		h.t.Fatal(err)
	}
	made, err := h.store.CreateUserAccessTasks(h.t.Context(), storetest.Caller(), h.bundle, []store.UserAccess{row})
	if err != nil || !made[row.ID] {
		h.t.Fatal(made, err)
	}
	return row.ID
}

func (h *hunt) claim() store.Claim {
	h.t.Helper()
	claims, err := h.store.Claim(h.t.Context(), store.DutyUserAccess, "test", 5*time.Second, 10)
	if err != nil || len(claims) != 1 {
		h.t.Fatalf("Claim = %v, %v; want one", claims, err)
	}
	return claims[0]
}

// run works the one task that is due, ending it as the dispatcher would, and
// returns what the duty asked for.
func (h *hunt) run() *job.Retry {
	h.t.Helper()
	c := h.claim()
	err := h.duty.Run(h.t.Context(), c)
	if err == nil {
		return nil
	}
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok {
		h.t.Fatal(err)
	}
	if strings.Contains(retry.Reason, "@") || retry.Err != nil {
		h.t.Errorf("the log would have %q, %v", retry.Reason, retry.Err)
	}
	if err := h.store.Fail(h.t.Context(), c, h.clock.Now().Add(retry.After), retry.Reason); err != nil {
		h.t.Fatal(err)
	}
	return retry
}

// refresh runs the refresh of a grant if it is due.
func (h *hunt) refresh() {
	h.t.Helper()
	claims, err := h.store.Claim(h.t.Context(), store.DutyRefresh, "test", 5*time.Second, 10)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range claims {
		if err := h.tokens.Refresh(h.t.Context(), c); err != nil {
			h.t.Fatal(err)
		}
	}
}

// refreshFails runs the refresh of a grant if it is due, while the token endpoint
// is away.
func (h *hunt) refreshFails() {
	h.t.Helper()
	claims, err := h.store.Claim(h.t.Context(), store.DutyRefresh, "test", 5*time.Second, 10)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, c := range claims {
		retry, ok := errors.AsType[*job.Retry](h.tokens.Refresh(h.t.Context(), c))
		if !ok {
			h.t.Fatal("a refresh without a token endpoint")
		}
		if err := h.store.Fail(h.t.Context(), c, h.clock.Now().Add(retry.After), retry.Reason); err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *hunt) read(id string) (store.UserAccess, fabric.AccessUser) {
	h.t.Helper()
	row, _, err := h.store.LoadUserAccess(h.t.Context(), id)
	if err != nil {
		h.t.Fatal(err)
	}
	var user fabric.AccessUser
	if len(row.SealedUser) > 0 {
		text, err := h.keys.Open(h.t.Context(), row.UserPlace(), row.SealedUser)
		if err != nil {
			h.t.Fatal(err)
		}
		if err := json.Unmarshal(text, &user); err != nil {
			h.t.Fatal(err)
		}
	}
	return row, user
}

func (h *hunt) want(id string, status fabric.UserAccessStatus, why fabric.UserAccessError) {
	h.t.Helper()
	row, _ := h.read(id)
	if row.Status != status || row.Error != why || row.EndedAt.IsZero() != (status == fabric.InProgress) {
		h.t.Errorf("%s %q, ended %v; want %s %q", row.Status, row.Error, row.EndedAt, status, why)
	}
}

func (h *hunt) inject(app string, f simulator.Fault) {
	h.t.Helper()
	if err := h.sim.Inject(app, f); err != nil {
		h.t.Fatal(err)
	}
}
