// Package notify has the duty notify(change): it writes a line in the log, and
// sends a webhook where there is one, for each change that the store keeps to be
// told of.
//
// A webhook is signed as the Standard Webhooks specification 1.0.0 says, so that
// any of its libraries verifies it (sign.go):
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// (checked 2026-11-23).
//
// # What an answer means
//
//	2xx                  it has arrived, and is forgotten
//	400, 410, 413, 422   the receiver does not want this one: it is dropped, and the log says so
//	429, 503             tried again when Retry-After says, within an hour
//	any other, or none   tried again after longer and longer waits; so are redirects, which are not
//	                     followed, and 401, 403 and 404, which somebody is to mend
//
// After seven days the sweep gives up. A process that is killed between an
// answer and its commit sends the same once more, under the same id: a receiver
// drops what it has.
package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
)

// Timeout is how long a receiver may take. The specification recommends 15 to 30 s.
const Timeout = 15 * time.Second

// longestWait bounds what a receiver can ask for.
const longestWait = time.Hour

// maxAnswer bounds what is read of an answer, which is only read so that the
// connection can be used again.
const maxAnswer = 16 << 10

// Outcome is how an attempt at a notification ended.
type Outcome string

// The outcomes of an attempt.
const (
	Logged  Outcome = "logged"  // there is no webhook
	Sent    Outcome = "sent"    // and taken
	Refused Outcome = "refused" // and dropped
	Failed  Outcome = "failed"  // and to be tried again
)

// Outcomes is all of them.
func Outcomes() []Outcome { return []Outcome{Logged, Sent, Refused, Failed} }

// Options is what the duty needs. All members are required but those that say
// so.
type Options struct {
	Store   *store.Store
	URL     fabric.Secret   // of the webhook, may hold a secret; empty: none
	Keys    []fabric.Secret // that sign it, at least one where there is a URL
	Timeout time.Duration   // of one attempt
	Now     func() time.Time
	Log     *slog.Logger
	Observe func(t fabric.NotificationType, o Outcome)
}

// Notifier is the duty.
type Notifier struct {
	o      Options
	client *http.Client
}

// New returns the duty. Unlike an application's, the webhook's address is the
// operator's own, so that private addresses are allowed.
func New(o Options) *Notifier {
	return &Notifier{o: o, client: &http.Client{
		Transport: &http.Transport{
			ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Run tells of one change. It is a job.Kind's Run.
func (n *Notifier) Run(ctx context.Context, c store.Claim) error {
	what, tried, err := n.o.Store.LoadNotification(ctx, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // given up meanwhile, and the claim with it
	}
	if err != nil {
		return err
	}
	if !tried { // nor after a kill: better two lines than none
		n.log(ctx, what)
	}
	outcome := Logged
	if n.o.URL != "" {
		outcome, err = n.send(ctx, c, what)
	}
	if err != nil && ctx.Err() != nil {
		return err // a stop, or a lost lease, says nothing of the receiver
	}
	n.o.Observe(what.Type, outcome)
	if err != nil {
		return err
	}
	return n.o.Store.EndNotification(ctx, c)
}

// send makes one attempt. An error says when to make the next.
func (n *Notifier) send(ctx context.Context, c store.Claim, what fabric.Notification) (Outcome, error) {
	req, err := n.request(ctx, what)
	if err != nil {
		return Failed, err
	}
	attempt, cancel := context.WithTimeout(ctx, n.o.Timeout)
	defer cancel()
	res, err := n.client.Do(req.WithContext(attempt))
	if err != nil {
		reason := "the webhook cannot be reached"
		if attempt.Err() != nil {
			reason = fmt.Sprintf("the webhook did not answer within %v", n.o.Timeout)
		}
		return Failed, &job.Retry{After: job.Backoff(c.Attempt), Reason: reason, Err: plain(err)}
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, maxAnswer) // the status has said it all
	switch refusals := []int{http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity}; {
	case res.StatusCode >= 200 && res.StatusCode <= 299:
		return Sent, nil
	case slices.Contains(refusals, res.StatusCode):
		n.o.Log.ErrorContext(ctx, "the webhook refuses a notification, which is dropped", "notification", what.ID, "status", res.StatusCode)
		return Refused, nil
	}
	return Failed, &job.Retry{After: n.wait(c, res), Reason: fmt.Sprintf("the webhook answered HTTP %d", res.StatusCode)}
}

// wait is how long until the next attempt after an answer.
func (n *Notifier) wait(c store.Claim, res *http.Response) time.Duration {
	now := n.o.Now()
	if at, ok := (connector.Wait{Header: "Retry-After"}).Until(res.Header, now); ok &&
		(res.StatusCode == http.StatusTooManyRequests || res.StatusCode == http.StatusServiceUnavailable) {
		return min(max(at.Sub(now), time.Second), longestWait)
	}
	return job.Backoff(c.Attempt)
}

// request makes the request of an attempt. Its body is the same each time.
func (n *Notifier) request(ctx context.Context, what fabric.Notification) (*http.Request, error) {
	body, err := json.Marshal(struct {
		Type      fabric.NotificationType `json:"type"`
		Timestamp time.Time               `json:"timestamp"`
		Data      fabric.NotificationData `json:"data"`
	}{what.Type, what.CreatedAt.UTC(), what.Data})
	if err != nil {
		return nil, fmt.Errorf("notify: %s: %w", what.ID, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.o.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("notify: %s: the webhook's URL cannot be used", what.ID) // the error has the URL
	}
	at := n.o.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "selvedge")
	req.Header.Set("Webhook-Id", what.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	req.Header.Set("Webhook-Signature", sign(n.o.Keys, what.ID, at, body))
	return req, nil
}

// plain is the error of a request without the URL.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
