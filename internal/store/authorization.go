package store

import (
	"context"
	"database/sql"
	"errors"

	"selvedge/internal/fabric"
)

// ErrStale refuses an update of a row that has changed since it was read.
var ErrStale = errors.New("store: changed meanwhile")

// Given is what an authorization was given, sealed.
type Given struct {
	Credential []byte // nil in an update: the one that the row has, and its mark
	Verifier   []byte // of PKCE; empty where the application has none
	Mark       string // keyed hash of the credential, to know it again by
}

const authorizationColumns = `id, bundle_id, account, region, app, tenant_id, tenant_name,
	auth_type, status, reason, generation, created_at, updated_at`

func scanAuthorization(row scanner) (fabric.AppAuthorization, error) {
	var a fabric.AppAuthorization
	var created, updated int64
	err := row.Scan(&a.ID, &a.BundleID, &a.Account, &a.Region, &a.App, &a.Tenant.Identifier, &a.Tenant.DisplayName,
		&a.AuthType, &a.Status, &a.Reason, &a.Generation, &created, &updated)
	a.CreatedAt, a.UpdatedAt = fromMillis(created), fromMillis(updated)
	return a, notFound(err)
}

func authorization(ctx context.Context, q querier, c fabric.Caller, bundleID, id string) (fabric.AppAuthorization, error) {
	return scanAuthorization(q.QueryRowContext(ctx, `SELECT `+authorizationColumns+` FROM app_authorization
		WHERE id = ? AND bundle_id = ? AND account = ? AND region = ?`, id, bundleID, c.Account, c.Region))
}

// CreateAppAuthorization inserts an authorization, what it was given (sealed)
// and an empty grant. The errors beside those of the database: ErrNotFound (the
// bundle), ErrQuota, *ExistsError (app and tenant), *MismatchError.
func (s *Store) CreateAppAuthorization(ctx context.Context, c fabric.Caller, a fabric.AppAuthorization, g Given, t Terms) (fabric.AppAuthorization, error) {
	err := s.change(ctx, c, "create app authorization", func(tx *sql.Tx) error {
		first, err := s.first(ctx, tx, c, t.Once)
		if err != nil {
			return err
		}
		if first != "" {
			a, err = authorization(ctx, tx, c, a.BundleID, first)
			return err
		}
		if err := s.mayAuthorize(ctx, tx, c, a, t.Limit); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO app_authorization (`+authorizationColumns+`,
			credential, verifier, verifier_no, credential_mark)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?)`,
			a.ID, a.BundleID, c.Account, c.Region, a.App, a.Tenant.Identifier, a.Tenant.DisplayName,
			a.AuthType, a.Status, a.Reason, a.Generation, millis(a.CreatedAt), millis(a.UpdatedAt),
			blob(g.Credential), blob(g.Verifier), g.Mark)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO app_grant (id, generation, version, tokens, previous, expires_at,
			facts, intent, intent_key, intent_at, answer, code_key) VALUES (?, 0, 0, x'', x'', 0, '{}', '', '', 0, x'', '')`, a.ID)
		if err != nil {
			return err
		}
		return s.keep(ctx, tx, c, a.ID, t)
	})
	return a, err
}

func (s *Store) mayAuthorize(ctx context.Context, tx *sql.Tx, c fabric.Caller, a fabric.AppAuthorization, limit int) error {
	if _, err := bundle(ctx, tx, c, a.BundleID); err != nil {
		return err
	}
	err := quota(ctx, tx, limit, `SELECT count(*) FROM app_authorization WHERE account = ? AND region = ?`, c.Account, c.Region)
	if err != nil {
		return err
	}
	return unique(ctx, tx, `SELECT id FROM app_authorization WHERE bundle_id = ? AND app = ? AND tenant_id = ?`,
		a.BundleID, a.App, a.Tenant.Identifier)
}

// GetAppAuthorization reads one authorization. It answers ErrNotFound.
func (s *Store) GetAppAuthorization(ctx context.Context, c fabric.Caller, bundleID, id string) (fabric.AppAuthorization, error) {
	a, err := authorization(ctx, s.reader, c, bundleID, id)
	return a, wrap("get app authorization", err)
}

// ListAppAuthorizations reads up to n authorizations of a bundle behind a place.
func (s *Store) ListAppAuthorizations(ctx context.Context, c fabric.Caller, bundleID string, after Mark, n int) ([]fabric.AppAuthorization, error) {
	return list(ctx, s.reader, "list app authorizations", scanAuthorization, `SELECT `+authorizationColumns+` FROM app_authorization
		WHERE bundle_id = ? AND account = ? AND region = ? AND (created_at, id) > (?, ?) ORDER BY created_at, id LIMIT ?`,
		bundleID, c.Account, c.Region, millis(after.CreatedAt), after.ID, n)
}

// CredentialMark returns the keyed hash of the credential that an authorization
// was given last. It answers ErrNotFound.
func (s *Store) CredentialMark(ctx context.Context, c fabric.Caller, id string) (string, error) {
	var mark string
	err := s.reader.QueryRowContext(ctx, `SELECT credential_mark FROM app_authorization
		WHERE id = ? AND account = ? AND region = ?`, id, c.Account, c.Region).Scan(&mark)
	return mark, wrap("read credential mark", notFound(err))
}

// UpdateAppAuthorization writes a's tenant, status, reason, generation and time
// of update over the row, which must still be of generation from. With given
// nil, credential and verifier are kept; otherwise the verifier is a new one and
// gets the next number.
// The grant in use is left alone. Errors: ErrNotFound, ErrStale, ErrInUse (the
// tenant identifier changes while an ingestion uses it), *ExistsError (the pair
// is in the bundle already).
func (s *Store) UpdateAppAuthorization(ctx context.Context, c fabric.Caller, a fabric.AppAuthorization, from int64, given *Given) error {
	return s.change(ctx, c, "update app authorization", func(tx *sql.Tx) error {
		old, err := authorization(ctx, tx, c, a.BundleID, a.ID)
		if err != nil {
			return err
		}
		if old.Generation != from {
			return ErrStale
		}
		if err := mayMove(ctx, tx, old, a.Tenant.Identifier); err != nil {
			return err
		}
		turned, err := touched(tx.ExecContext(ctx, `UPDATE app_authorization SET status = ?, status_no = status_no + 1
			WHERE id = ? AND status <> ?`, a.Status, a.ID, a.Status))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE app_authorization SET tenant_id = ?, tenant_name = ?,
			reason = ?, generation = ?, updated_at = ? WHERE id = ?`, a.Tenant.Identifier, a.Tenant.DisplayName,
			a.Reason, a.Generation, millis(a.UpdatedAt), a.ID)
		if err != nil {
			return err
		}
		if turned {
			err = s.tellAuthorization(ctx, tx, a.ID)
		}
		if err != nil || given == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE app_authorization SET verifier = ?, verifier_no = verifier_no + 1
			WHERE id = ?`, blob(given.Verifier), a.ID)
		if err != nil || given.Credential == nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE app_authorization SET credential = ?, credential_mark = ? WHERE id = ?`,
			given.Credential, given.Mark, a.ID)
		return err
	})
}

// mayMove refuses to give an authorization another tenant when it is in use or
// the tenant has one.
func mayMove(ctx context.Context, tx *sql.Tx, old fabric.AppAuthorization, tenant string) error {
	if old.Tenant.Identifier == tenant {
		return nil
	}
	if err := unusedAuthorization(ctx, tx, old); err != nil {
		return err
	}
	return unique(ctx, tx, `SELECT id FROM app_authorization WHERE bundle_id = ? AND app = ? AND tenant_id = ?`,
		old.BundleID, old.App, tenant)
}

func unusedAuthorization(ctx context.Context, tx *sql.Tx, a fabric.AppAuthorization) error {
	n, err := count(ctx, tx, `SELECT count(*) FROM ingestion WHERE bundle_id = ? AND app = ? AND tenant_id = ?`,
		a.BundleID, a.App, a.Tenant.Identifier)
	if err == nil && n > 0 {
		return ErrInUse
	}
	return err
}

// IngestionOf is the id of the ingestion that reads with an authorization; empty:
// there is none. It answers ErrNotFound.
func (s *Store) IngestionOf(ctx context.Context, c fabric.Caller, id string) (string, error) {
	var ingestionID string
	err := s.reader.QueryRowContext(ctx, `SELECT ingestion_id FROM app_authorization WHERE id = ? AND account = ? AND region = ?`,
		id, c.Account, c.Region).Scan(&ingestionID)
	return ingestionID, wrap("ingestion of an authorization", notFound(err))
}

// DeleteAppAuthorization deletes an authorization with its credential and its
// grant. It answers ErrNotFound, and ErrInUse while an ingestion uses it.
func (s *Store) DeleteAppAuthorization(ctx context.Context, c fabric.Caller, bundleID, id string) error {
	return s.change(ctx, c, "delete app authorization", func(tx *sql.Tx) error {
		a, err := authorization(ctx, tx, c, bundleID, id)
		if err != nil {
			return err
		}
		if err := unusedAuthorization(ctx, tx, a); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM app_authorization WHERE id = ?`, id); err != nil {
			return err
		}
		return forget(ctx, tx, id)
	})
}

// unique refuses when the query finds a row; the query selects its id.
func unique(ctx context.Context, tx *sql.Tx, query string, args ...any) error {
	var id string
	err := tx.QueryRowContext(ctx, query, args...).Scan(&id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return &ExistsError{ResourceID: id}
}

// blob is b for a column that is NOT NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
