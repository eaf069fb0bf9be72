// Package pipeline has the duties that move events, and the search for users: one
// file for each.
//
// # The way of a record
//
//	poll(stream)          Session.Poll -> one page
//	                      one transaction: page (sealed), ids seen, cursor, ledger
//	                      the page that ends the poll, or fills 8 MiB, closes the
//	                      batch in that transaction and wakes its destinations
//	deliver(destination)  oldest closed batch: freeze place -> render -> sink -> mark -> next
//	sweep                 ends what nobody needs any more
//
// Beside the live tail backfill(window) reads closed windows, in the same way but
// with the last turn at the provider: old windows, where records may have shown
// late; gaps; and what somebody asked for. Which old windows, and how often, is in
// window.go; docs/adr/0008-lateness.md and 0009-bands.md say why and what is promised.
//
// Beside it goes useraccess(task), the search for a user: see UserAccess.
//
// # What survives a crash
//
//	before a page's commit        the page is asked for again, from the same cursor
//	between two pages             the poll goes on behind the last page that was committed
//	before a place is frozen      nothing has left the process
//	after it, before the mark     the same bytes go to the same key again: one object
//	after the mark                the next batch is delivered
//
// Work that ends its process each time is parked by the store, until somebody has
// it begin anew. An old window that nobody asked for becomes a gap before that, or the
// ones behind it would never be read.
//
// A place that refuses a batch has nothing of it: the batch counts as not yet
// begun, and an update of the destination leads it elsewhere.
//
// A stream gets a batch record by record, and may take a part of it. What it did
// not take is written down and sent alone; what an attempt sent that was cut off
// is sent again.
//
// # When a poll fails
//
//	unavailable     tried again, after longer and longer waits
//	throttled       tried again when the provider says; so is a call that was not made because
//	                the tenant is to be left alone, or has had its calls (outbound.Pacer)
//	unauthorized    the grant is refreshed, once; a refused refresh is the token duty's to judge
//	forbidden       shown; tried again at most a quarter of an hour apart
//	cursor expired  reading starts again by time, with the stream's overlap
//	malformed       shown; tried again for 24 hours in one piece, then the window becomes a
//	                gap with what was read kept sealed, and reading goes on behind it;
//	                the gap is tried after an hour, and then ever more rarely for a week
//	no room         an ingestion of which too much is kept, or whose disk is full, is not
//	                polled, says so, and goes on by itself
//
// However a poll ends, what it has read so far is closed into a batch and
// delivered; only one that is paced and goes on within seconds adds to it first.
package pipeline
