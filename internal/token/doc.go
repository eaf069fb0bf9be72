// Package token obtains, keeps, refreshes and gives back what providers grant:
// access tokens, refresh tokens, API keys. It is the only package that sees
// them in the open.
//
// # A grant's life
//
//	 none --Connect, Callback--> intent exchange --> answer --> tokens --probe--> Connected
//	                                 |                |                   |
//	                                 | refused        | refused           | refused: the set before
//	                                 v                v                   v comes back, where there is one
//	                            ConnectionValidationFailed  <-------------'
//
//	tokens --half of their life--> intent refresh --> answer --> tokens of the next version
//	                                   |                |
//	                                   | lost, and then | refused
//	                                   v refused        v
//	                              TokenAutoRotationFailed
//
// # Custody
//
// Each request that may use up a code or a refresh token is journalled in three
// transactions: the intent before it is sent; the answer, sealed, before it is
// parsed; the swap, by version, before anything in it is used. All three name
// the fence of the claim on the grant. What a crash leaves is found by the duty
// once the lease has ended:
//
//	intent with answer      the answer is taken in; nothing is sent
//	intent without answer   the row is put off by a grace, once; then the same code or token
//	                        is sent once more; a refusal then is "answer lost"
//
// An answer that the database does not take within two seconds is kept, sealed,
// in a file of this replica, and offered to the database again and again until it
// has it: the grace is for that. A replica that has ended offers it when it
// starts. The first answer that is in the journal stays.
//
// No other path sends a code or token again, but after an answer that says that
// nothing was done (429, 5xx, a 4xx without a word of OAuth) and after a request
// that never left.
//
// A request that uses nothing up is journalled too, and repeated freely: that
// with the client's credential alone (client and account credentials), which
// stands where a refresh stands above, and that with a refresh token of an
// application whose tokens do not rotate. No answer to such a one is ever lost.
//
// A request under way is not cut off by the end of its caller: a browser that
// goes away, or a stop, would cost the grant.
//
// # Scopes
//
// What a provider says that it granted is the fact "scope" of the grant. Where an
// application's answers list all that was asked for, a connection without all of
// it fails; a stream without the scopes of its own rests.
//
// # Statuses
//
// Only a provider's word changes a status; what passes by itself never does. A
// verdict is bound to the generation of the credentials that it is about, so
// that a late one never overwrites what an update has begun.
package token
