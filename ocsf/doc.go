// Package ocsf has the events that Selvedge delivers: OCSF 1.1.0, strictly
// valid, as JSON lines.
//
// A mapping fills an Event, which is plain typed fields; AppendJSON writes it.
// What the schema says of an event is decided here and nowhere else: which
// attributes its class has, which of them must be there, the captions that
// belong to its ids, and what an address must look like. So a mapping may set
// whatever a record tells. An attribute that the class does not have, or that
// would not be valid, is left out; Fits tells whether what is left satisfies the
// class.
//
// An Event is made for reuse. Reset empties it and keeps its memory, so that a
// warm event is filled and written without allocating. Its strings live until
// the next Reset. An Event is used by one goroutine at a time.
//
// Facts of the schema: https://schema.ocsf.io/1.1.0 (checked 2026-11-22).
package ocsf
