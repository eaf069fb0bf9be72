package wire_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/connector"
	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/logtest"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/internal/wire"
	"selvedge/ocsf"
)

const (
	region   = "us-east-1"
	accountA = "111111111111"
	accountB = "222222222222"
	keyA     = "AKIDA"
	keyB     = "AKIDB"
)

// who signs a request, and for which Region.
type who struct{ key, region string }

func (w who) secret() string { return "secret of " + w.key }

// clock is a clock that tests set. It goes on by a millisecond whenever it is
// read, so that what is made later sorts later.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// server is the API over a real store, with grants that are made up.
type server struct {
	handler http.Handler
	control *control.Control
	store   *store.Store
	grants  *grants
	clock   *clock
	logs    *logtest.Buffer
	mu      sync.Mutex
	calls   []wire.Call
}

// setting changes how a server is made.
type setting func(*control.Options, *wire.Options)

func newServer(t testing.TB, settings ...setting) *server {
	t.Helper()
	s := &server{clock: &clock{now: time.Now()}, logs: &logtest.Buffer{}}
	s.store = storetest.New(t, s.clock.Now)
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	s.grants = &grants{store: s.store}
	co := control.Options{
		Store: s.store, Apps: apps(), Grants: s.grants, Keys: keys{}, Places: places{},
		Derive: func(label string) []byte { sum := sha256.Sum256([]byte(label)); return sum[:] },
		Now:    s.clock.Now, Log: log, Secrets: keys{},
	}
	wo := wire.Options{
		Verifier: sigv4.New("appfabric", lookup, s.clock.Now), Log: log, Now: s.clock.Now,
		Recorder: func(c wire.Call) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.calls = append(s.calls, c)
		},
	}
	for _, set := range settings {
		set(&co, &wo)
	}
	c, err := control.New(co)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Wait)
	s.control, wo.Control = c, c
	s.handler = wire.New(wo)
	return s
}

func lookup(_ context.Context, id string) (sigv4.Key, bool, error) {
	account := map[string]string{keyA: accountA, keyB: accountB}[id]
	return sigv4.Key{ID: id, Secret: who{key: id}.secret(), Account: account}, account != "", nil
}

func apps() []connector.App {
	open := func(connector.Env) connector.Session { return finder{} }
	normalize := func(string, []byte, *ocsf.Event) error { return nil }
	return []connector.App{
		{Name: "OKTA", Open: open, Normalize: normalize, Streams: []connector.Stream{{Name: "system", Retention: 90 * 24 * time.Hour}}, Auth: connector.Auth{Grant: connector.AuthorizationCode, PKCE: true}},
		{Name: "DROPBOX", Auth: connector.Auth{Grant: connector.AuthorizationCode}},
		{Name: "TERRAFORMCLOUD", Open: open, Normalize: normalize, Streams: []connector.Stream{{Name: "audit"}}, Auth: connector.Auth{Grant: connector.APIKey}},
	}
}

// finder is a session whose application can look users up. It is never asked:
// no duties run.
type finder struct{ connector.Session }

func (finder) FindUser(context.Context, string) (connector.User, error) {
	return connector.User{}, connector.ErrNoUser
}

// client is the real SDK client, connected to the server.
func (s *server) client(t testing.TB, w who) *appfabric.Client {
	t.Helper()
	front := httptest.NewServer(s.handler)
	t.Cleanup(front.Close)
	return sdk(w, front.URL, front.Client())
}

func sdk(w who, url string, c aws.HTTPClient) *appfabric.Client {
	return appfabric.NewFromConfig(aws.Config{
		Region: w.region, BaseEndpoint: aws.String(url), RetryMaxAttempts: 1, HTTPClient: c,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: w.key, SecretAccessKey: w.secret()}, nil
		}),
	})
}

// reply is an answer of the server.
type reply struct {
	status int
	code   string // X-Amzn-Errortype
	header http.Header
	raw    string
	body   map[string]any
}

// fields are the names of fieldList.
func (r reply) fields() []string {
	var names []string
	all, _ := r.body["fieldList"].([]any)
	for _, f := range all {
		names = append(names, f.(map[string]any)["name"].(string))
	}
	return names
}

// line is the status and the name of the exception.
func (r reply) line() string { return fmt.Sprintf("%d %s", r.status, r.code) }

func (r reply) text(name string) string {
	s, _ := r.body[name].(string)
	return s
}

// send signs a request whose target and body are taken as they are.
func (s *server) send(t testing.TB, w who, method, target, body string) reply {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	sign(t, r, w, body, s.clock.Now())
	return s.answer(t, r)
}

func sign(t testing.TB, r *http.Request, w who, body string, now time.Time) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: w.key, SecretAccessKey: w.secret()}
	err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), "appfabric", w.region, now)
	if err != nil {
		t.Fatal(err)
	}
}

// answer serves a request, and checks what holds for every answer.
func (s *server) answer(t testing.TB, r *http.Request) reply {
	t.Helper()
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, r)
	got := reply{status: rec.Code, code: rec.Header().Get("X-Amzn-Errortype"), header: rec.Header(), raw: rec.Body.String()}
	where := fmt.Sprintf("%s %s", r.Method, r.RequestURI)
	if !fabric.IsUUID(got.header.Get("X-Amzn-Requestid")) {
		t.Errorf("%s: X-Amzn-Requestid %q, want a UUID", where, got.header.Get("X-Amzn-Requestid"))
	}
	if got.status == http.StatusNoContent {
		if got.raw != "" {
			t.Errorf("%s: 204 with the body %s", where, got.raw)
		}
		return got
	}
	if ct := got.header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("%s: Content-Type %q", where, ct)
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &got.body); err != nil {
		t.Errorf("%s: %d %q is no JSON object: %v", where, got.status, got.raw, err)
	}
	if (got.status >= 400) != (got.code != "") {
		t.Errorf("%s: status %d with X-Amzn-Errortype %q", where, got.status, got.code)
	}
	if got.status >= 400 && got.text("message") == "" {
		t.Errorf("%s: %d without a message: %s", where, got.status, got.raw)
	}
	return got
}

// grants stands in for the token manager.
type grants struct {
	store   *store.Store
	connect func(a fabric.AppAuthorization) fabric.AuthorizationStatus // nil: Connected
	mu      sync.Mutex
	seals   int
	revoked []string
}

func (g *grants) Seal(_ context.Context, a fabric.AppAuthorization, c fabric.Credential) (token.Sealed, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seals++
	if a.Tenant.Identifier == "panic" {
		panic("the inner text")
	}
	var out token.Sealed
	if c != (fabric.Credential{}) {
		out.Credential = []byte("sealed")
	}
	return out, nil
}

func (g *grants) AuthURL(_ context.Context, a fabric.AppAuthorization) (string, error) {
	if a.AuthType == fabric.AuthAPIKey {
		return "", nil
	}
	return "https://" + a.Tenant.Identifier + "/authorize?redirect_uri=http%3A%2F%2F127.0.0.1%2Fappfabric%2Foauth2&state=1", nil
}

func (g *grants) Connect(ctx context.Context, a fabric.AppAuthorization, r *token.AuthRequest) (fabric.AppAuthorization, error) {
	if a.AuthType == fabric.AuthOAuth2 && r == nil && a.Generation > 1 {
		return a, fabric.InvalidField("authRequest", "is required")
	}
	a.Status = fabric.Connected
	if g.connect != nil {
		a.Status = g.connect(a)
	}
	c := fabric.Caller{Account: a.Account, Region: a.Region}
	return a, g.store.UpdateAppAuthorization(ctx, c, a, a.Generation, nil)
}

func (g *grants) Revoke(_ context.Context, a fabric.AppAuthorization) func(context.Context) {
	return func(context.Context) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.revoked = append(g.revoked, a.ID)
	}
}

type keys struct{}

func (keys) NewDataKey(context.Context, fabric.AppBundle) ([]byte, error) {
	return []byte("wrapped"), nil
}

func (keys) Seal(_ context.Context, c secret.Context, plaintext []byte) ([]byte, error) {
	return []byte(fmt.Sprint(c, " ", string(plaintext))), nil
}

func (keys) Open(_ context.Context, c secret.Context, sealed []byte) ([]byte, error) {
	plaintext, ok := bytes.CutPrefix(sealed, []byte(fmt.Sprint(c, " ")))
	if !ok {
		return nil, fmt.Errorf("sealed for another place than %v", c)
	}
	return plaintext, nil
}

func (keys) ResolveKey(ctx context.Context, b fabric.AppBundle, identifier string) (string, error) {
	return secret.NewKeyring(secret.Master{}, nil, time.Now).ResolveKey(ctx, b, identifier)
}

func (keys) SealServer(_ context.Context, _, _ string, plaintext []byte) ([]byte, error) {
	return plaintext, nil
}

func (keys) OpenServer(_, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

type places struct{}

func (places) Prepare(_ context.Context, _ fabric.Caller, _ fabric.Processing, p fabric.Place) error {
	if p.Bucket == "unusable" {
		return fmt.Errorf("open /secret/path: permission denied")
	}
	return nil
}
