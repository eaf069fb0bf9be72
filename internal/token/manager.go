package token

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"strings"
	"sync"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// ErrNoGrant is Session's answer for an authorization that has nothing to open
// a session with.
var ErrNoGrant = errors.New("token: the authorization has no grant")

// ErrNoConnector is in the *fabric.Error of whoever connects to an application
// that has no connector yet.
var ErrNoConnector = errors.New("token: the application has no connector")

// callbackPath is where providers send a browser back to, below the public URL.
const callbackPath = "/appfabric/oauth2"

// Options is what a Manager needs. All members are required but Pacer,
// Dir, Rand, Wake and Observe.
type Options struct {
	Store     *store.Store
	Keys      *secret.Keyring
	Apps      []connector.App
	Transport *outbound.Transport
	Pacer     *outbound.Pacer           // of the sessions' calls; nil: nothing holds them back
	Derive    func(label string) []byte // a 32-byte key for each label
	PublicURL string                    // of this server, without a path
	Now       func() time.Time
	Log       *slog.Logger
	Owner     string         // names this replica in leases and lineages
	Dir       string         // keeps sealed answers while the database is away; empty: nothing does
	Rand      func() float64 // of [0,1), for jitter; nil: math/rand
	Wake      func()         // tells the dispatcher to look for due rows; nil: nobody is told

	Observe func(app string, what store.EventKind) // is told what became of grants; nil: nobody is

	step func(name string) error // of tests: called between the steps of custody
}

// Manager keeps the grants of all authorizations. It is safe for concurrent use.
type Manager struct {
	o        Options
	apps     map[string]connector.App
	stateKey []byte
	hashKey  []byte

	alive  context.Context // ends with Close
	cancel context.CancelFunc
	flows  sync.WaitGroup

	rescuing    context.Context // ends when Close begins
	stopRescues context.CancelFunc
	rescues     sync.WaitGroup

	mu      sync.Mutex // of the files with answers, and of closing
	closing bool
}

// New returns a manager. Close ends what it does in the background.
func New(o Options) *Manager {
	if o.Rand == nil {
		o.Rand = rand.Float64
	}
	if o.Wake == nil {
		o.Wake = func() {}
	}
	if o.Observe == nil {
		o.Observe = func(string, store.EventKind) {}
	}
	if o.step == nil {
		o.step = func(string) error { return nil }
	}
	m := &Manager{
		o: o, apps: make(map[string]connector.App, len(o.Apps)),
		stateKey: o.Derive("oauth state"), hashKey: o.Derive("token hash"),
	}
	for _, a := range o.Apps {
		a.Auth.Tenant = a.Auth.Tenant.Compiled()
		m.apps[a.Name] = a
	}
	m.alive, m.cancel = context.WithCancel(context.Background())
	m.rescuing, m.stopRescues = context.WithCancel(m.alive)
	return m
}

// Close waits for connections under way. When ctx ends it cancels them; what
// they were doing is in the journal. Answers in files are left to Replay.
func (m *Manager) Close(ctx context.Context) error {
	m.mu.Lock()
	m.closing = true
	m.mu.Unlock()
	m.stopRescues()
	m.rescues.Wait()
	ended := make(chan struct{})
	go func() {
		m.flows.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		m.cancel()
		return nil
	case <-ctx.Done():
		m.cancel()
		<-ended
		return fmt.Errorf("token: close: %w", ctx.Err())
	}
}

// app returns the application of an authorization, and the variables of its
// tenant's URLs.
func (m *Manager) app(name string) (connector.App, error) {
	app, ok := m.apps[name]
	if !ok {
		return connector.App{}, fmt.Errorf("token: application %q is not known", name)
	}
	return app, nil
}

// Connectable returns the *fabric.Error that refuses to connect to an
// application without a connector, and nil for any other.
func Connectable(app connector.App) error {
	if app.HasConnector() {
		return nil
	}
	e := fabric.Invalid("The application %s cannot be connected yet: this version of the server has no connector for it. "+
		"The app authorization stays as it is.", app.Name)
	e.Err = ErrNoConnector
	return e
}

// place expands a URL template of the application for a tenant.
func place(app connector.App, tenant, template string) (*url.URL, error) {
	vars, err := app.Auth.Tenant.Vars(tenant)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(connector.Expand(template, vars))
	if err != nil {
		return nil, fmt.Errorf("the address of the tenant %q: %w", tenant, err)
	}
	return u, nil
}

func (m *Manager) redirectURI() string {
	return strings.TrimRight(m.o.PublicURL, "/") + callbackPath
}

// hash names a code or token in the journal without telling it.
func (m *Manager) hash(authorizationID, value string) string {
	mac := hmac.New(sha256.New, m.hashKey)
	mac.Write([]byte(authorizationID))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil))
}

// present reads the authorization as it stands.
func (m *Manager) present(ctx context.Context, authorizationID string) (fabric.AppAuthorization, error) {
	g, err := m.o.Store.LoadGrant(ctx, authorizationID)
	return g.Authorization, err
}

// change writes what became of a grant, and counts it.
func (m *Manager) change(ctx context.Context, g store.Grant, c store.Claim, change store.GrantChange) error {
	if err := m.o.Store.ChangeGrant(ctx, c, change); err != nil {
		return err
	}
	if change.Event != nil {
		m.o.Observe(g.Authorization.App, change.Event.Kind)
	}
	return nil
}

func (m *Manager) logger(a fabric.AppAuthorization) *slog.Logger {
	return m.o.Log.With("authorization", a.ID, "app", a.App)
}
