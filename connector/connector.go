// Package connector is the contract between Selvedge and the applications
// whose audit logs it collects: what an application is (App), how it is signed
// in to (Auth), what it shows (Stream, Page, Record) and how it fails (Error).
//
// An application is data plus two functions. The data (Auth, Streams) tells the
// engine how to obtain and keep a grant, how wide a window may be and how far
// back the provider remembers; Open gives a Session that makes one call at a
// time and classifies what went wrong; Normalize turns one record into OCSF.
// A session never waits, retries, keeps a cursor or sees a secret: the
// *http.Client in Env is already authorised, paced and guarded.
//
// The suite that every application passes is in connector/connectortest; the
// list of applications is connector/all.
package connector

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"time"

	"selvedge/ocsf"
)

// App describes one application. It is data: no field does I/O, and an App may
// be shared by any number of goroutines.
type App struct {
	Name    string // AppFabric's identifier, such as "OKTA"
	Title   string // the vendor's own name for it, such as "Okta"
	Auth    Auth
	Streams []Stream
	Guide   Guide // for the page of the application

	// Requires names another application: an ingestion of this one needs the
	// same tenant's authorization of that one to be connected as well. Empty:
	// an ingestion needs its own application only.
	Requires string

	// Pace is how fast the provider may be called.
	Pace Pace

	// Open starts a session for one authorization. It does no I/O.
	//
	// Open nil means that the application has no connector yet: then it has
	// no Streams and no Normalize either. It can be authorized but not
	// connected. HasConnector is how to ask.
	Open func(Env) Session

	// Normalize fills e, which the caller has reset, from one record of the
	// named stream, one of Streams. It is pure and total: any bytes give a filled event or an
	// error, never a panic; after an error the caller emits the base event.
	// It keeps no reference to raw beyond the use of e.
	//
	// Normalize nil means that the application has no mapping yet: what is
	// collected from it can be delivered raw only. HasMapping is how to ask.
	Normalize func(stream string, raw []byte, e *ocsf.Event) error
}

// Guide is what the person needs to know who connects an application: plan and
// role as AppFabric's guide of each application has them, see
// https://docs.aws.amazon.com/appfabric/latest/adminguide/supported-applications.html.
// The names of pages and buttons at the provider are unverified.
type Guide struct {
	Plan  string   // the provider's plan that has an audit log
	Role  string   // who sets it up there
	Steps []string // what is to be made at the provider

	Fields Fields // what the provider calls what it is to be given
}

// Fields are the names under which a provider shows what a connection needs.
// Those that are empty have the usual names.
type Fields struct {
	Tenant       string // empty: "Tenant identifier"
	ClientID     string // empty: "Client ID"
	ClientSecret string // empty: "Client secret"
	APIKey       string // empty: "API key"
}

// Named returns f with the usual names where it has none of its own.
func (f Fields) Named() Fields {
	return Fields{
		Tenant: cmp.Or(f.Tenant, "Tenant identifier"), ClientID: cmp.Or(f.ClientID, "Client ID"),
		ClientSecret: cmp.Or(f.ClientSecret, "Client secret"), APIKey: cmp.Or(f.APIKey, "API key"),
	}
}

// Stream is one feed of an application. An application with several feeds has
// a cursor, a ledger of coverage and a duty for each of them.
type Stream struct {
	Name    string
	Scopes  []string // beyond the app's own; where not granted, the stream rests, with a reason
	Arrival bool     // the provider's cursor runs by arrival: nothing is read again
	Newest  bool     // the feed shows its newest record first
	Day     bool     // windows are whole days

	// Shapes tell which records are of this stream, for those that come without
	// its name; see App.StreamOf. An application with one stream needs none.
	Shapes []Shape

	PageMax   int           // most records the provider puts in a page
	Window    time.Duration // widest range that one poll may ask for; zero: any
	Overlap   time.Duration // how far back each live poll reads again
	Retention time.Duration // how long the provider keeps a record; zero: not known
}

// Env is what a session is opened with.
type Env struct {
	Tenant string            // the authorization's tenantIdentifier, as given
	HTTP   *http.Client      // authorised, paced and guarded
	Facts  map[string]string // kept from the token answer and from Connect; read-only
	Now    func() time.Time
	Log    *slog.Logger
}

// Session speaks to one tenant of one application. Its methods are called one
// at a time, and every error that they return is an *Error.
type Session interface {
	// Connect proves that the audit feed can be read and that the grant is
	// this tenant's. The facts are kept with the authorization and are in
	// Env.Facts of every later session.
	Connect(ctx context.Context) (facts map[string]string, err error)

	// Poll reads exactly one page of the stream. It makes as many calls as
	// one page needs and no more.
	Poll(ctx context.Context, stream string, at Cursor) (Page, error)
}

// UserFinder is implemented by sessions whose application can look a user up
// by e-mail address.
type UserFinder interface {
	// FindUser returns ErrNoUser when the tenant has no such user.
	FindUser(ctx context.Context, email string) (User, error)
}

// User is what an application says of one of its users. Empty fields are those
// that the application does not tell.
type User struct {
	ID        string
	Email     string
	FullName  string
	FirstName string
	LastName  string
	Status    string // the application's own word
}

// Cursor is a place in a stream. A fresh cursor has From only; To is zero for
// the live tail and set for a closed window. Token is the provider's own
// continuation, opaque to everything but the session that made it; while it is
// set, it alone decides where reading goes on.
type Cursor struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	Token string    `json:"token,omitempty"`
}

// Page is one answer of a provider.
type Page struct {
	Records []Record
	Next    Cursor // where the next call goes on; of a Done page, where the next poll begins
	Done    bool   // nothing more to read at present
}

// Record is one element of a page, in the provider's own order.
type Record struct {
	ID   string    // the provider's identifier; empty: the record is keyed by its content
	Time time.Time // when the provider says that it happened; zero where it does not say
	Raw  []byte    // the element's own bytes as they stood in the page
}

// HasConnector says whether Open and Streams are there. Without a connector an
// application has a name and a way to sign in, and nothing can be collected
// from it.
func (a App) HasConnector() bool { return a.Open != nil }

// HasMapping says whether records of the application can be made OCSF.
func (a App) HasMapping() bool { return a.Normalize != nil }

// FindsUsers says whether sessions of the application look users up. Of an
// application that Requires another, that one's sessions do: AppFabric searches
// with the base authorization
// (https://docs.aws.amazon.com/appfabric/latest/adminguide/microsoft-365.html, checked 2026-11-22).
func (a App) FindsUsers() bool {
	if !a.HasConnector() || a.Requires != "" {
		return false
	}
	_, ok := a.Open(Env{HTTP: &http.Client{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}).(UserFinder)
	return ok
}

// FindStream returns the stream of that name.
func (a App) FindStream(name string) (Stream, bool) {
	for _, s := range a.Streams {
		if s.Name == name {
			return s, true
		}
	}
	return Stream{}, false
}
