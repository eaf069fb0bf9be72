package store_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// BenchmarkStates reads what a scrape reads, of 10,000 authorizations whose ingestions have a
// destination each that is owed four batches, once for each operation. With
// SELVEDGE_TEST_ON_POSTGRESQL set it is on PostgreSQL.
func BenchmarkStates(b *testing.B) {
	s := storetest.New(b, nil)
	r := storetest.Make(b, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	c, _, err := s.ClaimRow(b.Context(), store.DutyPoll, r.StreamIDs[0], "test", time.Minute)
	if err != nil {
		b.Fatal(err)
	}
	for range 4 {
		err := s.CommitPage(b.Context(), c, store.PageCommit{
			Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: 1, Bytes: 1, CloseBatch: true, ClosedAt: time.Now(),
			Seen: []store.SeenID{{ID: uuid.New(), Hour: 1}},
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, table := range []string{"app_authorization", "app_grant", "ingestion", "stream", "ingestion_destination", "batch", "delivery"} {
		multiply(b, s, table, 9999)
	}
	reads := map[string]func(context.Context) error{
		"authorizations": drop(s.AuthorizationStats), "ingestions": drop(s.IngestionStats), "destinations": drop(s.DestinationStats),
		"backlog": drop(s.BacklogStats), "silence": drop(s.SilenceStats), "gaps": drop(s.GapStats),
		"duties": func(ctx context.Context) error {
			for _, d := range store.Duties() {
				if _, err := s.DutyStats(ctx, d); err != nil {
					return err
				}
			}
			return nil
		},
		"silent": func(ctx context.Context) error { return s.MarkSilent(ctx, 24*time.Hour) }, // of the sweep
	}
	for name, read := range reads {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func drop[T any](read func(context.Context) (T, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := read(ctx)
		return err
	}
}

// columnsOf names the columns of a table.
func columnsOf(b *testing.B, s *store.Store, table string) []string {
	b.Helper()
	rows, err := s.Writer().QueryContext(b.Context(), `SELECT * FROM `+table)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err = cmp.Or(err, rows.Err()); err != nil {
		b.Fatal(err)
	}
	return columns
}

// multiply makes n copies of each row of a table, with names of their own.
func multiply(b *testing.B, s *store.Store, table string, n int) {
	b.Helper()
	columns := columnsOf(b, s, table)
	own := []string{"id", "tenant_id", "ingestion_id", "destination_id", "batch_id"}
	values := slices.Clone(columns)
	for i, name := range columns {
		if slices.Contains(own, name) {
			values[i] = `CASE WHEN ` + name + ` = '' THEN '' ELSE ` + name + ` || '-' || i END`
		}
	}
	_, err := s.Writer().ExecContext(b.Context(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO %s (%s) SELECT %s FROM %s CROSS JOIN n`, n, table, strings.Join(columns, ", "), strings.Join(values, ", "), table))
	if err != nil {
		b.Fatal(err)
	}
}
