package store

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
)

// UserAccess is a user access task as it is kept: who is searched for, and who
// was found, are sealed and opaque here.
type UserAccess struct {
	fabric.UserAccessTask // without Email and User

	SealedEmail []byte
	SealedUser  []byte // empty: no user was found

	Denied      int64     // version of the grant that the application did not accept when it was asked last; 0: it was not that
	DeniedSince time.Time // since when that is so
}

// EmailPlace is what SealedEmail is sealed for.
func (t UserAccess) EmailPlace() secret.Context { return t.place("user access email") }

// UserPlace is what SealedUser is sealed for. What is sealed is a
// fabric.AccessUser as JSON.
func (t UserAccess) UserPlace() secret.Context { return t.place("user access user") }

func (t UserAccess) place(field string) secret.Context {
	return secret.Context{Bundle: t.BundleID, Owner: t.ID, Field: field, Version: 1}
}

const userAccessColumns = `id, bundle_id, authorization_id, account, region, app, tenant_id, tenant_name,
	email, status, error, found, denied, denied_at, created_at, ended_at`

func scanUserAccess(row scanner) (UserAccess, error) {
	var t UserAccess
	var denied, created, ended int64
	err := row.Scan(&t.ID, &t.BundleID, &t.AuthorizationID, &t.Account, &t.Region, &t.App, &t.Tenant.Identifier, &t.Tenant.DisplayName,
		&t.SealedEmail, &t.Status, &t.Error, &t.SealedUser, &t.Denied, &denied, &created, &ended)
	t.DeniedSince, t.CreatedAt, t.EndedAt = fromMillis(denied), fromMillis(created), fromMillis(ended)
	return t, notFound(err)
}

// Searcher is an authorization that a user may be searched for with.
type Searcher struct {
	fabric.AppAuthorization

	Granted bool // there are tokens
}

// Searchers reads all authorizations of a bundle in the order of their creation.
func (s *Store) Searchers(ctx context.Context, c fabric.Caller, bundleID string) ([]Searcher, error) {
	return list(ctx, s.reader, "list authorizations to search with", func(row scanner) (Searcher, error) {
		var a Searcher
		err := row.Scan(&a.ID, &a.App, &a.Tenant.Identifier, &a.Tenant.DisplayName, &a.Status, &a.Granted)
		return a, err
	}, `SELECT a.id, a.app, a.tenant_id, a.tenant_name, a.status, length(g.tokens) > 0
		FROM app_authorization a JOIN app_grant g ON g.id = a.id
		WHERE a.bundle_id = ? AND a.account = ? AND a.region = ? ORDER BY a.created_at, a.id`, bundleID, c.Account, c.Region)
}

// CreateUserAccessTasks inserts tasks of a bundle, due at once, and returns the
// ids of those that it has inserted: not of those whose authorization has been
// deleted meanwhile.
func (s *Store) CreateUserAccessTasks(ctx context.Context, c fabric.Caller, bundleID string, tasks []UserAccess) (map[string]bool, error) {
	var made map[string]bool
	err := s.change(ctx, c, "create user access tasks", func(tx *sql.Tx) error {
		made = make(map[string]bool, len(tasks))
		for _, t := range tasks {
			n, err := affected(tx.ExecContext(ctx, `INSERT INTO user_access_task (id, bundle_id, authorization_id, account, region,
					app, tenant_id, tenant_name, email, status, error, found, denied, denied_at, created_at, ended_at, due_at)
				SELECT ?, bundle_id, id, account, region, app, ?, ?, ?, ?, '', x'', 0, 0, ?, 0, `+s.stamp()+`
				FROM app_authorization WHERE id = ? AND bundle_id = ? AND account = ? AND region = ?`,
				t.ID, t.Tenant.Identifier, t.Tenant.DisplayName, t.SealedEmail, string(fabric.InProgress), millis(t.CreatedAt), s.in(0),
				t.AuthorizationID, bundleID, c.Account, c.Region))
			if err != nil {
				return err
			}
			made[t.ID] = n == 1
		}
		return nil
	})
	return made, err
}

func affected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// UserAccessTasks reads those of the tasks that are in the bundle, by id.
func (s *Store) UserAccessTasks(ctx context.Context, c fabric.Caller, bundleID string, ids []string) (map[string]UserAccess, error) {
	args := []any{bundleID, c.Account, c.Region}
	for _, id := range ids {
		args = append(args, id)
	}
	tasks, err := list(ctx, s.reader, "read user access tasks", scanUserAccess, `SELECT `+userAccessColumns+` FROM user_access_task
		WHERE bundle_id = ? AND account = ? AND region = ? AND id IN (`+strings.Repeat("?, ", len(ids)-1)+`?)`, args...)
	byID := make(map[string]UserAccess, len(tasks))
	for _, t := range tasks {
		byID[t.ID] = t
	}
	return byID, err
}

// LoadUserAccess reads a task with its authorization. It answers ErrNotFound.
func (s *Store) LoadUserAccess(ctx context.Context, id string) (UserAccess, fabric.AppAuthorization, error) {
	t, err := scanUserAccess(s.reader.QueryRowContext(ctx, `SELECT `+userAccessColumns+` FROM user_access_task WHERE id = ?`, id))
	if err != nil {
		return t, fabric.AppAuthorization{}, wrap("load user access task", err)
	}
	a, err := authorization(ctx, s.reader, fabric.Caller{Account: t.Account, Region: t.Region}, t.BundleID, t.AuthorizationID)
	return t, a, wrap("load user access task", err)
}

// UserAccessFailed notes why a task has no answer yet. The claim goes on. Denied
// is the version of the grant that the application did not accept, 0 where that
// was not it: since when is kept while it is the same.
func (s *Store) UserAccessFailed(ctx context.Context, c Claim, why fabric.UserAccessError, denied int64) error {
	return s.update(ctx, "fail user access task", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE user_access_task SET denied = ?, denied_at = ? WHERE id = ? AND fence = ? AND denied <> ?`,
			denied, millis(s.now()), c.ID, c.Fence, denied)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE user_access_task SET error = ? WHERE id = ? AND fence = ?`, string(why), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// EndUserAccess ends a task and its claim. Found is the sealed user of a task
// that is Completed.
func (s *Store) EndUserAccess(ctx context.Context, c Claim, status fabric.UserAccessStatus, why fabric.UserAccessError, found []byte) error {
	return s.update(ctx, "end user access task", func(tx *sql.Tx) error {
		if err := s.finish(ctx, tx, c, time.Time{}); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `UPDATE user_access_task SET status = ?, error = ?, found = ?, ended_at = ? WHERE id = ?`,
			string(status), string(why), blob(found), millis(s.now()), c.ID))
	})
}

// ExpireUserAccess expires the tasks in progress that were started before the
// given time, whatever has kept their duty from it. Work under way is fenced off.
func (s *Store) ExpireUserAccess(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "user access tasks in progress", `UPDATE user_access_task
		SET status = ?, ended_at = ?, due_at = NULL, lease_owner = '', lease_until = 0, fence = fence + 1
		WHERE id IN (SELECT id FROM user_access_task WHERE ended_at = 0 AND created_at < ? LIMIT ?)`,
		string(fabric.Expired), millis(s.now()), millis(before), sweepRows)
}

// SweepUserAccess removes the tasks that ended before the given time.
func (s *Store) SweepUserAccess(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "user access tasks", `DELETE FROM user_access_task WHERE id IN (
		SELECT id FROM user_access_task WHERE ended_at > 0 AND ended_at < ? LIMIT ?)`, millis(before), sweepRows)
}
