package store

import "github.com/pressly/goose/v3"

// dialect is what the two databases do not have in common. All other SQL is
// written once, in SQLite's spelling of what both understand; the driver of
// PostgreSQL rewrites the rest (see rebind).
type dialect struct {
	goose      goose.Dialect
	migrations string // the folder of its migrations

	tables string // a query for the names of all tables

	// epoch is what the offsets of Store.in count from.
	epoch string

	// pick makes a condition on id of a query for due rows. Rows that another
	// transaction holds are passed over.
	pick func(query string) string

	// Statements that make concurrent transactions take turns; each begins
	// after the other's commit and sees it. Empty where there is one writer.
	lockCaller       string // arguments: account, Region
	lockIngestion    string // argument: stream id
	lockDestinations string // argument: stream id
	lockSubject      string // argument: subject of notifications

	// shrink gives pages that deletions left over back to the file system. Empty
	// where the database does so by itself.
	shrink string

	// passing says of an error that the same transaction may succeed when it
	// is run again.
	passing func(error) bool
}

func sqlite() dialect {
	return dialect{
		goose: goose.DialectSQLite3, migrations: "migrations/sqlite", epoch: "0",
		tables:  `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
		pick:    func(query string) string { return "id IN (" + query + ")" },
		shrink:  `PRAGMA incremental_vacuum(2000)`,
		passing: func(error) bool { return false },
	}
}

func postgres() dialect {
	return dialect{
		goose: goose.DialectPostgres, migrations: "migrations/postgres", epoch: "0::bigint",
		tables: `SELECT table_name FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'`,
		// The array is made once; a subquery with a LIMIT could be run again for
		// each row that is looked at, and lock more.
		pick: func(query string) string { return "id = ANY (ARRAY(" + query + " FOR UPDATE SKIP LOCKED))" },
		lockCaller: `SELECT pg_advisory_xact_lock(hashtextextended(
			current_schema() || ' ' || cast(? AS text) || ' ' || cast(? AS text), 0))`,
		lockIngestion: `SELECT id FROM ingestion WHERE id = (SELECT ingestion_id FROM stream WHERE id = ?) FOR SHARE`,
		lockDestinations: `SELECT id FROM ingestion_destination
			WHERE ingestion_id = (SELECT ingestion_id FROM stream WHERE id = ?) ORDER BY id FOR NO KEY UPDATE`,
		lockSubject: `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' notify ' || cast(? AS text), 0))`,
		passing:     passing,
	}
}

// databaseEpoch makes leases and due times run by PostgreSQL's clock, which is
// the one that replicas share.
const databaseEpoch = "(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
