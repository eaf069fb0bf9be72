// Package control is what each operation of AWS AppFabric does, apart from how
// it comes over the wire: one file for each noun, one method for each
// operation, named as AWS names it. The API (wire) and the console both call
// it.
//
// Every method takes the fabric.Caller and reaches nothing outside of its
// account and Region. Identifiers are taken as they were sent, as UUIDs or as
// ARNs. Inputs are expected to keep the constraints of the service's model,
// which wire checks; what the model cannot say is checked here. Every error
// that a caller can do something about is a *fabric.Error; any other is of the
// server's making and must not be shown.
package control

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"time"

	"selvedge/connector"
	"selvedge/internal/audit"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// Grants keeps the credentials and connections of authorizations.
type Grants interface {
	// Seal encrypts what the authorization's row keeps: the credential, and a
	// new PKCE verifier where the application uses one. Of an empty credential
	// nothing is sealed: the row's own is to be kept.
	Seal(ctx context.Context, a fabric.AppAuthorization, c fabric.Credential) (token.Sealed, error)
	// AuthURL is where a person consents; empty where nobody has to.
	AuthURL(ctx context.Context, a fabric.AppAuthorization) (string, error)
	// Connect tries the authorization, with the code of the request where
	// there is one, and returns it with the status reached. It takes at most
	// 25 seconds.
	Connect(ctx context.Context, a fabric.AppAuthorization, r *token.AuthRequest) (fabric.AppAuthorization, error)
	// Revoke takes what is needed to revoke the grant at the provider and
	// returns the call that does it, for after the row is erased.
	Revoke(ctx context.Context, a fabric.AppAuthorization) func(context.Context)
}

// Keys makes the data keys of bundles, and seals under them.
type Keys interface {
	// ResolveKey returns the ARN of the KMS key that an identifier names, if the
	// bundle's data key can be wrapped under it. Else it answers a *fabric.Error
	// or a *secret.KeyError.
	ResolveKey(ctx context.Context, b fabric.AppBundle, identifier string) (keyARN string, err error)
	// NewDataKey returns a new key, wrapped for the bundle under its own key
	// where it names one.
	NewDataKey(ctx context.Context, b fabric.AppBundle) ([]byte, error)
	// Seal encrypts for a place; Open decrypts what was sealed for the same one.
	Seal(ctx context.Context, c secret.Context, plaintext []byte) ([]byte, error)
	Open(ctx context.Context, c secret.Context, sealed []byte) ([]byte, error)
}

// Places prepares what destinations deliver to.
type Places interface {
	// Prepare says whether what the processing makes can be delivered to the
	// place, in the caller's Region, and makes what is missing where that is the
	// server's to make.
	// A *fabric.Error is shown as it is.
	Prepare(ctx context.Context, caller fabric.Caller, as fabric.Processing, to fabric.Place) error
}

// Quotas limits resources per account and Region, destinations per ingestion.
// Zero: any number.
type Quotas struct {
	Bundles        int
	Authorizations int
	Ingestions     int
	Destinations   int
}

// Options is what Control works with. All but Quotas, Trail and Wake are required;
// Secrets, Rewrap and Root are for the administration alone.
type Options struct {
	Store  *store.Store
	Apps   []connector.App
	Grants Grants
	Keys   Keys
	Places Places
	Derive func(label string) []byte // 32 bytes for each label, the same on every replica
	Now    func() time.Time
	Log    *slog.Logger
	Quotas Quotas
	Trail  *audit.Trail // of API calls; nil: none is kept
	Wake   func()       // tells the dispatcher that something is due

	Secrets ServerSecrets
	Rewrap  Rewrapper
	Root    sigv4.Key // may do everything in its account, and manages the keys of all
}

// Control does the operations. It is safe for concurrent use.
type Control struct {
	store       *store.Store
	apps        map[string]connector.App
	names       []string                      // of the applications, in Apps' order
	unsearched  map[string]bool               // the applications that never find a user
	normalizers map[string]*encode.Normalizer // of the applications that have a mapping
	kept        *encode.Pages
	grants      Grants
	keys        Keys
	places      Places
	pages       cipher.AEAD // seals nextToken
	requestKey  []byte      // for client tokens
	markKey     []byte      // for knowing a credential again
	now         func() time.Time
	log         *slog.Logger
	quotas      Quotas
	trail       *audit.Trail
	wake        func()
	background  sync.WaitGroup
	secrets     ServerSecrets
	rewrap      Rewrapper
	root        sigv4.Key
	keyID       *regexp.Regexp
}

// New makes a Control. It fails when Derive does not give 32 bytes.
func New(o Options) (*Control, error) {
	block, err := aes.NewCipher(o.Derive("selvedge next token"))
	if err != nil {
		return nil, fmt.Errorf("control: key of next tokens: %w", err)
	}
	pages, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("control: key of next tokens: %w", err)
	}
	kept, err := encode.NewPages()
	if err != nil {
		return nil, fmt.Errorf("control: pages: %w", err)
	}
	c := &Control{
		store: o.Store, normalizers: make(map[string]*encode.Normalizer), kept: kept, apps: make(map[string]connector.App, len(o.Apps)), unsearched: make(map[string]bool),
		grants: o.Grants, keys: o.Keys, places: o.Places, pages: pages,
		requestKey: o.Derive("selvedge client token"), markKey: o.Derive("selvedge credential mark"),
		now: func() time.Time { return o.Now().UTC().Truncate(time.Millisecond) },
		log: o.Log, quotas: o.Quotas, trail: o.Trail, wake: o.Wake,
		secrets: o.Secrets, rewrap: o.Rewrap, root: o.Root, keyID: accessKeyID(),
	}
	if c.wake == nil {
		c.wake = func() {}
	}
	for _, app := range o.Apps {
		c.apps[app.Name] = app
		c.names = append(c.names, app.Name)
		if app.HasMapping() {
			c.normalizers[app.Name] = encode.NewNormalizer(app)
		}
		c.unsearched[app.Name] = !app.FindsUsers() && (app.HasConnector() || app.Requires != "")
	}
	return c, nil
}

// Wait returns when the calls that operations left running in the background
// have ended: the revocations of deleted authorizations.
func (c *Control) Wait() { c.background.Wait() }

// Apps returns the names of the applications that can be authorized.
func (c *Control) Apps() []string { return c.names }
