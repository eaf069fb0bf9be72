package store

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"selvedge/internal/fabric"
)

// quiet is a query: since when nothing has come of each ingestion that collects. Its time
// begins anew when it is started, and with its first destination, since until then
// nothing is asked for.
const quiet = `WITH parts AS (
		SELECT i.id, i.app, i.silent_since, i.updated_at AS turned, i.state = 'enabled' AS enabled,
			coalesce(s.heard, 0) AS heard, coalesce(t.given, 0) AS given
		FROM ingestion i
		LEFT JOIN (SELECT ingestion_id, max(heard_at) AS heard FROM stream GROUP BY ingestion_id) s ON s.ingestion_id = i.id
		LEFT JOIN (SELECT ingestion_id, min(created_at) AS given FROM ingestion_destination GROUP BY ingestion_id) t ON t.ingestion_id = i.id
	), quiet AS (
		SELECT id, app, silent_since, heard, enabled AND given > 0 AS collects,
			CASE WHEN heard >= turned AND heard >= given THEN heard WHEN turned >= given THEN turned ELSE given END AS since
		FROM parts
	) `

// silence is an ingestion that falls silent, or no longer is.
type silence struct {
	id    string
	told  int64 // since when it is silent, as was told; 0: that it is was not told
	since int64
	heard int64
}

// tellTogether is how many ingestions one transaction of MarkSilent is of.
const tellTogether = 100

// MarkSilent tells of each ingestion that no record has come of for as long as
// after, and of each such that is heard again. One that was stopped meanwhile, or
// started anew, is neither: its silence ends untold.
func (s *Store) MarkSilent(ctx context.Context, after time.Duration) error {
	all, err := list(ctx, s.reader, "find silent ingestions", func(row scanner) (silence, error) {
		var q silence
		return q, row.Scan(&q.id, &q.told, &q.since, &q.heard)
	}, quiet+`SELECT id, silent_since, since, heard FROM quiet
		WHERE silent_since = 0 AND collects AND since <= ? OR silent_since <> 0 AND (NOT collects OR since > silent_since)
		ORDER BY id LIMIT ?`, millis(s.now().Add(-after)), sweepRows)
	for len(all) > 0 && err == nil {
		n := min(len(all), tellTogether)
		some := all[:n]
		all = all[n:]
		err = s.update(ctx, "mark silent ingestions", func(tx *sql.Tx) error {
			for _, q := range some {
				if err := s.markSilent(ctx, tx, q); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return err
}

// markSilent marks one ingestion, unless another replica was first.
func (s *Store) markSilent(ctx context.Context, tx *sql.Tx, q silence) error {
	mark, turn, key := q.since, fabric.IngestionSilent, q.since
	if q.told != 0 {
		mark, turn, key = 0, fabric.IngestionHeard, q.told
	}
	ok, err := touched(tx.ExecContext(ctx, `UPDATE ingestion SET silent_since = ? WHERE id = ? AND silent_since = ?`, mark, q.id, q.told))
	if err != nil || !ok || turn == fabric.IngestionHeard && q.heard <= q.told {
		return err
	}
	i, err := scanIngestion(tx.QueryRowContext(ctx, `SELECT `+ingestionColumns+` FROM ingestion WHERE id = ?`, q.id))
	if err != nil {
		return err
	}
	return s.notify(ctx, tx, strconv.FormatInt(key, 10), turn, fabric.NotificationData{
		ARN: i.ARN().String(), App: i.App, Tenant: i.TenantID, Since: fromMillis(key),
	})
}
