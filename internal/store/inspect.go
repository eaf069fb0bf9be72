package store

import (
	"context"
	"database/sql"
	"time"

	"selvedge/internal/fabric"
)

// StreamState is how reading a stream goes, for people.
type StreamState struct {
	ID        string // see Coverage and Gaps
	Name      string
	Cursor    string // JSON; the store does not look inside
	ReadFrom  time.Time
	Watermark time.Time // all before it is read
	Due       time.Time // of the next poll; zero: none
	Attempt   int64     // of the poll; 0 after a success
	LastError string    // in words that are meant for a user; empty: none
	Lateness  string    // JSON; the store does not look inside
}

// StreamStates reads the streams of an ingestion by name.
func (s *Store) StreamStates(ctx context.Context, c fabric.Caller, ingestionID string) ([]StreamState, error) {
	return list(ctx, s.reader, "read streams", func(row scanner) (StreamState, error) {
		var st StreamState
		var readFrom, watermark int64
		var due sql.NullInt64
		err := row.Scan(&st.ID, &st.Name, &st.Cursor, &readFrom, &watermark, &due, &st.Attempt, &st.LastError, &st.Lateness)
		st.ReadFrom, st.Watermark, st.Due = fromMillis(readFrom), fromMillis(watermark), fromMillis(due.Int64)
		return st, err
	}, `SELECT s.id, s.name, s.cursor, s.read_from, s.watermark, s.due_at, s.attempt, s.last_error, s.lateness
		FROM stream s JOIN ingestion i ON i.id = s.ingestion_id
		WHERE i.id = ? AND i.account = ? AND i.region = ? ORDER BY s.name`, ingestionID, c.Account, c.Region)
}

// Backlog is what a destination is owed.
type Backlog struct {
	DestinationID string
	Batches       int64
	Records       int64
	Oldest        time.Time // closing time of the oldest batch; zero: nothing is owed
	Due           time.Time // of the next delivery; zero: none
	Undelivered   int64     // records that could never be delivered, each too large for the destination
	LastError     string    // in words that are meant for a user; empty: none
}

// Backlogs reads what each destination of an ingestion is owed, in the order of
// their creation.
func (s *Store) Backlogs(ctx context.Context, c fabric.Caller, ingestionID string) ([]Backlog, error) {
	return list(ctx, s.reader, "read backlogs", func(row scanner) (Backlog, error) {
		var b Backlog
		var oldest int64
		var due sql.NullInt64
		err := row.Scan(&b.DestinationID, &b.Batches, &b.Records, &oldest, &due, &b.LastError, &b.Undelivered)
		b.Oldest, b.Due = fromMillis(oldest), fromMillis(due.Int64)
		return b, err
	}, `SELECT t.id, count(b.id), cast(coalesce(sum(b.records), 0) AS bigint), coalesce(min(d.closed_at), 0), t.due_at, t.last_error, t.undelivered
		FROM ingestion_destination t
		LEFT JOIN delivery d ON d.destination_id = t.id AND d.done_at = 0
		LEFT JOIN batch b ON b.id = d.batch_id
		WHERE t.ingestion_id = ? AND t.account = ? AND t.region = ?
		GROUP BY t.id ORDER BY t.created_at, t.id`, ingestionID, c.Account, c.Region)
}

// Sizes counts the rows of all tables. It is slow.
func (s *Store) Sizes(ctx context.Context) (map[string]int64, error) {
	tables, err := list(ctx, s.reader, "sizes", func(row scanner) (string, error) {
		var name string
		return name, row.Scan(&name)
	}, s.dialect.tables)
	if err != nil {
		return nil, err
	}
	sizes := make(map[string]int64, len(tables))
	for _, table := range tables {
		var n int64
		if err := s.reader.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&n); err != nil {
			return nil, wrap("sizes", err)
		}
		sizes[table] = n
	}
	return sizes, nil
}
