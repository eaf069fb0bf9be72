// Package ocsftest judges, for tests, whether a line is a valid OCSF 1.1.0
// event. It is strict: what the schema does not say may be there, may not. One
// rule is not kept, the length of raw_data, which holds whole records.
//
// The schema is schema-1.1.0.json; gen.go makes it from the export that a public
// Go module carries.
package ocsftest

//go:generate go run gen.go
