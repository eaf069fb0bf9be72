package token_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"

	"selvedge/connector"
)

// gate stands between this server and a simulated application, and does to
// requests for tokens what the simulator has no fault for.
type gate struct {
	next   http.Handler
	path   string // of the token endpoint
	secret string // of the client

	mu       sync.Mutex
	act      http.HandlerFunc // takes requests for tokens; nil: they pass
	requests int              // that came
	said     string           // the last answer
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != g.path {
		g.next.ServeHTTP(w, r)
		return
	}
	g.mu.Lock()
	act := g.act
	g.requests++
	g.mu.Unlock()
	if act == nil {
		act = g.next.ServeHTTP
	}
	var said bytes.Buffer
	act(&tee{w, &said}, r)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.said = said.String()
}

// tee keeps what is answered.
type tee struct {
	http.ResponseWriter
	body *bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// do has requests for tokens taken by act; nil: they pass again.
func (g *gate) do(act http.HandlerFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.act = act
}

// answer has requests for tokens answered without the provider.
func (g *gate) answer(status int, contentType, body string) {
	g.do(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body) // who asked may have stopped reading
	})
}

// spoil lets requests for tokens arrive with another secret, so that the
// provider refuses them in its own words.
func (g *gate) spoil() {
	g.do(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		text := strings.ReplaceAll(string(body), url.QueryEscape(g.secret), "another")
		text = strings.ReplaceAll(text, g.secret, "another")
		out := r.Clone(r.Context())
		out.Body, out.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
		if id, _, basic := r.BasicAuth(); basic {
			out.SetBasicAuth(id, "another")
		}
		g.next.ServeHTTP(w, out)
	})
}

// narrow lets answers arrive with only the first of the scopes that the
// application asks for.
func (g *gate) narrow(auth connector.Auth) {
	g.do(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		g.next.ServeHTTP(rec, r)
		var doc map[string]any
		if json.Unmarshal(rec.Body.Bytes(), &doc) != nil {
			panic(http.ErrAbortHandler)
		}
		within := doc
		if inner, ok := doc[auth.TokenPath].(map[string]any); ok {
			within = inner
		}
		within["scope"] = auth.Scopes[0]
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(rec.Code)
		_ = json.NewEncoder(w).Encode(doc)
	})
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests
}

func (g *gate) lastSaid() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.said
}
