package store

import (
	"context"
	"time"

	"selvedge/internal/fabric"
)

// Batch is records of one stream that are kept.
type Batch struct {
	ID       string
	Stream   string
	ClosedAt time.Time // zero: more may come to it
	Records  int64
}

// NewestBatches reads the batches of an ingestion that were taken in last, the
// newest first: of one stream, or of all where it is empty.
func (s *Store) NewestBatches(ctx context.Context, c fabric.Caller, ingestionID, stream string, n int) ([]Batch, error) {
	return s.batches(ctx, "newest batches", `(cast(? AS text) = '' OR b.stream = ?)
		ORDER BY (b.closed_at = 0) DESC, b.closed_at DESC, b.id LIMIT ?`, c, ingestionID, stream, stream, n)
}

// KeptBatch reads one batch of an ingestion. It answers ErrNotFound.
func (s *Store) KeptBatch(ctx context.Context, c fabric.Caller, ingestionID, id string) (Batch, error) {
	all, err := s.batches(ctx, "kept batch", `b.id = ?`, c, ingestionID, id)
	if err == nil && len(all) == 0 {
		err = wrap("kept batch", ErrNotFound)
	}
	if err != nil {
		return Batch{}, err
	}
	return all[0], nil
}

func (s *Store) batches(ctx context.Context, op, rest string, c fabric.Caller, ingestionID string, more ...any) ([]Batch, error) {
	return list(ctx, s.reader, op, func(row scanner) (Batch, error) {
		var b Batch
		var closed int64
		err := row.Scan(&b.ID, &b.Stream, &closed, &b.Records)
		b.ClosedAt = fromMillis(closed)
		return b, err
	}, `SELECT b.id, b.stream, b.closed_at, b.records FROM batch b JOIN ingestion i ON i.id = b.ingestion_id
		WHERE b.ingestion_id = ? AND i.account = ? AND i.region = ? AND `+rest, append([]any{ingestionID, c.Account, c.Region}, more...)...)
}
