package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// failed decides what the failure of a poll means. It returns an error that
// says when to try again, or none when reading can go on at once.
func (r *poll) failed(ctx context.Context, err error) (bool, error) {
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		return false, key // calls cannot be signed; the provider has nothing to do with it
	}
	kind := connector.KindOf(err)
	if kind != connector.Malformed && !r.stream.StuckSince.IsZero() {
		// The day of a page that cannot be decoded counts only in one piece.
		r.stream.StuckSince = time.Time{}
		if serr := r.o.Store.Stuck(ctx, r.claim, time.Time{}); serr != nil {
			return false, serr
		}
	}
	switch kind {
	case connector.Unauthorized:
		return false, r.unauthorized(ctx, err)
	case connector.Forbidden:
		return false, &job.Retry{After: min(restShown, job.Backoff(r.claim.Attempt+4)), Reason: reasonOf(err), Err: err}
	case connector.Throttled:
		return false, &job.Retry{After: r.throttled(err), Reason: reasonOf(err), Err: err}
	case connector.CursorExpired:
		return false, r.restart(ctx, err)
	case connector.Malformed:
		return false, r.malformed(ctx, err)
	default:
		return false, &job.Retry{After: job.Backoff(r.claim.Attempt), Reason: reasonOf(err), Err: err}
	}
}

// reasonOf is what may be shown of a provider's failure: its kind and its own
// words. The text of other errors stays inside.
func reasonOf(err error) string {
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		return "the provider could not be reached"
	}
	s := e.Op + ": " + e.Kind.String()
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// throttled is how long the provider asks to wait, within reason: a clock that
// is off must not stop a stream for a day.
func (r *poll) throttled(err error) time.Duration {
	const longest = time.Hour
	e, ok := errors.AsType[*connector.Error](err)
	if !ok || e.Until.IsZero() {
		return max(waitThrottled, job.Backoff(r.claim.Attempt))
	}
	return min(max(e.Until.Sub(r.o.Now()), time.Second), longest)
}

// unauthorized follows up a 401. It is no disconnection: the grant is refreshed
// once, and only what the provider says to that decides. A key cannot be
// refreshed; one that was not accepted twice is the user's to mend.
func (r *poll) unauthorized(ctx context.Context, err error) error {
	denied, version := r.stream.Denied, r.grant.Version
	if derr := r.o.Store.Denied(ctx, r.claim, version); derr != nil {
		return derr
	}
	if r.auth.AuthType == fabric.AuthAPIKey {
		if denied != version {
			return &job.Retry{After: waitThrottled, Reason: reasonOf(err), Err: err}
		}
		if rerr := r.o.Grants.Rejected(ctx, r.auth, reasonOf(err)); rerr != nil {
			return rerr
		}
		return &job.Retry{After: restShown, Reason: reasonOf(err), Err: err}
	}
	if denied != 0 && denied != version {
		// The token that came of a refresh is not accepted either.
		return &job.Retry{After: min(restShown, job.Backoff(r.claim.Attempt+4)), Reason: reasonOf(err), Err: err}
	}
	if eerr := r.o.Grants.Expedite(ctx, r.auth.ID); eerr != nil {
		return eerr
	}
	r.o.Wake()
	wait := waitRefresh
	if denied == version {
		wait = job.Backoff(r.claim.Attempt)
	}
	return &job.Retry{After: wait, Reason: reasonOf(err), Err: err}
}

// accepted takes an earlier verdict on an API key back, because the provider
// has accepted the key again.
func (r *poll) accepted(ctx context.Context) error {
	if r.auth.AuthType != fabric.AuthAPIKey || r.auth.Status != fabric.ConnectionValidationFailed ||
		r.grant.Generation != r.auth.Generation {
		return nil
	}
	r.auth.Status = fabric.Connected
	return r.o.Store.SetAuthorizationStatus(ctx, r.claim, r.auth.ID, store.Verdict{
		Generation: r.auth.Generation, Status: fabric.Connected,
	})
}

// restart goes on by time when the provider no longer knows the cursor. What is
// read again is dropped by its ids.
func (r *poll) restart(ctx context.Context, err error) error {
	if r.expired {
		return &job.Retry{After: job.Backoff(r.claim.Attempt), Reason: reasonOf(err), Err: err}
	}
	r.expired = true
	// Of a feed that was quiet the newest record is old, and the ids from that
	// time are forgotten: the last poll had read everything up to the watermark.
	from := r.cursor.From
	if known := r.stream.Watermark.Add(time.Hour - keepSeen); from.Before(known) {
		from = known
	}
	next := connector.Cursor{From: r.notBeforeStart(from.Add(-r.spec.Overlap)), To: r.cursor.To}
	if r.window != nil {
		next = connector.Cursor{From: r.stream.ReadFrom, To: r.until} // its interval, from the beginning
	}
	r.o.Log.WarnContext(ctx, "the provider no longer knows the cursor; reading goes on by time",
		"stream", r.claim.ID, "from", next.From, "reason", reasonOf(err))
	cursor, jerr := json.Marshal(next)
	if jerr != nil {
		return fmt.Errorf("pipeline: cursor: %w", jerr)
	}
	if serr := r.o.Store.Restart(ctx, r.claim, string(cursor), next.From); serr != nil {
		return serr
	}
	r.cursor, r.stream.ReadFrom = next, next.From
	if r.window == nil {
		return r.lose(ctx, next.From)
	}
	return nil
}

// malformed shows a page that cannot be decoded and tries again, for a day.
// Then what was read is kept sealed, the window is a gap with a name, and the
// cursor goes on behind it: at the next page, where the answer told it; else at
// the time at which the trouble began, so that what came since is not given up.
func (r *poll) malformed(ctx context.Context, err error) error {
	now := r.o.Now()
	if r.window != nil && r.window.Kind == store.BackfillGap {
		return err // one attempt; the next is at another time
	}
	if r.stream.StuckSince.IsZero() {
		if serr := r.o.Store.Stuck(ctx, r.claim, now); serr != nil {
			return serr
		}
		r.stream.StuckSince = now
	}
	if now.Sub(r.stream.StuckSince) < giveUpOnPage || r.claim.Attempt < patienceWithPage {
		return &job.Retry{After: min(restShown, job.Backoff(r.claim.Attempt)), Reason: reasonOf(err), Err: err}
	}
	gap := store.Gap{
		Interval: store.Interval{From: r.cursor.From, To: r.stream.StuckSince}, Reason: reasonOf(err), FoundAt: now, TryAt: now.Add(healFirst),
	}
	if r.window != nil {
		gap.Interval = store.Interval{From: r.stream.ReadFrom, To: r.until}
	}
	next, readFrom := connector.Cursor{From: r.stream.StuckSince}, r.stream.StuckSince
	e, _ := errors.AsType[*connector.Error](err)
	switch {
	case e.Next != (connector.Cursor{}):
		next, readFrom = e.Next, r.stream.ReadFrom // one page of what is being read
	case r.window != nil:
		next, readFrom = connector.Cursor{}, r.until
	case !r.cursor.To.IsZero():
		next, readFrom, gap.To = connector.Cursor{From: r.cursor.To}, r.cursor.To, r.cursor.To
	}
	var serr error
	place := secret.Context{Bundle: r.ing.BundleID, Owner: r.claim.ID, Field: "gap", Version: 1}
	if gap.Body, serr = r.o.Keys.Seal(ctx, place, e.Body); serr != nil {
		return serr
	}
	cursor, jerr := json.Marshal(next)
	if jerr != nil {
		return fmt.Errorf("pipeline: cursor: %w", jerr)
	}
	if next == (connector.Cursor{}) {
		cursor, r.window.Cursor = nil, ""
	}
	r.o.Log.ErrorContext(ctx, "a page could not be decoded for a day; it is kept, and reading goes on behind it",
		"stream", r.claim.ID, "from", gap.From, "to", gap.To, "reason", gap.Reason)
	if serr := r.o.Store.CommitGap(ctx, r.claim, r.stream.ID, gap, string(cursor), readFrom); serr != nil {
		return serr
	}
	r.o.Ledger.Gap(r.ing.App, "found")
	r.cursor, r.stream.ReadFrom, r.stream.StuckSince, r.started = next, readFrom, time.Time{}, now
	return nil
}
