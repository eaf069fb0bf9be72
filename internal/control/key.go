package control

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"regexp"
	"strings"

	"selvedge/internal/fabric"
	"selvedge/internal/iam"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
)

// ServerSecrets seals what belongs to no bundle.
type ServerSecrets interface {
	SealServer(ctx context.Context, owner, field string, plaintext []byte) ([]byte, error)
	OpenServer(owner, field string, sealed []byte) ([]byte, error)
}

// secretField is what the secret of an access key is sealed as.
const secretField = "access key"

// CreateKeyInput is what CreateKey takes.
type CreateKeyInput struct {
	Account string // twelve digits
	Policy  string // an IAM policy in JSON, or the name or ARN of a managed one
}

// NewAccessKey makes an access key id and a secret, of the form that AWS's have.
func NewAccessKey() (id string, secret fabric.Secret) {
	return "AKIA" + rand.Text()[:16], fabric.Secret(base64.StdEncoding.EncodeToString([]byte(rand.Text() + rand.Text()))[:40])
}

// accessKeyID is the form of the ids that NewAccessKey makes.
func accessKeyID() *regexp.Regexp { return regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`) }

// CreateKey makes an access key that may do what the policy says, and returns
// it with its secret, which nothing shows again. A policy that is not understood
// whole is refused.
func (c *Control) CreateKey(ctx context.Context, caller fabric.Caller, in CreateKeyInput) (fabric.AccessKey, fabric.Secret, error) {
	if err := c.mayReach(caller, "selvedge:CreateKey", in.Account); err != nil {
		return fabric.AccessKey{}, "", err
	}
	if _, err := readPolicy(in.Policy); err != nil {
		return fabric.AccessKey{}, "", fabric.InvalidField("policy", "%s", strings.TrimPrefix(err.Error(), "iam: parse policy: "))
	}
	id, secret := NewAccessKey()
	k := fabric.AccessKey{ID: id, Account: in.Account, Policy: in.Policy, CreatedAt: c.now()}
	sealed, err := c.secrets.SealServer(ctx, ownerOf(k), secretField, []byte(secret.Reveal()))
	if err != nil {
		return fabric.AccessKey{}, "", err
	}
	if err := c.store.CreateAccessKey(ctx, within(caller, k.Account), k, sealed); err != nil {
		return fabric.AccessKey{}, "", err
	}
	return k, secret, nil
}

// ListKeys reads one page of the access keys of an account, revoked ones too,
// without their secrets. Without an account it is the caller's own, and for the
// root key all.
func (c *Control) ListKeys(ctx context.Context, caller fabric.Caller, account string, p Paging) (Page[fabric.AccessKey], error) {
	if account == "" && !c.isRoot(caller) {
		account = caller.Account
	}
	if account != "" {
		if err := c.mayReach(caller, "selvedge:ListKeys", account); err != nil {
			return Page[fabric.AccessKey]{}, err
		}
	}
	return page(c, caller, "ListKeys/"+account, p,
		func(after store.Mark, n int) ([]fabric.AccessKey, error) {
			if account == "" {
				return c.store.ListAllAccessKeys(ctx, after, n)
			}
			return c.store.ListAccessKeys(ctx, within(caller, account), after, n)
		},
		func(k fabric.AccessKey) store.Mark { return store.Mark{CreatedAt: k.CreatedAt, ID: k.ID} })
}

// RevokeKey ends an access key: the next request that it signs is refused, on
// every replica. A key that is revoked already is no error.
func (c *Control) RevokeKey(ctx context.Context, caller fabric.Caller, id string) error {
	if id == c.root.ID && c.isRoot(caller) {
		return fabric.Invalid("The root key is not kept with the others: give the server another one in its settings.")
	}
	account := caller.Account
	if c.isRoot(caller) {
		k, _, err := c.store.AccessKey(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return fabric.Missing(fabric.KindAccessKey, id)
		}
		if err != nil {
			return err
		}
		account = k.Account
	}
	err := c.store.RevokeAccessKey(ctx, within(caller, account), id)
	if errors.Is(err, store.ErrNotFound) {
		return fabric.Missing(fabric.KindAccessKey, id)
	}
	return err
}

// LookupKey finds the key that a request is signed with. It is a sigv4.Lookup,
// and reads the store each time, so that a revocation counts at once.
func (c *Control) LookupKey(ctx context.Context, id string) (sigv4.Key, bool, error) {
	if c.root.ID != "" && id == c.root.ID {
		return c.root, true, nil
	}
	if !c.keyID.MatchString(id) { // made up: no database need see it
		return sigv4.Key{}, false, nil
	}
	k, sealed, err := c.store.AccessKey(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && !k.RevokedAt.IsZero() {
		return sigv4.Key{}, false, nil
	}
	if err != nil {
		return sigv4.Key{}, false, err
	}
	secret, err := c.secrets.OpenServer(ownerOf(k), secretField, sealed)
	return sigv4.Key{ID: k.ID, Secret: string(secret), Account: k.Account}, err == nil, err
}

// ownerOf binds a secret to the key and its account.
func ownerOf(k fabric.AccessKey) string { return k.Account + "/" + k.ID }

// within is the caller in another account. Only mayReach and the root key lead
// there.
func within(caller fabric.Caller, account string) fabric.Caller {
	caller.Account = account
	return caller
}

func (c *Control) isRoot(caller fabric.Caller) bool {
	return c.root.ID != "" && caller.AccessKeyID == c.root.ID && caller.Account == c.root.Account
}

// mayReach keeps callers to their own account. Only the root key manages the
// keys of others.
func (c *Control) mayReach(caller fabric.Caller, action, account string) error {
	if account == caller.Account || c.isRoot(caller) {
		return nil
	}
	return &fabric.Error{
		Kind:    fabric.AccessDenied,
		Message: iam.Denied(principal(caller), action, "*", iam.DeniedImplicit) + " in account " + account,
	}
}

// readPolicy reads the policy of a key. Nothing that a name is made of occurs in
// a JSON document.
func readPolicy(policy string) (iam.Policy, error) {
	if strings.ContainsAny(policy, "{[\"") {
		return iam.Parse([]byte(policy))
	}
	if p, ok := iam.Managed(policy); ok {
		return p, nil
	}
	return iam.Policy{}, errors.New("no managed policy has this name; " +
		"AWSAppFabricReadOnlyAccess, AWSAppFabricFullAccess and IAM policies in JSON are allowed")
}
