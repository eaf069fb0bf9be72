package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// Grant is an authorization with all that is kept of what the provider gave.
// Byte slices are sealed and opaque here; empty ones are absent.
type Grant struct {
	Authorization fabric.AppAuthorization
	Credential    []byte // what the user gave
	Verifier      []byte // of PKCE
	VerifierNo    int64  // counts the verifiers

	Generation int64 // of the credentials that Tokens came from; 0: there never were any
	Version    int64 // of Tokens
	Tokens     []byte
	Previous   []byte    // the set before; its version is one less
	ExpiresAt  time.Time // of the access token; zero: it does not end
	Facts      map[string]string
	CodeKey    string // keyed hash of the code exchanged last
	Intent     Intent
	Due        time.Time // of the refresh duty; zero: none
}

// IntentKind is a kind of request to a token endpoint.
type IntentKind string

// The kinds of intents.
const (
	NoIntent       IntentKind = ""
	IntentExchange IntentKind = "exchange"
	IntentRefresh  IntentKind = "refresh"
)

// Intent is the journal of one request to a token endpoint: written before the
// request is sent, ended by the change that takes its answer in.
type Intent struct {
	Kind    IntentKind
	Key     string    // keyed hash of the code or token that the request carries
	At      time.Time // when it was last sent; zero: no answer is missing
	Request []byte    // sealed: of an exchange
	Answer  []byte    // sealed: as it came, not yet taken in; empty: none came, or none yet
	Resend  time.Time // without an answer: when it may be sent again; zero: nobody has found it so yet
}

// ErrAnswered is the error of a write that an answer in the journal stands
// against.
var ErrAnswered = errors.New("store: the intent has an answer")

// LoadGrant reads a grant with its authorization. It is for duties and for what
// has found the authorization by its caller: it names no account.
func (s *Store) LoadGrant(ctx context.Context, authorizationID string) (Grant, error) {
	var g Grant
	a := &g.Authorization
	var facts string
	var created, updated, expires, intentAt int64
	var due, resend sql.NullInt64
	err := s.reader.QueryRowContext(ctx, `SELECT a.id, a.bundle_id, a.account, a.region, a.app, a.tenant_id, a.tenant_name,
			a.auth_type, a.status, a.reason, a.generation, a.created_at, a.updated_at,
			a.credential, a.verifier, a.verifier_no,
			g.generation, g.version, g.tokens, g.previous, g.expires_at, g.facts, g.code_key,
			g.intent, g.intent_key, g.intent_at, g.request, g.answer, g.due_at - `+s.stamp()+`, g.resend_at - `+s.stamp()+`
		FROM app_authorization a JOIN app_grant g ON g.id = a.id WHERE a.id = ?`, s.in(0), s.in(0), authorizationID).Scan(
		&a.ID, &a.BundleID, &a.Account, &a.Region, &a.App, &a.Tenant.Identifier, &a.Tenant.DisplayName,
		&a.AuthType, &a.Status, &a.Reason, &a.Generation, &created, &updated,
		&g.Credential, &g.Verifier, &g.VerifierNo,
		&g.Generation, &g.Version, &g.Tokens, &g.Previous, &expires, &facts, &g.CodeKey,
		&g.Intent.Kind, &g.Intent.Key, &intentAt, &g.Intent.Request, &g.Intent.Answer, &due, &resend)
	if err != nil {
		return Grant{}, fmt.Errorf("store: load grant: %w", notFound(err))
	}
	if err := json.Unmarshal([]byte(facts), &g.Facts); err != nil {
		return Grant{}, fmt.Errorf("store: load grant: facts: %w", err)
	}
	a.CreatedAt, a.UpdatedAt = fromMillis(created), fromMillis(updated)
	g.ExpiresAt, g.Intent.At = fromMillis(expires), fromMillis(intentAt)
	if due.Valid {
		g.Due = s.from(due.Int64)
	}
	if resend.Valid {
		g.Intent.Resend = s.from(resend.Int64)
	}
	return g, nil
}

// BeginIntent journals a request that is about to be sent. The row falls due at
// once, so that a crash leaves work that is found. An answer to the same that has
// come meanwhile stays: then the error is ErrFenced.
func (s *Store) BeginIntent(ctx context.Context, c Claim, in Intent) error {
	return s.update(ctx, "begin intent", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE app_grant
			SET intent = ?, intent_key = ?, intent_at = ?, request = ?, answer = x'', resend_at = NULL, due_at = `+s.stamp()+`
			WHERE id = ? AND fence = ? AND NOT (intent <> '' AND intent_key = ? AND answer <> x'')`,
			in.Kind, in.Key, millis(in.At), blob(in.Request), s.in(0), c.ID, c.Fence, in.Key)
		return oneOr(res, err, ErrFenced)
	})
}

// StoreAnswer journals the answer to the intent of that key, unless it has one:
// then the error is ErrAnswered.
func (s *Store) StoreAnswer(ctx context.Context, c Claim, key string, sealed []byte) error {
	return s.update(ctx, "store answer", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE app_grant SET answer = ?
			WHERE id = ? AND fence = ? AND intent <> '' AND intent_key = ? AND answer = x''`, blob(sealed), c.ID, c.Fence, key)
		if err = oneOr(res, err, ErrFenced); !errors.Is(err, ErrFenced) {
			return err
		}
		var answered int
		err = tx.QueryRowContext(ctx, `SELECT count(*) FROM app_grant
			WHERE id = ? AND fence = ? AND intent <> '' AND intent_key = ?`, c.ID, c.Fence, key).Scan(&answered)
		switch {
		case err != nil:
			return err
		case answered > 0:
			return ErrAnswered
		}
		return ErrFenced
	})
}

// AdoptAnswer journals an answer that was kept elsewhere while the database was
// away. It answers false when the intent has ended or has an answer.
func (s *Store) AdoptAnswer(ctx context.Context, authorizationID, key string, sealed []byte) (bool, error) {
	err := s.update(ctx, "adopt answer", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE app_grant SET answer = ?, due_at = `+s.stamp()+`
			WHERE id = ? AND intent <> '' AND intent_key = ? AND answer = x''`,
			blob(sealed), s.in(0), authorizationID, key)
		return one(res, err)
	})
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// ClearIntent ends an intent that came to nothing: the request was certainly
// not sent, or its answer changes nothing.
func (s *Store) ClearIntent(ctx context.Context, c Claim) error {
	return s.update(ctx, "clear intent", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, clearIntent+` WHERE id = ? AND fence = ?`, c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

const clearIntent = `UPDATE app_grant SET intent = '', intent_key = '', intent_at = 0, request = x'', answer = x'', resend_at = NULL`

// KeepIntent drops the answer of an intent that is to be sent again. Missing
// says that an answer to it never arrived, or arrived unreadable: then whether
// the provider did what was asked is not known.
func (s *Store) KeepIntent(ctx context.Context, c Claim, missing bool) error {
	return s.update(ctx, "keep intent", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE app_grant
			SET answer = x'', resend_at = `+s.stamp()+`, intent_at = CASE WHEN ? THEN intent_at ELSE 0 END
			WHERE id = ? AND fence = ?`,
			s.in(0), missing, c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// DeferIntent has an intent without an answer wait before it is sent again.
// Zero: nobody can have an answer to it.
func (s *Store) DeferIntent(ctx context.Context, c Claim, wait time.Duration) error {
	return s.update(ctx, "defer intent", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE app_grant SET resend_at = `+s.stamp()+` WHERE id = ? AND fence = ?`,
			s.in(wait), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Expedite makes the refresh of a grant due now, unless its last attempt failed:
// then it has a time of its own, which may be the provider's word.
func (s *Store) Expedite(ctx context.Context, authorizationID string) error {
	return s.update(ctx, "expedite refresh", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE app_grant SET due_at = `+s.stamp()+` WHERE id = ? AND last_error = ''`,
			s.in(0), authorizationID)
		return err
	})
}

// DropPrevious forgets the set of tokens before the given version, once the set
// of that version has worked. A newer version leaves it alone.
func (s *Store) DropPrevious(ctx context.Context, authorizationID string, version int64) error {
	return s.update(ctx, "drop previous tokens", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE app_grant SET previous = x'' WHERE id = ? AND version = ?`, authorizationID, version)
		return err
	})
}

// DataKey returns the wrapped data key of a bundle, and the bundle's ARN.
func (s *Store) DataKey(ctx context.Context, bundleID string) (wrapped []byte, bundleARN string, err error) {
	b := fabric.AppBundle{ID: bundleID}
	err = s.reader.QueryRowContext(ctx, `SELECT account, region, data_key FROM app_bundle WHERE id = ?`, bundleID).
		Scan(&b.Account, &b.Region, &wrapped)
	if err != nil {
		return nil, "", fmt.Errorf("store: data key: %w", notFound(err))
	}
	return wrapped, b.ARN().String(), nil
}

// Meta returns a value that belongs to the whole database, or ErrNotFound.
func (s *Store) Meta(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.reader.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if err != nil {
		return nil, fmt.Errorf("store: meta %s: %w", name, notFound(err))
	}
	return value, nil
}

// SetMetaOnce keeps a value unless there is one of that name, and returns the
// one that is kept.
func (s *Store) SetMetaOnce(ctx context.Context, name string, value []byte) (kept []byte, err error) {
	err = s.update(ctx, "set meta "+name, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, blob(value))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&kept)
	})
	return kept, err
}
