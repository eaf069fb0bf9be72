package store

import (
	"context"
	"time"
)

// Tally is how many rows of an application have a status.
type Tally struct {
	App    string
	Status string
	Count  int64
}

// tally makes what reads one kind of Tally.
func (s *Store) tally(ctx context.Context, op, query string) ([]Tally, error) {
	return list(ctx, s.reader, op, func(row scanner) (Tally, error) {
		var t Tally
		return t, row.Scan(&t.App, &t.Status, &t.Count)
	}, query)
}

// AuthorizationStats counts the app authorizations of all accounts.
func (s *Store) AuthorizationStats(ctx context.Context) ([]Tally, error) {
	return s.tally(ctx, "authorization stats", `SELECT app, status, count(*) FROM app_authorization GROUP BY app, status ORDER BY app, status`)
}

// IngestionStats counts the ingestions of all accounts by their states.
func (s *Store) IngestionStats(ctx context.Context) ([]Tally, error) {
	return s.tally(ctx, "ingestion stats", `SELECT app, state, count(*) FROM ingestion GROUP BY app, state ORDER BY app, state`)
}

// DestinationStats counts the destinations of all accounts.
func (s *Store) DestinationStats(ctx context.Context) ([]Tally, error) {
	return s.tally(ctx, "destination stats", `SELECT i.app, t.status, count(*)
		FROM ingestion_destination t JOIN ingestion i ON i.id = t.ingestion_id GROUP BY i.app, t.status ORDER BY i.app, t.status`)
}

// BacklogStat is what the destinations of an application are owed: each batch
// counts once for each of them.
type BacklogStat struct {
	App     string
	Batches int64
	Bytes   int64         // of the records, before compression
	Age     time.Duration // since the oldest of them was closed
}

// BacklogStats reads what is owed to destinations.
func (s *Store) BacklogStats(ctx context.Context) ([]BacklogStat, error) {
	now := millis(s.now())
	return list(ctx, s.reader, "backlog stats", func(row scanner) (BacklogStat, error) {
		var b BacklogStat
		var oldest int64
		err := row.Scan(&b.App, &b.Batches, &b.Bytes, &oldest)
		b.Age = time.Duration(max(0, now-oldest)) * time.Millisecond
		return b, err
	}, `SELECT i.app, count(*), cast(sum(b.bytes) AS bigint), min(d.closed_at)
		FROM delivery d JOIN batch b ON b.id = d.batch_id JOIN ingestion i ON i.id = b.ingestion_id
		WHERE d.done_at = 0 GROUP BY i.app ORDER BY i.app`)
}

// SilenceStat is for how long the ingestions of an application have been
// without a record, of those that collect.
type SilenceStat struct {
	App     string
	Longest time.Duration // of the one that was heard least recently
	Silent  int64         // how many MarkSilent has found silent
}

// SilenceStats reads for how long nothing has come.
func (s *Store) SilenceStats(ctx context.Context) ([]SilenceStat, error) {
	now := millis(s.now())
	return list(ctx, s.reader, "silence stats", func(row scanner) (SilenceStat, error) {
		var q SilenceStat
		var since int64
		err := row.Scan(&q.App, &since, &q.Silent)
		q.Longest = time.Duration(max(0, now-since)) * time.Millisecond
		return q, err
	}, quiet+`SELECT app, min(since), count(*) FILTER (WHERE silent_since <> 0) FROM quiet WHERE collects GROUP BY app ORDER BY app`)
}
