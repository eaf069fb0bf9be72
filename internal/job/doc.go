// Package job runs duties: it claims due rows from the store, works them under
// a lease, and is the only place that waits or tries again.
//
// # A duty's life
//
//	at rest --due--> claimed --Run returns nil--> finished by Run itself, due again when Run said
//	                    |------Run fails-------> due after a wait, with the reason in the row
//	                    |------killed----------> the lease runs out, then due as before
//
// A claim has a fence. Leases of running work are renewed at a quarter of their
// time; work that loses its lease has its context cancelled, and whatever it
// still tries to commit is refused by the fence.
//
// The dispatcher's own statements are bounded in time, so that a database that
// hangs holds up neither workers nor a stop: it goes on when the database does.
//
// # Stopping
//
// Run ends in this order when its context does: no more claims; work under way
// goes on, leases still renewed, until it ends or the grace is over; what is
// left is cancelled and waited for; last, the leases that are still ours are
// given up.
package job
