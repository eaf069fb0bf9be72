package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// The bounds of what a row of pace may ask for. A time that lies further ahead is
// of a clock that has gone back since, and counts as none.
const (
	maxBlock  = time.Hour
	clockSlip = time.Minute // between two transactions' views of the clock
	maxStrike = 5           // the longest wait of a provider that names none: 2^5 seconds
)

// PaceKey names whose limit it is: a tenant of an application. Whether accounts
// that collect from it share a name for it is for the caller.
type PaceKey struct{ App, Tenant string }

// id is short enough for an index of PostgreSQL, however long the tenant is.
func (k PaceKey) id() string {
	sum := sha256.Sum256([]byte(k.App + "\x00" + k.Tenant))
	return hex.EncodeToString(sum[:])
}

// Bucket is a limit: so many calls at once, and one more in every so long.
type Bucket struct {
	Every time.Duration // in which one permit comes back; at least a microsecond
	Burst int64         // permits that there can be; at least one
}

// PermitRequest is a request for permits.
type PermitRequest struct {
	Bucket
	Want   int64 // permits to take, or as many as there are
	Leave  int64 // permits to leave to others; fewer than Burst
	Holds  bool  // while it waits, those that yield get nothing
	Yields bool

	// Late is how much longer than others it waits when the provider has asked
	// to wait.
	Late time.Duration
}

// Permits is the answer.
type Permits struct {
	Granted int64
	Wait    time.Duration // where none were granted: until some may be
	Blocked time.Time     // what the provider asked for, if that is why
	Strikes int64         // see Strike
}

// Pace is what is known of a provider's limit.
type Pace struct {
	Blocked time.Time // nothing is to be called before; past where that is over, zero where it never was
	Strikes int64     // see Strike
}

// LoadPace reads what stands against a call. A tenant that has no row yet has no
// limit known.
func (s *Store) LoadPace(ctx context.Context, k PaceKey) (Pace, error) {
	var now, blocked int64
	var p Pace
	err := s.reader.QueryRowContext(ctx, `SELECT `+s.stamp()+`, blocked_until, strikes FROM pace WHERE id = ?`, s.in(0), k.id()).
		Scan(&now, &blocked, &p.Strikes)
	if errors.Is(err, sql.ErrNoRows) {
		return Pace{}, nil
	}
	if err != nil {
		return Pace{}, fmt.Errorf("store: load pace: %w", err)
	}
	if blocked > 0 && sane(blocked, now) {
		p.Blocked = s.from(blocked - now)
	}
	return p, nil
}

// TakePermits takes permits out of the bucket that all replicas share, unless
// the tenant is blocked.
func (s *Store) TakePermits(ctx context.Context, k PaceKey, r PermitRequest) (Permits, error) {
	var got Permits
	err := s.updatePace(ctx, "take permits", k, func(row *paceRow) {
		got = row.take(r)
		got.Strikes = row.strikes
		if row.isBlocked(r.Late) {
			got.Blocked = s.from(row.blocked - row.now)
		}
	})
	if err != nil {
		return Permits{}, err
	}
	return got, nil
}

// Block has nothing called before a time, an hour from now at the most. It never
// shortens what stands.
func (s *Store) Block(ctx context.Context, k PaceKey, until time.Time) error {
	wait := min(until.Sub(s.now()), maxBlock)
	if wait <= 0 {
		return nil
	}
	return s.updatePace(ctx, "block pace", k, func(row *paceRow) { row.block(ceilMillis(wait)) })
}

// Strike blocks after a refusal for which the provider named no time: for a
// second, twice as long after each refusal that follows, up to 32, as Duo's own
// client does (https://github.com/duosecurity/duo_client_python, checked
// 2026-11-22). Calls that were under way together count once. It returns until
// when.
func (s *Store) Strike(ctx context.Context, k PaceKey) (time.Time, error) {
	var until time.Time
	err := s.updatePace(ctx, "strike pace", k, func(row *paceRow) {
		row.strike()
		until = s.from(row.blocked - row.now)
	})
	if err != nil {
		return time.Time{}, err
	}
	return until, nil
}

// ClearStrikes forgets the strikes, after a call that was answered.
func (s *Store) ClearStrikes(ctx context.Context, k PaceKey) error {
	return s.update(ctx, "clear strikes", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE pace SET strikes = 0 WHERE id = ? AND blocked_until <= `+s.stamp(), k.id(), s.in(0))
		return err
	})
}

// SweepPaces removes the rows that were not used for so long: by then all
// permits are back, and every block is over.
func (s *Store) SweepPaces(ctx context.Context, idle time.Duration) (int64, error) {
	return s.sweep(ctx, "paces", `DELETE FROM pace WHERE id IN (SELECT id FROM pace WHERE used_at <= `+s.stamp()+` LIMIT ?)`,
		s.in(-idle), sweepRows)
}

// paceRow is a row of pace, in milliseconds of the database's clock but for
// spent.
type paceRow struct {
	now      int64
	spent    int64 // microseconds
	blocked  int64
	reserved int64
	strikes  int64
}

// updatePace changes the row of a tenant, which is made where there is none. The
// first statement locks it: of two replicas the second sees what the first did.
func (s *Store) updatePace(ctx context.Context, op string, k PaceKey, change func(row *paceRow)) error {
	return s.update(ctx, op, func(tx *sql.Tx) error {
		var row paceRow
		err := tx.QueryRowContext(ctx, `INSERT INTO pace
			(id, app, tenant, spent_until, blocked_until, reserved_until, strikes, used_at) VALUES (?, ?, ?, 0, 0, 0, 0, `+s.stamp()+`)
			ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at
			RETURNING used_at, spent_until, blocked_until, reserved_until, strikes`,
			k.id(), k.App, k.Tenant, s.in(0)).Scan(&row.now, &row.spent, &row.blocked, &row.reserved, &row.strikes)
		if err != nil {
			return err
		}
		before := row
		if change(&row); row == before {
			return nil
		}
		_, err = tx.ExecContext(ctx, `UPDATE pace SET spent_until = ?, blocked_until = ?, reserved_until = ?, strikes = ? WHERE id = ?`,
			row.spent, row.blocked, row.reserved, row.strikes, k.id())
		return err
	})
}

// stands says whether a time is still to come.
func stands(at, now int64) bool { return at > now && sane(at, now) }

// sane says whether a time may have been written at this moment or before.
func sane(at, now int64) bool { return at <= now+(maxBlock+clockSlip).Milliseconds() }

// isBlocked says whether the provider asked to wait, or did until a moment ago.
func (p *paceRow) isBlocked(late time.Duration) bool {
	return p.blocked > 0 && p.blocked+late.Milliseconds() > p.now && sane(p.blocked, p.now)
}

func (p *paceRow) take(r PermitRequest) Permits {
	switch {
	case p.isBlocked(r.Late):
		return Permits{Wait: span(p.blocked-p.now) + r.Late}
	case r.Yields && stands(p.reserved, p.now):
		return Permits{Wait: span(p.reserved - p.now)}
	}
	granted, spent, wait := r.take(p.spent, p.now*1000, r.Want, r.Leave)
	if granted > 0 {
		p.spent = spent
		return Permits{Granted: granted}
	}
	if r.Holds {
		// Whoever is refused comes back no sooner than in a second, and is then
		// to find what it waited for.
		back := p.now + ceilMillis(min(max(wait, time.Second), maxBlock-time.Second)+time.Second)
		if back > p.reserved || !stands(p.reserved, p.now) {
			p.reserved = back
		}
	}
	return Permits{Wait: wait}
}

func (p *paceRow) block(ms int64) {
	if until := p.now + ms; until > p.blocked || !stands(p.blocked, p.now) {
		p.blocked = until
	}
}

func (p *paceRow) strike() {
	if stands(p.blocked, p.now) {
		return
	}
	p.blocked = p.now + (time.Second << min(max(p.strikes, 0), maxStrike)).Milliseconds()
	p.strikes = min(p.strikes+1, maxStrike+1)
}

// take is the token bucket, kept as one number: spent is when it will be full
// again, each permit coming back one Every after the one before (the generic cell
// rate algorithm of ITU-T I.371). All in microseconds.
func (b Bucket) take(spent, now, want, leave int64) (granted, after int64, wait time.Duration) {
	every := max(b.Every.Microseconds(), 1)
	room := every * b.Burst
	spent = min(max(spent, now), now+room) // what is further off is of another clock, or of a larger bucket
	free := (now+room-spent)/every - leave
	if free > 0 {
		granted = min(free, want)
		return granted, spent + granted*every, 0
	}
	return 0, spent, time.Duration(spent-room+(leave+1)*every-now) * time.Microsecond
}

func span(ms int64) time.Duration { return time.Duration(ms) * time.Millisecond }

// ceilMillis rounds up: a time that is waited for has come when the wait ends.
func ceilMillis(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}
