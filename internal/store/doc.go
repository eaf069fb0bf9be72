// Package store keeps everything that Selvedge must not forget: the nouns of
// the API, grants, cursors, pages, batches, deliveries, and the duties over
// them. It is the only package that writes SQL.
//
// # Durability
//
// SQLite runs in WAL mode with synchronous=FULL and one writer connection;
// every transaction is immediate, so a method that returned nil has its effect
// on disk. No transaction spans a network call.
//
// # Duties
//
// A duty is columns of the row that it serves (see Duty). Claim takes due rows
// under a lease and raises their fence; every later write that the duty makes
// goes through a transaction that names the fence and is refused with
// ErrFenced once another claim has been made. What a crash leaves behind is a
// lease that runs out.
//
// # Callers
//
// Methods over the API's nouns take a fabric.Caller and see nothing outside of
// its account and Region. Methods for duties take identifiers that a claim
// gave.
package store
