package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Duty is a table whose rows are work that recurs.
type Duty string

// The duties. Each is the name of its table.
const (
	DutyPoll       Duty = "stream"
	DutyDeliver    Duty = "ingestion_destination"
	DutyRefresh    Duty = "app_grant"
	DutySweep      Duty = "sweep"
	DutyUserAccess Duty = "user_access_task"
	DutyBackfill   Duty = "backfill"
	DutyNotify     Duty = "notification"
)

// Duties is all of them.
func Duties() []Duty {
	return []Duty{DutyPoll, DutyDeliver, DutyRefresh, DutyUserAccess, DutyBackfill, DutyNotify, DutySweep}
}

// Claim is the right to work on one row until the lease ends. Every write made
// under it names its fence.
type Claim struct {
	Duty    Duty
	ID      string
	Fence   int64
	Attempt int64     // this one included; 1 after a success
	Crashes int64     // claims in a row before this one whose process ended with them
	Due     time.Time // when the row was due; zero: it has never had a time
}

// maxCrashes is after how many claims in a row that never finished a row is
// parked: work that kills its process must not do so for ever.
const maxCrashes = 20

// parked is the last_error of a parked row.
const parked = "parked: its work was begun 20 times and ended the server each time; the log has more"

// Claim takes up to n due rows that nobody holds, oldest first.
func (s *Store) Claim(ctx context.Context, d Duty, owner string, lease time.Duration, n int) ([]Claim, error) {
	var claims []Claim
	err := s.update(ctx, "claim "+string(d), func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE `+string(d)+`
			SET lease_owner = ?, lease_until = `+s.stamp()+`, fence = fence + 1, attempt = attempt + 1,
			    crashes = CASE WHEN lease_owner = '' THEN 0 ELSE crashes + 1 END
			WHERE `+s.dialect.pick(`SELECT id FROM `+string(d)+`
				WHERE due_at <= `+s.stamp()+` AND lease_until <= `+s.stamp()+` ORDER BY due_at LIMIT ?`)+`
			RETURNING id, fence, attempt, crashes, nullif(due_at, 0) - `+s.stamp(),
			owner, s.in(lease), s.in(0), s.in(0), n, s.in(0))
		if err != nil {
			return err
		}
		claims, err = s.park(ctx, tx, d, rows)
		return err
	})
	return claims, err
}

// park takes the claims off rows and puts those away that crashed too often.
func (s *Store) park(ctx context.Context, tx *sql.Tx, d Duty, rows *sql.Rows) ([]Claim, error) {
	defer rows.Close()
	var claims []Claim
	var broken []string
	for rows.Next() {
		c := Claim{Duty: d}
		var due sql.NullInt64
		if err := rows.Scan(&c.ID, &c.Fence, &c.Attempt, &c.Crashes, &due); err != nil {
			return nil, err
		}
		if due.Valid {
			c.Due = s.from(due.Int64)
		}
		if c.Crashes >= maxCrashes && d != DutySweep {
			broken = append(broken, c.ID)
			continue
		}
		claims = append(claims, c)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, id := range broken {
		_, err := tx.ExecContext(ctx, `UPDATE `+string(d)+`
			SET due_at = NULL, lease_owner = '', lease_until = 0, last_error = ? WHERE id = ?`, parked, id)
		if err != nil {
			return nil, err
		}
	}
	return claims, nil
}

// ClaimRow takes one row whether it is due or not, unless somebody holds it:
// then the answer is false.
func (s *Store) ClaimRow(ctx context.Context, d Duty, id, owner string, lease time.Duration) (Claim, bool, error) {
	c := Claim{Duty: d, ID: id, Due: s.now()}
	err := s.update(ctx, "claim "+string(d), func(tx *sql.Tx) error {
		return notFound(tx.QueryRowContext(ctx, `UPDATE `+string(d)+`
			SET lease_owner = ?, lease_until = `+s.stamp()+`, fence = fence + 1, attempt = attempt + 1
			WHERE id = ? AND lease_until <= `+s.stamp()+` RETURNING fence, attempt`,
			owner, s.in(lease), id, s.in(0)).Scan(&c.Fence, &c.Attempt))
	})
	if errors.Is(err, ErrNotFound) {
		return Claim{}, false, nil
	}
	return c, err == nil, err
}

// Renew puts the end of a lease off. It answers ErrFenced when the claim is no
// longer the newest.
func (s *Store) Renew(ctx context.Context, c Claim, lease time.Duration) error {
	return s.update(ctx, "renew "+string(c.Duty), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+` SET lease_until = `+s.stamp()+`
			WHERE id = ? AND fence = ? AND lease_owner <> ''`, s.in(lease), c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Finish ends a claim without an effect of its own: the row is due again at
// the given time (zero: not at all), and its failures are forgotten.
func (s *Store) Finish(ctx context.Context, c Claim, due time.Time) error {
	return s.update(ctx, "finish "+string(c.Duty), func(tx *sql.Tx) error {
		return s.finish(ctx, tx, c, due)
	})
}

// Fail ends a claim that came to nothing: the row is tried again at the given
// time, and shows why it was not done.
func (s *Store) Fail(ctx context.Context, c Claim, due time.Time, reason string) error {
	return s.update(ctx, "fail "+string(c.Duty), func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+`
			SET due_at = `+s.stamp()+`, lease_owner = '', lease_until = 0, crashes = 0, last_error = ?
			WHERE id = ? AND fence = ?`, s.at(due), reason, c.ID, c.Fence)
		return oneOr(res, err, ErrFenced)
	})
}

// Wake makes a row due now. A claim under way is not told, and its end sets the
// time anew: whoever wakes a row for work that the claim may miss makes sure of
// it by another way, as FinishDeliver does.
func (s *Store) Wake(ctx context.Context, d Duty, id string) error {
	return s.update(ctx, "wake "+string(d), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE `+string(d)+` SET due_at = `+s.stamp()+` WHERE id = ?`, s.in(0), id)
		return err
	})
}

// NextDue returns when the next row that nobody holds is due; false when there
// is none. A row that somebody holds counts from the end of its lease.
func (s *Store) NextDue(ctx context.Context, d Duty) (time.Time, bool, error) {
	var ms sql.NullInt64
	err := s.reader.QueryRowContext(ctx,
		`SELECT min(CASE WHEN due_at > lease_until THEN due_at ELSE lease_until END) - `+s.stamp()+`
		FROM `+string(d)+` WHERE due_at IS NOT NULL`, s.in(0)).Scan(&ms)
	if err != nil {
		return time.Time{}, false, fmt.Errorf("store: next due %s: %w", d, err)
	}
	return s.from(ms.Int64), ms.Valid, nil
}

// Release gives up all leases of an owner, after its work has ended. Their
// rows are due as they were, and what was stopped is no attempt.
func (s *Store) Release(ctx context.Context, d Duty, owner string) error {
	return s.update(ctx, "release "+string(d), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE `+string(d)+`
			SET lease_owner = '', lease_until = 0, fence = fence + 1,
			    attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END WHERE lease_owner = ?`, owner)
		return err
	})
}

// farAhead is beyond every time that a poll, a delivery or a sweep is put off
// by: a row that is due later was put off by a clock that has gone back since.
const farAhead = 25 * time.Hour

// voidLeases ends every lease at start: on SQLite the process that held them
// is gone. The owner stays, so that the next claim counts a crash.
func (s *Store) voidLeases(ctx context.Context) error {
	return s.update(ctx, "void leases", func(tx *sql.Tx) error {
		for _, d := range Duties() {
			err := execAll(ctx, tx, []statement{
				{`UPDATE ` + string(d) + ` SET lease_until = 0 WHERE lease_until <> 0`, nil},
				{`UPDATE ` + string(d) + ` SET due_at = ? WHERE due_at > ?`, []any{millis(s.now()), millis(s.now().Add(farAhead))}},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// fenced refuses the transaction of a claim that is no longer the newest.
func fenced(ctx context.Context, tx *sql.Tx, c Claim) error {
	res, err := tx.ExecContext(ctx,
		`UPDATE `+string(c.Duty)+` SET fence = fence WHERE id = ? AND fence = ?`, c.ID, c.Fence)
	return oneOr(res, err, ErrFenced)
}

// finish ends a claim within a transaction that has effects.
func (s *Store) finish(ctx context.Context, tx *sql.Tx, c Claim, due time.Time) error {
	res, err := tx.ExecContext(ctx, `UPDATE `+string(c.Duty)+`
		SET due_at = `+s.stamp()+`, lease_owner = '', lease_until = 0, attempt = 0, crashes = 0, last_error = ''
		WHERE id = ? AND fence = ?`, s.at(due), c.ID, c.Fence)
	return oneOr(res, err, ErrFenced)
}

// DutyStats is how the rows of a duty stand, for metrics and the console.
type DutyStats struct {
	Scheduled int64         // rows that have a time
	Held      int64         // rows under a lease
	Expired   int64         // rows whose lease ran out with its work unfinished
	Parked    int64         // rows put away because their work never finished
	Failing   int64         // rows whose last attempt failed
	Late      time.Duration // how long the first row that nobody holds has been due
}

// DutyStats returns how the rows of a duty stand.
func (s *Store) DutyStats(ctx context.Context, d Duty) (DutyStats, error) {
	var st DutyStats
	var late sql.NullInt64
	err := s.reader.QueryRowContext(ctx, `SELECT
		count(due_at),
		count(*) FILTER (WHERE lease_until > `+s.stamp()+`),
		count(*) FILTER (WHERE lease_owner <> '' AND lease_until <= `+s.stamp()+`),
		count(*) FILTER (WHERE due_at IS NULL AND last_error = ?),
		count(*) FILTER (WHERE last_error <> ''),
		`+s.stamp()+` - min(due_at) FILTER (WHERE lease_until <= `+s.stamp()+` AND due_at > 0)
		FROM `+string(d), s.in(0), s.in(0), parked, s.in(0), s.in(0)).Scan(&st.Scheduled, &st.Held, &st.Expired, &st.Parked, &st.Failing, &late)
	if err != nil {
		return DutyStats{}, fmt.Errorf("store: duty stats %s: %w", d, err)
	}
	st.Late = time.Duration(max(0, late.Int64)) * time.Millisecond
	return st, nil
}
