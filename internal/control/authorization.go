package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// updateTries is how often an update is begun again because another one came
// in between.
const updateTries = 5

// CreateAppAuthorizationInput is what CreateAppAuthorization takes.
type CreateAppAuthorizationInput struct {
	Bundle      string
	App         string
	Credential  fabric.Credential
	Tenant      fabric.Tenant
	AuthType    fabric.AuthType
	ClientToken string
	Tags        []fabric.Tag
}

// UpdateAppAuthorizationInput is what UpdateAppAuthorization takes. A nil
// member stays as it is.
type UpdateAppAuthorizationInput struct {
	Bundle        string
	Authorization string
	Credential    *fabric.Credential
	Tenant        *fabric.Tenant
}

// ConnectInput is what ConnectAppAuthorization takes. Request is nil where the
// application's sign-in has no code.
type ConnectInput struct {
	Bundle        string
	Authorization string
	Request       *token.AuthRequest
}

// CreateAppAuthorization takes in a credential, sealed and untried: it is the
// connection that proves it.
func (c *Control) CreateAppAuthorization(ctx context.Context, caller fabric.Caller, in CreateAppAuthorizationInput) (fabric.AppAuthorization, error) {
	if err := c.checkAuthorization(in); err != nil {
		return fabric.AppAuthorization{}, err
	}
	b, _, err := c.openBundle(ctx, caller, in.Bundle)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	now := c.now()
	a := fabric.AppAuthorization{
		ID: uuid.NewString(), BundleID: b.ID, Account: caller.Account, Region: caller.Region,
		App: in.App, Tenant: in.Tenant, AuthType: in.AuthType,
		Status: fabric.PendingConnect, Generation: 1, CreatedAt: now, UpdatedAt: now,
	}
	given, err := c.give(ctx, a, in.Credential)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	k := in.Credential
	a, err = c.store.CreateAppAuthorization(ctx, caller, a, given, store.Terms{
		Tags: in.Tags, Limit: c.quotas.Authorizations,
		Once: c.once("CreateAppAuthorization", in.ClientToken, in.Tags, b.ID, in.App, in.Tenant.Identifier,
			in.Tenant.DisplayName, string(in.AuthType), k.ClientID, k.ClientSecret.Reveal(), k.APIKey.Reveal()),
	})
	if errors.Is(err, store.ErrNotFound) {
		return fabric.AppAuthorization{}, fabric.Missing(fabric.KindAppBundle, in.Bundle)
	}
	if err != nil {
		return fabric.AppAuthorization{}, refused(err, fabric.KindAppAuthorization, in.Bundle)
	}
	return c.withAuthURL(ctx, a)
}

func (c *Control) checkAuthorization(in CreateAppAuthorizationInput) error {
	app, err := c.app(in.App)
	if err != nil {
		return err
	}
	if takes := authType(app); in.AuthType != takes {
		return fabric.InvalidField("authType", "The application %s takes the authType %s", in.App, takes)
	}
	if err := checkCredential(in.Credential, in.AuthType); err != nil {
		return err
	}
	return fabric.CheckTags(in.Tags)
}

// app returns the application of that name.
func (c *Control) app(name string) (connector.App, error) {
	app, ok := c.apps[name]
	if !ok {
		return connector.App{}, fabric.InvalidField("app", "Member must satisfy enum value set: [%s]", strings.Join(c.names, ", "))
	}
	return app, nil
}

func authType(app connector.App) fabric.AuthType {
	if app.Auth.Grant == connector.APIKey {
		return fabric.AuthAPIKey
	}
	return fabric.AuthOAuth2
}

func checkCredential(k fabric.Credential, t fabric.AuthType) error {
	if k.Type() == t {
		return nil
	}
	member := "oauth2Credential"
	if t == fabric.AuthAPIKey {
		member = "apiKeyCredential"
	}
	return fabric.InvalidField("credential", "Member must have %s, for the authType is %s", member, t)
}

// give seals a credential for a's generation.
func (c *Control) give(ctx context.Context, a fabric.AppAuthorization, k fabric.Credential) (store.Given, error) {
	sealed, err := c.grants.Seal(ctx, a, k)
	if err != nil {
		return store.Given{}, err
	}
	return store.Given{Credential: sealed.Credential, Verifier: sealed.Verifier, Mark: c.mark(a.ID, k)}, nil
}

// mark is a keyed hash to know a credential again by.
func (c *Control) mark(id string, k fabric.Credential) string {
	return keyed(c.markKey, id, k.ClientID, k.ClientSecret.Reveal(), k.APIKey.Reveal())
}

func (c *Control) withAuthURL(ctx context.Context, a fabric.AppAuthorization) (fabric.AppAuthorization, error) {
	var err error
	a.AuthURL, err = c.grants.AuthURL(ctx, a)
	return a, err
}

// GetAppAuthorization reads one authorization, with a fresh AuthURL where the
// application has one.
func (c *Control) GetAppAuthorization(ctx context.Context, caller fabric.Caller, bundle, id string) (fabric.AppAuthorization, error) {
	a, _, err := c.openAuthorization(ctx, caller, bundle, id)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	return c.withAuthURL(ctx, a)
}

// ListAppAuthorizations reads one page of a bundle's authorizations, without
// their AuthURL.
func (c *Control) ListAppAuthorizations(ctx context.Context, caller fabric.Caller, bundle string, p Paging) (Page[fabric.AppAuthorization], error) {
	b, _, err := c.openBundle(ctx, caller, bundle)
	if err != nil {
		return Page[fabric.AppAuthorization]{}, err
	}
	return page(c, caller, "ListAppAuthorizations|"+b.ID, p,
		func(after store.Mark, n int) ([]fabric.AppAuthorization, error) {
			return c.store.ListAppAuthorizations(ctx, caller, b.ID, after, n)
		},
		func(a fabric.AppAuthorization) store.Mark { return store.Mark{CreatedAt: a.CreatedAt, ID: a.ID} })
}

// UpdateAppAuthorization changes credential and tenant. The authorization is
// PendingConnect then, and collecting goes on with the old grant. When it was
// Connected and neither the credential nor the tenant's identifier is another,
// the grant is tried and the authorization is Connected again.
func (c *Control) UpdateAppAuthorization(ctx context.Context, caller fabric.Caller, in UpdateAppAuthorizationInput) (fabric.AppAuthorization, error) {
	for range updateTries {
		a, err := c.updateAuthorization(ctx, caller, in)
		if errors.Is(err, store.ErrStale) {
			continue
		}
		if err != nil {
			return fabric.AppAuthorization{}, err
		}
		return c.withAuthURL(ctx, a)
	}
	return fabric.AppAuthorization{}, fmt.Errorf("control: update app authorization: %w", store.ErrStale)
}

func (c *Control) updateAuthorization(ctx context.Context, caller fabric.Caller, in UpdateAppAuthorizationInput) (fabric.AppAuthorization, error) {
	old, p, err := c.openAuthorization(ctx, caller, in.Bundle, in.Authorization)
	if err != nil {
		return old, err
	}
	next := old
	next.Status, next.Reason, next.UpdatedAt = fabric.PendingConnect, "", c.now()
	if in.Tenant != nil {
		next.Tenant = *in.Tenant
	}
	given, err := c.regive(ctx, caller, old, &next, in.Credential)
	if err != nil {
		return old, err
	}
	err = c.store.UpdateAppAuthorization(ctx, caller, next, old.Generation, given)
	switch {
	case errors.Is(err, store.ErrInUse):
		return old, fabric.InConflict(fabric.KindAppAuthorization, in.Authorization,
			"The tenantIdentifier cannot change while an ingestion uses the app authorization. Delete the ingestion first.")
	case errors.Is(err, store.ErrExists):
		return old, refused(err, fabric.KindAppAuthorization, in.Bundle)
	case err != nil:
		return old, c.found(ctx, caller, p, err)
	}
	if old.Status == fabric.Connected && given == nil {
		return c.probe(ctx, caller, next)
	}
	return next, nil
}

// regive seals what a new generation is given; nil when the update begins none.
func (c *Control) regive(ctx context.Context, caller fabric.Caller, old fabric.AppAuthorization, next *fabric.AppAuthorization, k *fabric.Credential) (*store.Given, error) {
	mark, err := c.store.CredentialMark(ctx, caller, old.ID)
	if err != nil {
		return nil, err
	}
	var credential fabric.Credential
	if k != nil {
		if err := checkCredential(*k, old.AuthType); err != nil {
			return nil, err
		}
		// Terraform sends the credential with every update.
		if c.mark(old.ID, *k) != mark {
			credential = *k
		}
	}
	if credential == (fabric.Credential{}) && next.Tenant.Identifier == old.Tenant.Identifier {
		return nil, nil
	}
	next.Generation++
	given, err := c.give(ctx, *next, credential)
	return &given, err
}

// probe connects again with the grant that is there. A grant that fails leaves
// the authorization PendingConnect: no other state may follow an update.
func (c *Control) probe(ctx context.Context, caller fabric.Caller, a fabric.AppAuthorization) (fabric.AppAuthorization, error) {
	got, err := c.grants.Connect(ctx, a, nil)
	if err != nil {
		c.log.WarnContext(ctx, "probe after update failed", "authorization", a.ID, "error", err)
		return a, nil
	}
	if got.Status == fabric.Connected || got.Status == fabric.PendingConnect {
		return got, nil
	}
	a.Reason = got.Reason
	if err := c.store.UpdateAppAuthorization(ctx, caller, a, a.Generation, nil); err != nil {
		return a, err
	}
	return a, nil
}

// ConnectAppAuthorization tries an authorization and returns it with the status
// reached, failure included.
func (c *Control) ConnectAppAuthorization(ctx context.Context, caller fabric.Caller, in ConnectInput) (fabric.AppAuthorization, error) {
	a, _, err := c.openAuthorization(ctx, caller, in.Bundle, in.Authorization)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	app, err := c.app(a.App)
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	// First of all: whatever else the request lacks, nothing would come of it.
	if err := token.Connectable(app); err != nil {
		return fabric.AppAuthorization{}, err
	}
	return c.grants.Connect(ctx, a, in.Request)
}

// DeleteAppAuthorization erases an authorization with its secrets. The grant is
// revoked at the provider afterwards, in the background, as far as the provider
// lets it.
func (c *Control) DeleteAppAuthorization(ctx context.Context, caller fabric.Caller, bundle, id string) error {
	a, p, err := c.openAuthorization(ctx, caller, bundle, id)
	if err != nil {
		return err
	}
	revoke := c.grants.Revoke(ctx, a)
	err = c.store.DeleteAppAuthorization(ctx, caller, a.BundleID, a.ID)
	if errors.Is(err, store.ErrInUse) {
		return fabric.InConflict(fabric.KindAppAuthorization, id,
			"An ingestion uses the app authorization. Delete the ingestion before deleting the app authorization.")
	}
	if err != nil {
		return c.found(ctx, caller, p, err)
	}
	if revoke != nil {
		c.background.Go(func() { revoke(context.WithoutCancel(ctx)) })
	}
	return nil
}
