// Package store keeps everything that Selvedge must not forget: the nouns of
// the API, grants, cursors, pages, batches, deliveries, and the duties over
// them. It is the only package that writes SQL.
//
// # Durability
//
// SQLite runs in WAL mode with synchronous=FULL and one writer connection, whose
// waiting transactions share a commit (see group);
// every transaction is immediate, so a method that returned nil has its effect
// on disk. PostgreSQL commits with synchronous_commit on, or stricter where the
// server says so. No transaction spans a network call.
//
// # Two databases
//
// SQL is written once, as SQLite takes it. What PostgreSQL spells in another way
// is in dialect and in rebind; migrations are twins, one file for each database
// under one name.
//
// SQLite has one process and one writer. PostgreSQL has any number of both, at
// READ COMMITTED, so that what is read first and written then needs more than a
// transaction:
//
//   - Changes that a caller asks for take turns within an account and Region
//     (change). Quotas, client tokens, uniqueness and "in use" rest on it.
//   - A batch that closes and a destination that is made take turns by the
//     ingestion's row, so that every destination is owed every batch.
//   - A batch that closes and a destination's claim that ends take turns by the
//     destination's row, so that no wake is lost.
//   - Calls to one tenant of an application take turns by its row of pace, which is
//     the first that their transaction touches, and the last.
//   - Notifications of one subject take turns by a lock of its name, so that one that
//     is made beside the end of the one before it falls due.
//   - Every other write of a duty names its fence, or is one statement.
//
// Rows are locked in the order account, ingestion, stream, destination. What
// deadlocks all the same, or meets a row that has just come or gone, runs again.
// Leases and due times run by the database's clock (see clock.go); a lease of a
// process that is gone ends by itself, and is void at the next start on SQLite
// only.
//
// # Duties
//
// A duty is columns of the row that it serves (see Duty). Claim takes due rows
// under a lease and raises their fence; every later write that the duty makes
// goes through a transaction that names the fence and is refused with
// ErrFenced once another claim has been made. What a crash leaves behind is a
// lease that runs out.
//
// # Notifications
//
// What changes the status of an authorization or destination, opens or heals a
// gap, or finds an ingestion silent writes a notification in the same transaction
// (notification.go). Its id is made of what has changed, so that it is the same
// however often it is sent. Of a subject only the oldest is due.
//
// # Callers
//
// Methods over the API's nouns take a fabric.Caller and see nothing outside of
// its account and Region. Methods for duties take identifiers that a claim
// gave.
package store
