package console

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"

	"selvedge/internal/fabric"
	"selvedge/internal/token"
)

// Connector finishes a connection with what a provider sent the browser back
// with. The token manager is one.
type Connector interface {
	Callback(ctx context.Context, state, code, providerError, description string) (fabric.AppAuthorization, error)
}

// Callback returns the page that providers send a browser back to: GET
// /appfabric/oauth2. It says what became of the connection, and what to do.
func Callback(c Connector, log *slog.Logger) http.Handler {
	page := template.Must(template.New("callback").Parse(callbackPage))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			w.Header().Set("Allow", http.MethodGet)
			show(w, log, page, notice{
				status: http.StatusMethodNotAllowed, Title: "This page is opened by a browser",
				Text: "It takes GET requests only.",
			})
			return
		}
		q := r.URL.Query()
		a, err := c.Callback(r.Context(), q.Get("state"), q.Get("code"), q.Get("error"), q.Get("error_description"))
		if err != nil && kindOf(err) == unexpected {
			log.ErrorContext(r.Context(), "finish a connection", "authorization", a.ID, "error", err)
		}
		show(w, log, page, noticeOf(a, err))
	})
}

// notice is what the page says.
type notice struct {
	status int
	Good   bool
	Title  string
	Text   string // what to do
	Reason string // the provider's words
	App    string
	Tenant string
	Path   string // of the authorization in the console; empty: it is not known
}

type failure int

const (
	none failure = iota
	unknown
	expired
	used
	declined
	invalid
	unsupported
	unexpected
)

func kindOf(err error) failure {
	_, refusal := errors.AsType[*token.Refusal](err)
	fault, isFault := errors.AsType[*fabric.Error](err)
	switch {
	case err == nil:
		return none
	case errors.Is(err, token.ErrState):
		return unknown
	case errors.Is(err, token.ErrStateExpired):
		return expired
	case errors.Is(err, token.ErrStateUsed):
		return used
	case refusal:
		return declined
	case errors.Is(err, token.ErrNoConnector):
		return unsupported
	case isFault && fault.Kind == fabric.Validation:
		return invalid
	}
	return unexpected
}

const again = "Open the authorization's sign-in address (authUrl) again: GetAppAuthorization shows it."

func noticeOf(a fabric.AppAuthorization, err error) notice {
	n := notice{App: a.App, Tenant: a.Tenant.DisplayName}
	if a.ID != "" {
		n.Path = pathOf(a.ARN().String())
	}
	if n.Tenant == "" {
		n.Tenant = a.Tenant.Identifier
	}
	switch kindOf(err) {
	case none:
		return stands(n, a)
	case unknown:
		return notice{
			status: http.StatusBadRequest, Title: "This link is not from here",
			Text: "The address of this page is damaged or was made by another server. " + again,
		}
	case expired:
		n.status, n.Title, n.Text = http.StatusBadRequest, "This sign-in has expired", "It was begun more than 24 hours ago. "+again
	case used:
		n.status, n.Title = http.StatusConflict, "This sign-in has been used"
		n.Text = "It was finished before, or the authorization has been updated since. If it is not connected: " + again
	case declined:
		n.status, n.Title, n.Reason = http.StatusForbidden, "Not connected: the application said no", err.Error()
		n.Text = "Nothing has changed. To try again, with an account that may read the audit log: " + again
	case invalid:
		n.status, n.Title, n.Reason = http.StatusBadRequest, "Not connected", err.Error()
		n.Text = "Correct the authorization with UpdateAppAuthorization. " + again
	case unsupported:
		n.status, n.Title = http.StatusBadRequest, "Not connected: there is no connector yet"
		n.Text = "This version of the server cannot collect from the application. The app authorization stays as it is, and nothing was sent."
	default:
		n.status, n.Title = http.StatusInternalServerError, "Something went wrong here"
		n.Text = "The server's log says what. Load this page again in a minute: it finishes what was begun."
	}
	return n
}

// stands is the notice of how an authorization stands.
func stands(n notice, a fabric.AppAuthorization) notice {
	n.Reason = a.Reason
	switch a.Status {
	case fabric.Connected:
		n.status, n.Good, n.Title, n.Reason = http.StatusOK, true, "Connected", ""
		n.Text = "The audit log can be read. You can close this page."
	case fabric.PendingConnect:
		n.status, n.Title = http.StatusAccepted, "Still connecting"
		n.Text = "The application has not answered yet. This goes on by itself; load this page again to see how it stands."
	case fabric.TokenAutoRotationFailed:
		n.status, n.Title = http.StatusBadGateway, "No longer connected"
		n.Text = "The application ended the connection. " + again
	default:
		n.status, n.Title = http.StatusBadGateway, "Not connected"
		n.Text = "The application did not accept the connection. Mend what it says, then: " + again
	}
	return n
}

func show(w http.ResponseWriter, log *slog.Logger, page *template.Template, n notice) {
	var body bytes.Buffer
	if err := page.Execute(&body, n); err != nil {
		log.Error("render the callback page", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	for name, value := range map[string]string{
		"Content-Type": "text/html; charset=utf-8",
		// The address holds a code: no cache, no history of a proxy and no
		// referrer may keep it.
		"Cache-Control":   "no-store",
		"Referrer-Policy": "no-referrer",
		"Content-Security-Policy": "default-src 'none'; style-src 'sha256-" + styleHash + "'; " +
			"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":     "nosniff",
		"X-Frame-Options":            "DENY",
		"Cross-Origin-Opener-Policy": "same-origin",
		"X-Robots-Tag":               "noindex",
	} {
		w.Header().Set(name, value)
	}
	w.WriteHeader(n.status)
	if _, err := w.Write(body.Bytes()); err != nil {
		log.Debug("the browser went away", "error", err)
	}
}
