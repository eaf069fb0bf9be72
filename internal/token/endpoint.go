package token

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"selvedge/connector"
	"selvedge/internal/outbound"
)

const (
	maxAnswer    = 1 << 20          // bytes of a token endpoint's answer
	requestTime  = 30 * time.Second // for one request to a token endpoint
	requestGrace = 5 * time.Second  // for one under way when its caller has ended
)

// answer is what came from a token endpoint, before anything is read from it.
type answer struct {
	Status int       `json:"status"`
	Body   []byte    `json:"body"`
	Until  time.Time `json:"until,omitzero"` // when the endpoint wants to be asked again
	At     time.Time `json:"at"`             // when the request was sent
	Again  bool      `json:"again,omitzero"` // the same was sent before, and that answer is missing
}

// call is one request to a token or revocation endpoint.
type call struct {
	app    connector.App
	tenant string
	url    string // template
	client credentials
	form   url.Values
	params map[string]string // templates of further members of the form
}

// codeCall is the exchange of a code (RFC 6749, section 4.1.3).
func codeCall(app connector.App, e exchange) call {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {e.Code}, "redirect_uri": {e.RedirectURI},
	}
	if e.Verifier != "" {
		form.Set("code_verifier", e.Verifier)
	}
	return tokenCall(app, e.Tenant, e.credentials, form)
}

func tokenCall(app connector.App, tenant string, client credentials, form url.Values) call {
	return call{app: app, tenant: tenant, url: app.Auth.TokenURL, client: client, form: form, params: app.Auth.TokenParams}
}

// refreshCall is a refresh (RFC 6749, section 6). No scope is named: then it
// stays what it was.
func refreshCall(app connector.App, t tokens) call {
	return tokenCall(app, t.Tenant, t.credentials, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {t.Refresh}})
}

// errUnsent marks the failure of a request of which nothing left.
var errUnsent = errors.New("the provider was not reached")

// post sends a call once. An error that is errUnsent says that the provider has
// not seen it; after any other error it may have.
func (m *Manager) post(ctx context.Context, c call) (answer, error) {
	ctx, cancel := detach(ctx)
	defer cancel()
	var sent atomic.Bool
	req, err := m.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { sent.Store(true) },
	}), c)
	if err != nil {
		return answer{}, fmt.Errorf("%w: %w", errUnsent, err)
	}
	at := m.o.Now()
	client := m.o.Transport.Client(nil, req.URL, nil)
	// A redirected token request would be sent twice, and what answers one is
	// no token endpoint.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		err = outbound.Redact(err)
		if !sent.Load() {
			return answer{}, fmt.Errorf("%w: %w", errUnsent, err)
		}
		return answer{}, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	err = errors.Join(err, resp.Body.Close())
	switch {
	case err != nil:
		return answer{}, outbound.Redact(err)
	case len(body) > maxAnswer:
		return answer{}, fmt.Errorf("the token endpoint's answer is larger than %d bytes", maxAnswer)
	}
	return answer{Status: resp.StatusCode, Body: body, Until: until(c.app, resp, at), At: at}, nil
}

// detach gives a request a time of its own. The end of the caller leaves it a
// grace: cutting off a request that may use up a token costs the grant.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTime)
	stop := context.AfterFunc(ctx, func() {
		grace := time.NewTimer(requestGrace)
		defer grace.Stop()
		select {
		case <-own.Done():
		case <-grace.C:
			cancel()
		}
	})
	return own, func() {
		stop()
		cancel()
	}
}

func (m *Manager) request(ctx context.Context, c call) (*http.Request, error) {
	u, err := place(c.app, c.tenant, c.url)
	if err != nil {
		return nil, err
	}
	form := maps.Clone(c.form)
	if len(c.params) > 0 {
		vars, err := c.app.Auth.Tenant.Vars(c.tenant)
		if err != nil {
			return nil, err
		}
		for name, template := range c.params {
			form.Set(name, connector.Expand(template, vars))
		}
	}
	if c.app.Auth.ClientAuth == connector.ClientPost {
		form.Set("client_id", c.client.ClientID)
		form.Set("client_secret", c.client.ClientSecret)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // with it net/http could send the body again
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if c.app.Auth.ClientAuth == connector.ClientBasic {
		// RFC 6749, section 2.3.1: both are form-encoded first.
		req.SetBasicAuth(url.QueryEscape(c.client.ClientID), url.QueryEscape(c.client.ClientSecret))
	}
	return req, nil
}

// until is when the endpoint wants to be asked again; zero where it does not say.
// Of a refusal for want of calls left, the header counts that tells in the
// application's feed when there are more: some send no Retry-After, as Okta
// (https://developer.okta.com/docs/reference/rl-best-practices/, checked 2026-11-22).
func until(app connector.App, resp *http.Response, now time.Time) time.Time {
	at, ok := connector.Wait{Header: "Retry-After"}.Until(resp.Header, now)
	if !ok && resp.StatusCode == http.StatusTooManyRequests {
		at, _ = app.Pace.Reset.Until(resp.Header, now)
	}
	return at
}
