// Command peer is an OAuth 2.0 server that shares no code with Selvedge: ory's
// fosite at the paths of an Okta organisation, and an audit log that stays
// empty. Tests hold token custody against it.
//
// It is strict: PKCE is required, every refresh token is good for one use
// without a time of grace, and one that is sent again ends its whole family
// (RFC 9700, section 4.14.2). Everybody who asks for consent has it.
//
//	peer LIFE DELAY REDIRECT-URI
//
// LIFE is that of access tokens, such as 20s. DELAY passes between what a token
// request changes and its answer. The first line on standard output
// is the address. GET /requests has every request that reached the token
// endpoint, the oldest first, with digests in the place of codes and tokens.
//
// It is a module of its own: what fosite needs is no dependency of Selvedge.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/storage"
	"golang.org/x/crypto/bcrypt"
)

// The client that is registered.
const (
	clientID     = "0oa5peer000000000001"
	clientSecret = "peer-client-secret-of-no-worth"
	hashCost     = 4 // of bcrypt: the server's speed is not what is tested
)

// request is one request of the token endpoint.
type request struct {
	At      time.Time `json:"at"`
	Ended   time.Time `json:"ended"`
	Tenant  string    `json:"tenant"` // host that the request was meant for
	Grant   string    `json:"grant"`
	Sent    string    `json:"sent"`    // digest of the code or refresh token
	Brought string    `json:"brought"` // digest of the refresh token in the answer
	Error   string    `json:"error"`
}

type server struct {
	oauth fosite.OAuth2Provider
	delay time.Duration

	mu       sync.Mutex
	requests []*request
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 4 {
		return errors.New("want three arguments: the life of access tokens, such as 20s, the delay of answers, and the redirect URI")
	}
	life, err := time.ParseDuration(os.Args[1])
	if err != nil {
		return fmt.Errorf("life of access tokens: %w", err)
	}
	delay, err := time.ParseDuration(os.Args[2])
	if err != nil {
		return fmt.Errorf("delay of answers: %w", err)
	}
	s, err := newServer(life, delay, os.Args[3])
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, "http://"+l.Addr().String())
	return http.Serve(l, s.handler())
}

func newServer(life, delay time.Duration, redirect string) (*server, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(clientSecret), hashCost)
	if err != nil {
		return nil, err
	}
	store := storage.NewMemoryStore()
	store.Clients[clientID] = &fosite.DefaultClient{
		ID: clientID, Secret: hash, RedirectURIs: []string{redirect},
		ResponseTypes: []string{"code"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scopes: []string{"okta.logs.read", "okta.users.read", "offline_access"},
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	config := &fosite.Config{
		AccessTokenLifespan: life, RefreshTokenLifespan: time.Hour, AuthorizeCodeLifespan: time.Minute,
		EnforcePKCE: true, GlobalSecret: secret, HashCost: hashCost,
		ScopeStrategy: fosite.ExactScopeStrategy, RefreshTokenScopes: []string{"offline_access"},
	}
	return &server{delay: delay, oauth: compose.Compose(config, store, compose.NewOAuth2HMACStrategy(config),
		compose.OAuth2AuthorizeExplicitFactory, compose.OAuth2RefreshTokenGrantFactory,
		compose.OAuth2PKCEFactory, compose.OAuth2TokenIntrospectionFactory)}, nil
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /oauth2/v1/authorize", s.authorize)
	mux.HandleFunc("POST /oauth2/v1/token", s.token)
	mux.HandleFunc("GET /api/v1/logs", s.logs)
	mux.HandleFunc("GET /requests", s.list)
	return mux
}

// authorize grants whatever is asked for.
func (s *server) authorize(w http.ResponseWriter, r *http.Request) {
	ar, err := s.oauth.NewAuthorizeRequest(r.Context(), r)
	if err != nil {
		s.oauth.WriteAuthorizeError(r.Context(), w, ar, err)
		return
	}
	for _, scope := range ar.GetRequestedScopes() {
		ar.GrantScope(scope)
	}
	response, err := s.oauth.NewAuthorizeResponse(r.Context(), ar, session())
	if err != nil {
		s.oauth.WriteAuthorizeError(r.Context(), w, ar, err)
		return
	}
	s.oauth.WriteAuthorizeResponse(r.Context(), w, ar, response)
}

func session() *fosite.DefaultSession {
	return &fosite.DefaultSession{Subject: "admin", ExpiresAt: map[fosite.TokenType]time.Time{}}
}

// token finishes what it has begun when the client goes away: the token is used
// up whether or not anybody hears the answer.
func (s *server) token(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithoutCancel(r.Context())
	entry := &request{At: time.Now(), Tenant: r.Header.Get("X-Forwarded-Host"), Grant: r.PostFormValue("grant_type")}
	entry.Sent = digest(r.PostFormValue("code") + r.PostFormValue("refresh_token"))
	s.mu.Lock()
	s.requests = append(s.requests, entry)
	s.mu.Unlock()
	answer := httptest.NewRecorder()
	access, err := s.oauth.NewAccessRequest(ctx, r, session())
	var response fosite.AccessResponder
	if err == nil {
		response, err = s.oauth.NewAccessResponse(ctx, access)
	}
	s.mu.Lock()
	entry.Ended = time.Now()
	if err != nil {
		entry.Error = fosite.ErrorToRFC6749Error(err).ErrorField
	} else if token, ok := response.GetExtra("refresh_token").(string); ok {
		entry.Brought = digest(token)
	}
	s.mu.Unlock()
	if err != nil {
		s.oauth.WriteAccessError(ctx, answer, access, err)
	} else {
		s.oauth.WriteAccessResponse(ctx, answer, access, response)
	}
	<-time.After(s.delay)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client may be gone, which is what is tested
}

// logs is an audit log without events.
func (s *server) logs(w http.ResponseWriter, r *http.Request) {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	w.Header().Set("Content-Type", "application/json")
	if _, _, err := s.oauth.IntrospectToken(r.Context(), token, fosite.AccessToken, session(), "okta.logs.read"); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"errorCode":"E0000011","errorSummary":"Invalid token provided"}`))
		return
	}
	w.Header().Set("Link", `<http://`+r.Host+`/api/v1/logs?after=1&sortOrder=ASCENDING&limit=1000>; rel="next"`)
	_, _ = w.Write([]byte("[]"))
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s.requests) // whoever asked may be gone
}

func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
