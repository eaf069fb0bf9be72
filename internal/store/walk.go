package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
)

// Met is how often a walk has met a record that has no id of its provider's.
type Met struct {
	ID    [16]byte // a hash of its content
	Times int64
}

// Met returns how often the walk of a stream or backfill has met each of the
// records so far.
func (s *Store) Met(ctx context.Context, walkID string, ids [][16]byte) (map[[16]byte]int64, error) {
	met := make(map[[16]byte]int64, len(ids))
	for part := range slices.Chunk(ids, seenChunk) {
		args := []any{walkID}
		for i := range part {
			args = append(args, part[i][:])
		}
		rows, err := s.reader.QueryContext(ctx, `SELECT id, times FROM walk WHERE walk_id = ? AND id IN (?`+
			strings.Repeat(", ?", len(part)-1)+`)`, args...)
		if err != nil {
			return nil, fmt.Errorf("store: met: %w", err)
		}
		if err := readMet(rows, met); err != nil {
			return nil, fmt.Errorf("store: met: %w", err)
		}
	}
	return met, nil
}

func readMet(rows *sql.Rows, met map[[16]byte]int64) error {
	defer rows.Close()
	for rows.Next() {
		var id []byte
		var times int64
		if err := rows.Scan(&id, &times); err != nil {
			return err
		}
		met[[16]byte(id)] = times
	}
	return rows.Err()
}

func meet(ctx context.Context, tx *sql.Tx, walkID string, met []Met) error {
	for part := range slices.Chunk(met, seenChunk/2) {
		var args []any
		for i := range part {
			args = append(args, walkID, part[i].ID[:], part[i].Times)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO walk (walk_id, id, times) VALUES (?, ?, ?)`+strings.Repeat(", (?, ?, ?)", len(part)-1)+`
			ON CONFLICT (walk_id, id) DO UPDATE SET times = excluded.times`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}
