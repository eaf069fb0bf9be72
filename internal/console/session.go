package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"selvedge/internal/sigv4"
)

// sessionLife is how long a person stays signed in. Nothing prolongs it.
const sessionLife = 12 * time.Hour

// errNoSession says that nobody is signed in, or no longer.
var errNoSession = errors.New("console: nobody is signed in")

// session is who is signed in. It is kept by the browser alone, sealed, so that
// every replica knows it.
type session struct {
	ID      string    `json:"id"` // random, new at each sign-in
	KeyID   string    `json:"key"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Expires time.Time `json:"expires"`

	// Proof shows that the key's secret was known. It ends the session when the
	// key is given another secret; a revoked key is found out by its lookup.
	Proof []byte `json:"proof"`
}

// sessions seals, opens and checks sessions.
type sessions struct {
	seal   cipher.AEAD
	forms  []byte // key of the tokens in forms
	secure bool   // the server is reached by https alone
	now    func() time.Time
	keys   sigv4.Lookup
}

func newSessions(o Options) (sessions, error) {
	block, err := aes.NewCipher(o.Derive("selvedge console session"))
	if err != nil {
		return sessions{}, fmt.Errorf("console: key of sessions: %w", err)
	}
	seal, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sessions{}, fmt.Errorf("console: key of sessions: %w", err)
	}
	return sessions{
		seal: seal, forms: o.Derive("selvedge console form"), secure: strings.HasPrefix(o.PublicURL, "https://"),
		now: o.Now, keys: o.Keys,
	}, nil
}

// begin makes the session of a key whose secret was shown. It has nothing of a
// session that was there before.
func (s sessions) begin(k sigv4.Key, region string) session {
	n := session{ID: rand.Text(), KeyID: k.ID, Account: k.Account, Region: region, Expires: s.now().Add(sessionLife)}
	n.Proof = proof(k, n.ID)
	return n
}

func proof(k sigv4.Key, id string) []byte {
	mac := hmac.New(sha256.New, []byte(k.Secret))
	mac.Write([]byte("selvedge console session\x00" + id))
	return mac.Sum(nil)
}

// of reads the session of a request, and looks its key up: one that was revoked
// is signed out.
func (s sessions) of(r *http.Request) (session, error) {
	cookie, err := r.Cookie(s.cookieName())
	if err != nil {
		return session{}, errNoSession
	}
	sealed, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil {
		return session{}, errNoSession
	}
	plain, err := s.seal.Open(nil, nil, sealed, []byte(s.cookieName()))
	if err != nil {
		return session{}, errNoSession
	}
	var n session
	if err := json.Unmarshal(plain, &n); err != nil || !s.now().Before(n.Expires) {
		return session{}, errNoSession
	}
	k, ok, err := s.keys(r.Context(), n.KeyID)
	if err != nil {
		return session{}, fmt.Errorf("console: look up the key of a session: %w", err)
	}
	if !ok || k.Account != n.Account || !hmac.Equal(n.Proof, proof(k, n.ID)) {
		return session{}, errNoSession
	}
	return n, nil
}

// cookieName has a prefix that browsers take from https alone, where there is
// https (https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie#cookie_prefixes, checked 2026-11-23).
func (s sessions) cookieName() string {
	if s.secure {
		return "__Host-selvedge"
	}
	return "selvedge"
}

// give sends the session to the browser; the zero session takes it away.
func (s sessions) give(w http.ResponseWriter, n session) error {
	cookie := &http.Cookie{ //nolint:gosec // without https a browser would not keep a Secure one
		Name: s.cookieName(), Path: "/", HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode, MaxAge: -1,
	}
	if n.ID != "" {
		plain, err := json.Marshal(n)
		if err != nil {
			return fmt.Errorf("console: session: %w", err)
		}
		cookie.Value = base64.RawURLEncoding.EncodeToString(s.seal.Seal(nil, nil, plain, []byte(cookie.Name)))
		cookie.MaxAge = int(n.Expires.Sub(s.now()).Seconds())
	}
	http.SetCookie(w, cookie)
	return nil
}

// formToken is what every form of the session carries.
func (s sessions) formToken(n session) string {
	mac := hmac.New(sha256.New, s.forms)
	mac.Write([]byte(n.ID))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// checkForm says whether a form was made for the session.
func (s sessions) checkForm(n session, token string) bool {
	return hmac.Equal([]byte(token), []byte(s.formToken(n)))
}
