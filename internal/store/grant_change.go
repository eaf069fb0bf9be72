package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// GrantChange is what one transaction of a duty does to a grant. Members at
// their zero value leave things as they are, but for Due.
type GrantChange struct {
	Swap         *TokenSet         // takes the place of the tokens, and ends the intent
	EndIntent    bool              // ends the intent without a swap
	Generation   int64             // the tokens in use are good for the credentials of this generation
	Facts        map[string]string // take the place of those that are kept
	CodeKey      string            // the code that was exchanged
	Verifier     []byte            // sealed: of PKCE, in place of the one that was used
	VerifierNo   int64             // the number of the one that was used; a newer one stays
	DropPrevious bool
	Verdict      *Verdict
	Event        *GrantEvent
	Due          time.Time // when the duty is due next; zero: not at all
	Finish       bool      // ends the claim
}

// TokenSet is one set of tokens of a grant.
type TokenSet struct {
	Version    int64  // one more than that of the set it replaces
	Generation int64  // of the credentials that the tokens came from
	Sealed     []byte // empty: no tokens
	ExpiresAt  time.Time
	KeepOld    bool   // the set it replaces stays as the previous one
	Old        []byte // sealed: stays as the previous one instead
}

// Verdict is a finding about credentials that a user gave.
type Verdict struct {
	Generation int64 // of the credentials; where they have been updated since, the verdict is void
	Status     fabric.AuthorizationStatus
	Reason     string // for people; without secrets
}

// EventKind is what can become of a grant.
type EventKind string

// The kinds of grant events.
const (
	EventExchanged EventKind = "exchanged" // tokens were obtained for new credentials
	EventRefreshed EventKind = "refreshed"
	EventRefused   EventKind = "refused" // the provider ended the grant, or never gave it
	EventRevoked   EventKind = "revoked" // we gave it back
	EventLost      EventKind = "lost"    // an answer never arrived, and the provider gives no other
)

// GrantEvent is one entry of a grant's lineage. It has no secrets.
type GrantEvent struct {
	Generation int64
	Version    int64
	At         time.Time // set when it is written
	Replica    string
	Kind       EventKind
	Detail     string
}

// ChangeGrant makes a change under the claim of a refresh duty. It answers
// ErrFenced when the claim is no longer the newest, when the tokens are not of
// the version before the swap's, or when the authorization is gone; then
// nothing has changed.
func (s *Store) ChangeGrant(ctx context.Context, c Claim, g GrantChange) error {
	return s.update(ctx, "change grant", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		steps := []func(context.Context, *sql.Tx, Claim, GrantChange) error{
			swapTokens, setGrant, s.setDue,
		}
		for _, step := range steps {
			if err := step(ctx, tx, c, g); err != nil {
				return err
			}
		}
		if err := s.setStatus(ctx, tx, c.ID, g.Verdict); err != nil {
			return err
		}
		return s.addEvent(ctx, tx, c.ID, g.Event)
	})
}

// SetAuthorizationStatus makes a verdict known under the claim of any duty. A
// verdict on credentials that have been updated since changes nothing.
func (s *Store) SetAuthorizationStatus(ctx context.Context, c Claim, authorizationID string, v Verdict) error {
	return s.update(ctx, "set authorization status", func(tx *sql.Tx) error {
		if err := fenced(ctx, tx, c); err != nil {
			return err
		}
		return s.setStatus(ctx, tx, authorizationID, &v)
	})
}

func swapTokens(ctx context.Context, tx *sql.Tx, c Claim, g GrantChange) error {
	if g.Swap == nil {
		return nil
	}
	t := *g.Swap
	res, err := tx.ExecContext(ctx, `UPDATE app_grant
		SET previous = CASE WHEN ? THEN tokens ELSE ? END, tokens = ?, version = ?, generation = ?, expires_at = ?
		WHERE id = ? AND version = ?`,
		t.KeepOld, blob(t.Old), blob(t.Sealed), t.Version, t.Generation, millis(t.ExpiresAt), c.ID, t.Version-1)
	return oneOr(res, err, ErrFenced)
}

func setGrant(ctx context.Context, tx *sql.Tx, c Claim, g GrantChange) error {
	exec := func(query string, args ...any) error {
		_, err := tx.ExecContext(ctx, query, append(args, c.ID)...)
		return err
	}
	if g.Swap != nil || g.EndIntent {
		if err := exec(clearIntent + ` WHERE id = ?`); err != nil {
			return err
		}
	}
	if g.Generation != 0 {
		if err := exec(`UPDATE app_grant SET generation = ? WHERE id = ?`, g.Generation); err != nil {
			return err
		}
	}
	if g.Facts != nil {
		doc, err := json.Marshal(g.Facts)
		if err != nil {
			return err
		}
		if err := exec(`UPDATE app_grant SET facts = ? WHERE id = ?`, string(doc)); err != nil {
			return err
		}
	}
	if g.CodeKey != "" {
		if err := exec(`UPDATE app_grant SET code_key = ? WHERE id = ?`, g.CodeKey); err != nil {
			return err
		}
	}
	if g.DropPrevious {
		if err := exec(`UPDATE app_grant SET previous = x'' WHERE id = ?`); err != nil {
			return err
		}
	}
	if g.Verifier == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE app_authorization SET verifier = ?, verifier_no = verifier_no + 1
		WHERE id = ? AND verifier_no = ?`, g.Verifier, c.ID, g.VerifierNo)
	return err
}

func (s *Store) setDue(ctx context.Context, tx *sql.Tx, c Claim, g GrantChange) error {
	if g.Finish {
		return s.finish(ctx, tx, c, g.Due)
	}
	_, err := tx.ExecContext(ctx, `UPDATE app_grant SET due_at = `+s.stamp()+` WHERE id = ?`, s.at(g.Due), c.ID)
	return err
}

// setStatus leaves updated_at alone unless a user sees another status, which is
// also told.
func (s *Store) setStatus(ctx context.Context, tx *sql.Tx, id string, v *Verdict) error {
	if v == nil {
		return nil
	}
	turned, err := touched(tx.ExecContext(ctx, `UPDATE app_authorization
		SET status = ?, reason = ?, updated_at = ?, status_no = status_no + 1
		WHERE id = ? AND generation = ? AND status <> ?`,
		v.Status, v.Reason, millis(s.now()), id, v.Generation, v.Status))
	if err != nil {
		return err
	}
	if turned {
		err = s.tellAuthorization(ctx, tx, id)
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE app_authorization SET reason = ? WHERE id = ? AND generation = ?`, v.Reason, id, v.Generation)
	}
	if err != nil || v.Status != fabric.Connected {
		return err
	}
	return s.wakeStreams(ctx, tx, id)
}

// wakeStreams lets what waits for an authorization go on at once.
func (s *Store) wakeStreams(ctx context.Context, tx *sql.Tx, authorizationID string) error {
	_, err := tx.ExecContext(ctx, `UPDATE stream SET due_at = `+s.stamp()+` WHERE due_at > `+s.stamp()+` AND last_error <> '' AND ingestion_id IN (
		SELECT i.id FROM ingestion i JOIN app_authorization a
		ON a.bundle_id = i.bundle_id AND a.app = i.app AND a.tenant_id = i.tenant_id WHERE a.id = ?)`,
		s.in(0), s.in(0), authorizationID)
	return err
}

func (s *Store) addEvent(ctx context.Context, tx *sql.Tx, id string, e *GrantEvent) error {
	if e == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO grant_event (authorization_id, generation, version, at, replica, event, detail)
		VALUES (?, ?, ?, ?, ?, ?, ?)`, id, e.Generation, e.Version, millis(s.now()), e.Replica, e.Kind, e.Detail)
	return err
}

// Lineage returns what became of an authorization's grants, newest first, at
// most n entries. It names no account: see LoadGrant.
func (s *Store) Lineage(ctx context.Context, authorizationID string, n int) ([]GrantEvent, error) {
	rows, err := s.reader.QueryContext(ctx, `SELECT generation, version, at, replica, event, detail FROM grant_event
		WHERE authorization_id = ? ORDER BY seq DESC LIMIT ?`, authorizationID, n)
	if err != nil {
		return nil, fmt.Errorf("store: lineage: %w", err)
	}
	defer rows.Close()
	var events []GrantEvent
	for rows.Next() {
		var e GrantEvent
		var at int64
		if err := rows.Scan(&e.Generation, &e.Version, &at, &e.Replica, &e.Kind, &e.Detail); err != nil {
			return nil, fmt.Errorf("store: lineage: %w", err)
		}
		e.At = fromMillis(at)
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: lineage: %w", err)
	}
	return events, nil
}
