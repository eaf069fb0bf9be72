// Package fabric has the nouns of AWS AppFabric as the rest of Selvedge uses
// them: app bundles, app authorizations, ingestions, ingestion destinations,
// tags, their ARNs, the caller of an operation, and the one vocabulary of
// errors. It imports the standard library only and does no I/O.
package fabric
