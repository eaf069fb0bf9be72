package console

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/sigv4"
)

// Doer does operations of the API for a person, with all the checks that a
// signed request goes through. It answers the body of the operation's answer; its
// errors are *fabric.Error and can be shown.
type Doer interface {
	Do(ctx context.Context, by fabric.Visitor, operation string, members map[string]any) (json.RawMessage, error)
}

// Options is what the console works with. All are required.
type Options struct {
	API       Doer
	Keys      sigv4.Lookup
	Apps      []connector.App
	Derive    func(label string) []byte // 32 bytes for each label, the same on every replica
	PublicURL string                    // without a slash at the end
	Now       func() time.Time
	Log       *slog.Logger
}

// Console serves the pages below /console/. It is safe for concurrent use.
type Console struct {
	Options
	mux      *http.ServeMux
	pages    map[string]*template.Template
	sessions sessions
	tries    *tries
	streams  *places
	guard    *http.CrossOriginProtection
	ending   chan struct{} // closed by End
	end      func()
}

//go:embed pages/*.html
var pageFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// New makes a Console. It fails when Derive does not give 32 bytes.
func New(o Options) (*Console, error) {
	c := &Console{
		Options: o, mux: http.NewServeMux(), tries: newTries(), streams: newPlaces(),
		guard: http.NewCrossOriginProtection(), ending: make(chan struct{}),
	}
	c.end = sync.OnceFunc(func() { close(c.ending) })
	public, err := url.Parse(o.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("console: public URL: %w", err)
	}
	if err := c.guard.AddTrustedOrigin(public.Scheme + "://" + public.Host); err != nil { // a proxy may pass on another host
		return nil, fmt.Errorf("console: public URL: %w", err)
	}
	if c.sessions, err = newSessions(o); err != nil {
		return nil, err
	}
	if c.pages, err = parsePages(c.functions()); err != nil {
		return nil, fmt.Errorf("console: pages: %w", err)
	}
	for _, route := range routes() {
		c.mux.HandleFunc(route.method+" "+route.pattern, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, route) })
	}
	c.mux.HandleFunc("GET /console/assets/{name}", c.asset)
	c.mux.Handle("GET /console", http.RedirectHandler(home, http.StatusSeeOther))
	c.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c.fail(w, r, nil, &fabric.Error{Kind: fabric.NotFound, Message: "There is no such page."})
	})
	return c, nil
}

// End ends the pages that are kept up to date: a server that stops waits for no
// browser.
func (c *Console) End() { c.end() }

// maxForm is how many bytes a form may have.
const maxForm = 256 << 10

// ServeHTTP answers every path below /console.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header(w.Header())
	if err := c.guard.Check(r); err != nil {
		c.fail(w, r, nil, forged())
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	c.mux.ServeHTTP(w, r)
}

// header forbids a page whatever it does not need: nothing is loaded but our own
// style and script, nothing is sent elsewhere, nobody may frame it.
func header(h http.Header) {
	for name, value := range map[string]string{
		"Cache-Control":   "no-store",
		"Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
		"X-Robots-Tag":                 "noindex",
	} {
		h.Set(name, value)
	}
}

// forged refuses what another site made a browser send.
func forged() error {
	return &fabric.Error{Kind: fabric.AccessDenied, Message: "This form was not sent from a page of this server, or the page is an old one. " +
		"Load the page again and send it from there."}
}

// serve runs one route: for a signed-in person, unless it is open to all.
func (c *Console) serve(w http.ResponseWriter, r *http.Request, route route) {
	v := &visit{Console: c, r: r, w: w, by: fabric.Visitor{SourceIP: r.RemoteAddr, UserAgent: r.UserAgent()}}
	if err := v.enter(route); err != nil {
		if errors.Is(err, errNoSession) && r.Method == http.MethodGet {
			http.Redirect(w, r, signInPath(r.URL), http.StatusSeeOther) //nolint:gosec // its path is fixed
			return
		}
		c.fail(w, r, v, err)
		return
	}
	if route.live && strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		v.stream(route)
		return
	}
	result, err := route.do(v)
	if err != nil {
		c.fail(w, r, v, err)
		return
	}
	if result.to != "" {
		http.Redirect(w, r, result.to, http.StatusSeeOther)
		return
	}
	result.live = route.live
	c.show(w, r, v, result)
}

// statusOf is the one table from kinds of errors to statuses of pages.
func statusOf(k fabric.ErrorKind) (status int, title string) {
	switch k {
	case fabric.Validation:
		return http.StatusBadRequest, "That cannot be done"
	case fabric.NotFound:
		return http.StatusNotFound, "Not found"
	case fabric.Conflict:
		return http.StatusConflict, "Something stands in the way"
	case fabric.QuotaExceeded:
		return http.StatusConflict, "A quota is used up"
	case fabric.Throttled:
		return http.StatusTooManyRequests, "Too many requests"
	case fabric.AccessDenied:
		return http.StatusForbidden, "Not allowed"
	case fabric.Internal:
	}
	return http.StatusInternalServerError, "Something went wrong here"
}

// fail shows an error. Only what is a *fabric.Error is told; the log has the
// rest. v is nil where nobody is known.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	if errors.Is(err, errNoSession) {
		err = &fabric.Error{Kind: fabric.AccessDenied, Message: "You are signed out. Sign in, then send the form again."}
	}
	e, ok := errors.AsType[*fabric.Error](err)
	if !ok {
		c.Log.ErrorContext(r.Context(), "a page failed", "path", r.URL.Path, "error", err)
		e = &fabric.Error{Kind: fabric.Internal, Message: "The server's log says what."}
	}
	status, title := statusOf(e.Kind)
	c.show(w, r, v, page{name: "error", status: status, Title: title, Data: e})
}
