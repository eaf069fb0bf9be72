package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// errand is one request that is journalled: what is needed to send it, and what
// stands in its way.
type errand struct {
	grant   store.Grant
	claim   store.Claim
	kind    store.IntentKind
	key     string // names the code or token
	request []byte // sealed: kept in the journal
	call    call
	secrets []string
	began   time.Time // of an exchange: when it was first tried
	free    bool      // the request uses nothing up: it may be sent as often as need be
	lost    bool      // sent before, and the answer is missing
	stay    bool      // whoever runs the errand goes on under the claim
}

const (
	// answerTime is for the database to take an answer. Then a file takes it: a
	// database that hangs must not keep a token in memory for as long as a lease.
	answerTime = 2 * time.Second
	// settleTime is for all else that is written about a request after its end.
	settleTime = 20 * time.Second
	// resendGrace is for whoever may have the answer that is missing to bring it,
	// before the same is sent again. With the lease and the dispatcher's rest it
	// is less than the 10 s after which the duties of the dead go on.
	resendGrace = 3 * time.Second
)

// settling is for what must be written, whoever has given up waiting.
func settling(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), settleTime)
}

// run sends the errand and returns its answer, which is in the journal. On
// error the intent is in the journal if the provider may have seen the request,
// and a *job.Retry says so.
func (m *Manager) run(ctx context.Context, e *errand) (answer, error) {
	// The answer must be sealed when it is here, wherever the key is by then.
	key, err := m.o.Keys.Hold(ctx, e.grant.Authorization.BundleID)
	if err != nil {
		return answer{}, fmt.Errorf("token: %w", err)
	}
	err = m.o.Store.BeginIntent(ctx, e.claim, store.Intent{Kind: e.kind, Key: e.key, At: m.o.Now(), Request: e.request})
	if err != nil {
		return answer{}, err
	}
	if err := m.o.step("intent"); err != nil {
		return answer{}, err
	}
	a, err := m.post(ctx, e.call)
	a.Again = e.lost
	ctx, cancel := settling(ctx)
	defer cancel()
	if err != nil {
		return answer{}, m.unanswered(ctx, *e, err)
	}
	if err := m.o.step("answered"); err != nil {
		return answer{}, err
	}
	err = m.journal(ctx, key, *e, a)
	if errors.Is(err, store.ErrAnswered) {
		// The first request of two had its answer after all, and it came while
		// this one was on its way.
		if e.grant, err = m.o.Store.LoadGrant(ctx, e.claim.ID); err == nil {
			return m.journalled(ctx, e)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return a, m.o.step("stored")
}

// unanswered ends an errand that brought nothing. What never left can be sent
// like new; anything else counts as lost from here on, unless it uses nothing up,
// and nobody has an answer to wait for.
func (m *Manager) unanswered(ctx context.Context, e errand, cause error) error {
	reason, left := "the token endpoint did not answer", m.o.Store.DeferIntent
	if errors.Is(cause, errUnsent) {
		reason = "the token endpoint could not be reached"
		left = func(ctx context.Context, _ store.Claim, _ time.Duration) error { return m.leave(ctx, e) }
	}
	if err := left(ctx, e.claim, 0); err != nil {
		return err
	}
	return m.retry(e, reason, time.Time{}, cause)
}

// leave ends an errand that the provider did nothing about. An answer that is
// missing since before stays missing.
func (m *Manager) leave(ctx context.Context, e errand) error {
	if e.kind == store.IntentRefresh && !e.lost {
		return m.o.Store.ClearIntent(ctx, e.claim)
	}
	return m.o.Store.KeepIntent(ctx, e.claim, e.lost)
}

// journal makes the answer durable: in the row, or in a file while the database
// does not take it.
func (m *Manager) journal(ctx context.Context, key secret.Held, e errand, a answer) error {
	doc, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("token: seal %s: %w", fieldAnswer, err)
	}
	sealed, err := key.Seal(sealedAt(e.grant.Authorization, fieldAnswer, e.grant.Version), doc)
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	err = m.storeAnswer(ctx, e, sealed)
	if err == nil || errors.Is(err, store.ErrAnswered) {
		return err
	}
	if errors.Is(err, store.ErrFenced) {
		// Another claim has been made, but the answer is the grant: whoever has
		// the claim finds it with the intent, which still names what was sent.
		bounded, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		_, aerr := m.o.Store.AdoptAnswer(bounded, e.claim.ID, e.key, sealed)
		if aerr == nil {
			return err
		}
		err = errors.Join(err, aerr)
	}
	if ferr := m.rescue(e.claim.ID, e.key, sealed); ferr != nil {
		return errors.Join(err, ferr)
	}
	m.logger(e.grant.Authorization).ErrorContext(ctx, "the database did not take an answer; it is kept in a file until it does", "error", err)
	return err
}

func (m *Manager) storeAnswer(ctx context.Context, e errand, sealed []byte) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return m.o.Store.StoreAnswer(ctx, e.claim, e.key, sealed)
}

// journalled opens the answer that the journal has.
func (m *Manager) journalled(ctx context.Context, e *errand) (answer, error) {
	var a answer
	err := m.open(ctx, e.grant.Authorization, fieldAnswer, e.grant.Version, e.grant.Intent.Answer, &a)
	e.lost = a.Again
	return a, err
}

// errDeferred marks the retry of a request that is not sent again yet.
var errDeferred = errors.New("another server may have the answer")

// deferred gives whoever may have the missing answer of an errand the time to
// bring it: nil when that has passed, and nobody did. The claim of a caller that
// goes on under it waits here.
func (m *Manager) deferred(ctx context.Context, e *errand) error {
	wait := e.grant.Intent.Resend.Sub(m.o.Now())
	if e.grant.Intent.Resend.IsZero() {
		if err := m.o.Store.DeferIntent(ctx, e.claim, resendGrace); err != nil {
			return err
		}
		wait = resendGrace
	}
	if wait <= 0 {
		return nil
	}
	if !e.stay {
		return &job.Retry{After: wait, Reason: "the token endpoint's answer is missing", Err: errDeferred}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("token: wait for an answer: %w", ctx.Err())
	case <-timer.C:
	}
	var err error
	e.grant, err = m.o.Store.LoadGrant(ctx, e.claim.ID)
	return err
}

// settled says what a reply that is no grant means for the errand: nil when the
// provider refuses, otherwise the error that tries again.
func (m *Manager) settled(ctx context.Context, e errand, a answer, r reply) error {
	if r.outcome == refused || r.outcome == rejected && m.believed(e, a) {
		return nil
	}
	var err error
	if r.outcome == unreadable && !e.free {
		err = m.o.Store.KeepIntent(ctx, e.claim, true)
	} else {
		err = m.leave(ctx, e)
	}
	if err != nil {
		return err
	}
	return m.retry(e, r.reason, a.Until, nil)
}

// believed says whether a 3xx or 4xx without a word of OAuth ends an errand. It
// may be a gateway's, a proxy's or that of a page that moved, and must not cost
// what lives: a 400 or 401 is believed once the access token has ended, or the
// code is too old; anything else only of a code, which somebody is there to see.
func (m *Manager) believed(e errand, a answer) bool {
	switch {
	case a.Status != http.StatusBadRequest && a.Status != http.StatusUnauthorized:
		return e.kind == store.IntentExchange && !e.free
	case e.kind == store.IntentExchange:
		return m.o.Now().Sub(e.began) >= codeTime
	}
	ends := e.grant.ExpiresAt
	return !ends.IsZero() && !m.o.Now().Before(ends)
}

// retry puts an errand off: longer each time, or for as long as the provider
// asks, and short enough for a token that will end soon.
func (m *Manager) retry(e errand, reason string, until time.Time, cause error) error {
	wait := job.Backoff(e.claim.Attempt)
	if left := e.grant.ExpiresAt.Sub(m.o.Now()); left > 0 {
		wait = min(wait, max(left/4, time.Second))
	}
	wait = max(wait, min(until.Sub(m.o.Now()), time.Hour))
	return &job.Retry{After: wait, Reason: clean(reason, e.secrets), Err: cause}
}

// lostReason is how a refusal reads when the answer to an earlier request for
// the same is missing.
func (e errand) lostReason(r reply) (string, store.EventKind) {
	if !e.lost {
		return r.reason, store.EventRefused
	}
	return fmt.Sprintf("answer lost: %s", r.reason), store.EventLost
}
