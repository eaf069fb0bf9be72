package simulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// consentPage is never changed after start-up.
var consentPage = template.Must(template.New("consent").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{{.App}} (simulated): allow access?</title>
<style>body{font:16px/1.5 sans-serif;max-width:34em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.4em 1.4em;margin-right:1em}</style>
</head><body>
<h1>{{.App}} <small>(simulated)</small></h1>
<p>The application <strong>{{.Client}}</strong> asks for access:</p>
<ul>{{range .Scopes}}<li><code>{{.}}</code></li>{{end}}</ul>
<form method="post" action="{{.Action}}">
<input type="hidden" name="ticket" value="{{.Ticket}}">
<p><label>Signed in as <select name="user">{{range .Users}}<option value="{{.ID}}">{{.Name}}</option>{{end}}</select></label></p>
<p><button name="decision" value="approve">Allow access</button><button name="decision" value="deny">Don't allow</button></p>
</form></body></html>
`))

type consentView struct {
	App, Client, Action, Ticket string
	Scopes                      []string
	Users                       []consentUser
}

type consentUser struct{ ID, Name string }

func (v consentView) answer() answer {
	var page bytes.Buffer
	if err := consentPage.Execute(&page, v); err != nil {
		panic("simulator: " + err.Error()) // a buffer takes everything, and the view has all fields
	}
	return htmlAnswer(http.StatusOK, page.String())
}

// redirectAnswer sends the browser back to the client with values added to the
// redirect address's own query (RFC 6749 section 3.1.2).
func redirectAnswer(target string, values url.Values) answer {
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	ans := htmlAnswer(http.StatusFound, "")
	ans.header.Set("Location", target+separator+values.Encode())
	ans.header.Set("Referrer-Policy", "no-referrer")
	ans.header.Set("Cache-Control", "no-store")
	return ans
}

// redirectAllowed compares whole addresses; with none registered, every loopback
// address will do.
func redirectAllowed(registered []string, target string) bool {
	if len(registered) > 0 {
		for _, r := range registered {
			if r == target {
				return true
			}
		}
		return false
	}
	u, err := url.Parse(target)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Fragment != "" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || ip != nil && ip.IsLoopback()
}

// decide walks the consent page at authorizeURL as a person with a browser does,
// and returns the address that the browser is sent to last, without going there.
// A refusal by redirect is such an address too.
func decide(ctx context.Context, client *http.Client, authorizeURL, decision string) (string, error) {
	browser := *client
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, authorizeURL, nil)
	if err != nil {
		return "", fmt.Errorf("simulator: open consent page: %w", err)
	}
	page, location, err := visit(&browser, req)
	if err != nil || location != "" {
		return location, err
	}
	action, ticket := attribute(page, `<form method="post" action="([^"]*)"`), attribute(page, `name="ticket" value="([^"]*)"`)
	target, err := req.URL.Parse(action)
	if err != nil || ticket == "" {
		return "", errors.New("simulator: the consent page has no form")
	}
	form := url.Values{"ticket": {ticket}, "decision": {decision}}
	req, err = http.NewRequestWithContext(ctx, http.MethodPost, target.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return "", fmt.Errorf("simulator: send consent form: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, location, err = visit(&browser, req)
	if err == nil && location == "" {
		err = errors.New("simulator: the consent form was not answered by a redirect")
	}
	return location, err
}

func visit(browser *http.Client, req *http.Request) (page, location string, err error) {
	resp, err := browser.Do(req)
	if err != nil {
		return "", "", fmt.Errorf("simulator: visit consent page: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxRequestBody))
	if err != nil {
		return "", "", fmt.Errorf("simulator: read consent page: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return string(body), "", nil
	case http.StatusFound:
		return "", resp.Header.Get("Location"), nil
	}
	return "", "", fmt.Errorf("simulator: consent page: status %d: %s", resp.StatusCode, body)
}

func attribute(page, pattern string) string {
	found := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}
