package simulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/simulator"
)

const (
	callback = "http://127.0.0.1:8686/appfabric/oauth2"
	verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	scopes   = "okta.logs.read okta.users.read offline_access"
)

// clock stands still until a test moves it.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is a simulator behind a real listener.
type world struct {
	*simulator.Server
	t     *testing.T
	clock *clock
	url   string
	http  *http.Client
}

func start(t *testing.T, options simulator.Options) *world {
	t.Helper()
	w := &world{t: t, clock: newClock()}
	options.Now = w.clock.Now
	w.Server = simulator.New(options)
	listener := httptest.NewServer(w.Server)
	t.Cleanup(listener.Close)
	w.url, w.http = listener.URL, listener.Client()
	w.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return w
}

// reply is an answer read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the exchange or of reading the body
}

func (w *world) do(method, path, bearer string, form url.Values) reply {
	w.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	target := path
	if strings.HasPrefix(path, "/") {
		target = w.url + path
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, target, body)
	if err != nil {
		w.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	return w.send(req)
}

func (w *world) send(req *http.Request) reply {
	resp, err := w.http.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{status: resp.StatusCode, header: resp.Header, body: string(body), err: err}
}

func (w *world) get(path, bearer string) reply { return w.do(http.MethodGet, path, bearer, nil) }

// authorizeQuery is a good authorize request.
func (w *world) authorizeQuery() url.Values {
	id, _ := w.Okta().Client()
	sum := sha256.Sum256([]byte(verifier))
	return url.Values{
		"client_id": {id}, "redirect_uri": {callback}, "response_type": {"code"}, "response_mode": {"query"},
		"scope": {scopes}, "state": {"state-1"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
}

// code signs in and returns the authorization code.
func (w *world) code(query url.Values) string {
	w.t.Helper()
	back, err := w.Okta().Approve(context.Background(), w.http, w.url+"/oauth2/v1/authorize?"+query.Encode())
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || u.Query().Get("code") == "" {
		w.t.Fatalf("approve ended at %q (%v)", back, err)
	}
	return u.Query().Get("code")
}

func (w *world) codeForm(code string) url.Values {
	id, secret := w.Okta().Client()
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier},
		"client_id": {id}, "client_secret": {secret},
	}
}

func (w *world) refreshForm(token string) url.Values {
	id, secret := w.Okta().Client()
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {id}, "client_secret": {secret}}
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	Type    string `json:"token_type"`
	Scope   string `json:"scope"`
	Expires int    `json:"expires_in"`
}

// token sends a token request that must succeed.
func (w *world) token(form url.Values) tokens {
	w.t.Helper()
	got := w.do(http.MethodPost, "/oauth2/v1/token", "", form)
	if got.status != http.StatusOK {
		w.t.Fatalf("token request: %d %s %v", got.status, got.body, got.err)
	}
	return parse[tokens](w.t, got.body)
}

// connect is the whole sign-in.
func (w *world) connect() tokens {
	w.t.Helper()
	return w.token(w.codeForm(w.code(w.authorizeQuery())))
}

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var out T
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return out
}

// errorID is random, and so cut from bodies before they are compared.
var errorID = regexp.MustCompile(`"errorId":"oae[0-9a-z]{22}"`)

func stable(body string) string { return errorID.ReplaceAllString(body, `"errorId":"oae"`) }

func with(v url.Values, changes ...string) url.Values {
	v = maps.Clone(v)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			v.Del(changes[i])
		} else {
			v.Set(changes[i], changes[i+1])
		}
	}
	return v
}

var nextLink = regexp.MustCompile(`^<([^>]+)>; rel="next"$`)

func next(header http.Header) string {
	for _, link := range header.Values("Link") {
		if found := nextLink.FindStringSubmatch(link); found != nil {
			return found[1]
		}
	}
	return ""
}

func elements(t *testing.T, body string) []string {
	t.Helper()
	out := []string{}
	for _, raw := range parse[[]json.RawMessage](t, body) {
		out = append(out, string(raw))
	}
	return out
}
