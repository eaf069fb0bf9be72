package store

import (
	"context"
	"database/sql"
	"time"
)

// Volume is how many records an ingestion has taken in within an hour.
type Volume struct {
	Hour    time.Time // its beginning
	Records int64
}

// hourNumber counts hours since 1970.
func hourNumber(t time.Time) int64 { return t.Unix() / 3600 }

// countVolume adds a page to the volume of its hour.
func (s *Store) countVolume(ctx context.Context, tx *sql.Tx, p PageCommit) error {
	if p.Records == 0 {
		return nil
	}
	now := s.now()
	_, err := tx.ExecContext(ctx, `
		INSERT INTO volume (ingestion_id, hour, records, last_at)
		SELECT ingestion_id, ?, ?, ? FROM stream WHERE id = ?
		ON CONFLICT (ingestion_id, hour) DO UPDATE SET records = volume.records + excluded.records, last_at = excluded.last_at`,
		hourNumber(now), p.Records, millis(now), p.StreamID)
	return err
}

// volumes reads the hours of ingestions from the given time, by their id and in
// order of time.
func (s *Store) volumes(ctx context.Context, ingestionIDs []string, from time.Time) (map[string][]Volume, error) {
	all := make(map[string][]Volume, len(ingestionIDs))
	if len(ingestionIDs) == 0 {
		return all, nil
	}
	in, args := among(ingestionIDs)
	_, err := list(ctx, s.reader, "volumes", func(row scanner) (struct{}, error) {
		var id string
		var hour int64
		var v Volume
		err := row.Scan(&id, &hour, &v.Records)
		v.Hour = time.Unix(hour*3600, 0).UTC()
		all[id] = append(all[id], v)
		return struct{}{}, err
	}, `SELECT ingestion_id, hour, records FROM volume WHERE ingestion_id `+in+` AND hour >= ? ORDER BY ingestion_id, hour`,
		append(args, hourNumber(from))...)
	return all, err
}

// SweepVolumes forgets the hours before the given time. The newest hour of each
// ingestion stays: it says when something came last.
func (s *Store) SweepVolumes(ctx context.Context, before time.Time) (int64, error) {
	return s.sweep(ctx, "volumes", `DELETE FROM volume WHERE (ingestion_id, hour) IN (
		SELECT v.ingestion_id, v.hour FROM volume v WHERE v.hour < ?
		AND EXISTS (SELECT 1 FROM volume n WHERE n.ingestion_id = v.ingestion_id AND n.hour > v.hour) LIMIT ?)`,
		hourNumber(before), sweepRows)
}
