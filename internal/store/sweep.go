package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"selvedge/internal/fabric"
)

// sweepRows is how many rows one statement of the sweep removes at the most,
// so that none holds the writer for long.
const sweepRows = 2000

// SweepBatches removes the batches that every destination has had since before
// the given time, and those that nobody was owed and that closed before it. It
// returns how many went; fewer than asked for when no more are left.
func (s *Store) SweepBatches(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "batches", `DELETE FROM batch WHERE id IN (
		SELECT b.id FROM batch b WHERE b.closed_at > 0 AND b.closed_at <= ?
		AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.batch_id = b.id AND (d.done_at = 0 OR d.done_at > ?))
		LIMIT ?)`, millis(before), millis(before), sweepRows)
}

// SweepGrantEvents ends the lineage of grants before the given time.
func (s *Store) SweepGrantEvents(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "grant events", `DELETE FROM grant_event WHERE seq IN (
		SELECT seq FROM grant_event WHERE at < ? LIMIT ?)`, millis(before), sweepRows)
}

func (s *Store) sweep(ctx context.Context, what, query string, args ...any) (int64, error) {
	var n int64
	err := s.update(ctx, "sweep "+what, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// SweepGaps forgets what could not be decoded, found before the given time. The
// gaps themselves stay.
func (s *Store) SweepGaps(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "gaps", `UPDATE gap SET body = x'' WHERE seq IN (
		SELECT seq FROM gap WHERE found_at < ? AND length(body) > 0 LIMIT ?)`, millis(before), sweepRows)
}

// SweepBackfills ends the rows of what was asked for and ended before the given
// time.
func (s *Store) SweepBackfills(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "backfills", `DELETE FROM backfill WHERE id IN (
		SELECT id FROM backfill WHERE ended_at > 0 AND ended_at < ? LIMIT ?)`, millis(before), sweepRows)
}

// Rearm makes due what has no time and should have one: the streams of enabled
// ingestions that have a destination, destinations that are owed batches, and
// the first notification of each subject.
// Rows that were parked stay so. It returns how many there were; more than
// none says that a wake was lost.
func (s *Store) Rearm(ctx context.Context) (int64, error) {
	var total int64
	err := s.update(ctx, "rearm", func(tx *sql.Tx) error {
		total = 0
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{`UPDATE stream SET due_at = ` + s.stamp() + ` WHERE due_at IS NULL AND lease_owner = '' AND last_error <> ?
				AND ingestion_id IN (SELECT i.id FROM ingestion i
					JOIN ingestion_destination d ON d.ingestion_id = i.id WHERE i.state = ?)`,
				[]any{s.in(0), parked, string(fabric.Enabled)}},
			{`UPDATE backfill SET due_at = ` + s.stamp() + ` WHERE due_at IS NULL AND ended_at = 0 AND lease_owner = '' AND last_error <> ?
				AND stream_id IN (SELECT s.id FROM stream s JOIN ingestion i ON i.id = s.ingestion_id
					JOIN ingestion_destination d ON d.ingestion_id = i.id WHERE i.state = ?)`,
				[]any{s.in(0), parked, string(fabric.Enabled)}},
			{`UPDATE ingestion_destination SET due_at = ` + s.stamp() + ` WHERE due_at IS NULL AND lease_owner = '' AND last_error <> ?
				AND EXISTS (SELECT 1 FROM delivery WHERE destination_id = ingestion_destination.id AND done_at = 0)`,
				[]any{s.in(0), parked}},
			{wakeFirst(s), []any{s.in(0), parked}},
		} {
			res, err := tx.ExecContext(ctx, q.sql, q.args...)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			total += n
		}
		return nil
	})
	return total, err
}

// DisableBare disables the enabled ingestions that have had no destination for
// as long as grace, as AppFabric does "eventually". Polls under way are fenced
// off. It returns their ids.
func (s *Store) DisableBare(ctx context.Context, grace time.Duration) ([]string, error) {
	now := s.now()
	var ids []string
	err := s.update(ctx, "disable bare ingestions", func(tx *sql.Tx) error {
		const bare = `NOT EXISTS (SELECT 1 FROM ingestion_destination d WHERE d.ingestion_id = ingestion.id)`
		for _, q := range []struct {
			sql  string
			args []any
		}{
			{`UPDATE ingestion SET bare_since = 0 WHERE bare_since <> 0 AND (state = 'disabled' OR NOT ` + bare + `)`, nil},
			{`UPDATE ingestion SET bare_since = ? WHERE bare_since = 0 AND state = 'enabled' AND ` + bare, []any{millis(now)}},
		} {
			if _, err := tx.ExecContext(ctx, q.sql, q.args...); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, `UPDATE ingestion SET state = 'disabled', bare_since = 0, updated_at = ?
			WHERE bare_since <> 0 AND bare_since <= ? RETURNING id`, millis(now), millis(now.Add(-grace)))
		if err != nil {
			return err
		}
		if ids, err = texts(rows); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE stream SET due_at = NULL, fence = fence + 1
			WHERE due_at IS NOT NULL AND ingestion_id IN (SELECT id FROM ingestion WHERE state = 'disabled')`)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE backfill SET due_at = NULL, fence = fence + 1
			WHERE due_at IS NOT NULL AND stream_id IN (SELECT s.id FROM stream s JOIN ingestion i ON i.id = s.ingestion_id
				WHERE i.state = 'disabled')`)
		return err
	})
	return ids, err
}

// texts reads rows of one text column.
func texts(rows *sql.Rows) ([]string, error) {
	defer rows.Close()
	var all []string
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// Shrink gives pages that deletions left over back to the file system.
// PostgreSQL sees to that by itself.
func (s *Store) Shrink(ctx context.Context) error {
	if s.dialect.shrink == "" {
		return nil
	}
	if _, err := s.writer.ExecContext(ctx, s.dialect.shrink); err != nil {
		return fmt.Errorf("store: shrink: %w", err)
	}
	return nil
}
