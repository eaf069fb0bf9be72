package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/token"
)

// FirstReach is how far before its creation an ingestion begins to read, as
// AppFabric does (measured on its output of September 2025).
const FirstReach = 6 * time.Hour

// The bounds of a poll and of its waits.
const (
	maxPages         = 200              // of one claim; then other streams have their turn
	restShown        = 15 * time.Minute // between attempts at what a person must mend
	giveUpOnPage     = 24 * time.Hour   // after which an undecodable page becomes a gap
	patienceWithPage = 20               // attempts at it within that time, at the least
	waitThrottled    = time.Minute      // where the provider does not say how long
	waitRefresh      = time.Second      // for a new token after a 401
	waitPaced        = 5 * time.Second  // the longest that keeps a batch open
)

// Poller is the duty poll(stream).
type Poller struct {
	o     Options
	apps  map[string]connector.App
	codec *codec
}

// NewPoller returns the duty.
func NewPoller(o Options) (*Poller, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return &Poller{o: o, apps: appsByName(o.Apps), codec: c}, nil
}

// poll is one claim of a stream being worked.
type poll struct {
	*Poller
	claim   store.Claim
	stream  store.Stream
	spec    connector.Stream
	ing     fabric.Ingestion
	auth    fabric.AppAuthorization
	grant   token.Grant
	session connector.Session
	cursor  connector.Cursor
	started time.Time
	expired bool // reading was started again in this claim
}

// Run polls until there is nothing more to read at present. It is a job.Kind's
// Run.
func (p *Poller) Run(ctx context.Context, c store.Claim) error {
	run, err := p.begin(ctx, c)
	if err != nil && run != nil { // a poll that was paced before has left its batch open
		err = errors.Join(err, run.closeEarly(ctx))
	}
	if err != nil || run == nil {
		return err
	}
	for range maxPages {
		done, err := run.page(ctx)
		if err != nil && !soon(err) {
			err = errors.Join(err, run.closeEarly(ctx))
		}
		if err != nil || done {
			p.o.Observer.Polled(run.ing.App, outcomeOf(err))
			return err
		}
		if job.Stopping(ctx) {
			break
		}
	}
	p.o.Observer.Polled(run.ing.App, "goes on")
	return p.o.Store.Finish(ctx, c, p.o.Now())
}

// closeEarly lets what was read be delivered when a poll cannot go on: how long
// that lasts is the provider's.
func (r *poll) closeEarly(ctx context.Context) error {
	if r.stream.BatchID == "" {
		return nil
	}
	err := r.o.Store.CloseBatch(ctx, r.claim, r.stream.BatchID, r.o.Now())
	r.o.Wake()
	return err
}

// soon says of the end of a poll that it goes on within seconds, because its
// calls are paced. What was read stays with what is still to come: it would
// else be an object for every few pages.
func soon(err error) bool {
	retry, ok := errors.AsType[*job.Retry](err)
	return ok && retry.After <= waitPaced && errors.Is(err, outbound.ErrPaced)
}

// outcomeOf names how a poll ended, for its metric.
func outcomeOf(err error) string {
	if err == nil {
		return "done"
	}
	if e, ok := errors.AsType[*connector.Error](err); ok {
		return e.Kind.String()
	}
	return "failed"
}

// begin loads what a poll needs. It returns nil when there is nothing to poll,
// and a poll with an error when only its session could not be opened.
func (p *Poller) begin(ctx context.Context, c store.Claim) (*poll, error) {
	st, ing, err := p.o.Store.LoadStream(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if ing.State == fabric.Disabled {
		return nil, p.o.Store.Finish(ctx, c, time.Time{})
	}
	run := &poll{Poller: p, claim: c, stream: st, ing: ing, started: p.o.Now()}
	app, ok := p.apps[ing.App]
	if ok {
		run.spec, ok = app.FindStream(st.Name)
	}
	if !ok {
		return nil, &job.Retry{After: restShown, Reason: fmt.Sprintf("this server has no connector for the %s stream %q", ing.App, st.Name)}
	}
	if err := json.Unmarshal([]byte(st.Cursor), &run.cursor); err != nil {
		return nil, fmt.Errorf("pipeline: cursor of %s: %w", c.ID, err)
	}
	run.reachBack()
	return run, run.open(ctx)
}

// reachBack widens the beginning of a new poll by the stream's overlap, though
// never before the ingestion's own beginning.
func (r *poll) reachBack() {
	if r.cursor.Token != "" {
		return // a poll goes on
	}
	if !r.spec.Arrival {
		r.cursor.From = r.notBeforeStart(r.cursor.From.Add(-r.spec.Overlap))
	}
	r.stream.ReadFrom = r.cursor.From
}

func (r *poll) notBeforeStart(t time.Time) time.Time {
	if first := r.ing.CreatedAt.Add(-FirstReach); t.Before(first) {
		return first
	}
	return t
}

func (r *poll) open(ctx context.Context) error {
	var err error
	r.auth, err = r.o.Store.AuthorizationFor(ctx, r.ing)
	if errors.Is(err, store.ErrNotFound) {
		return &job.Retry{After: restShown, Reason: "the app authorization for the application and tenant was deleted", Err: err}
	}
	if err != nil {
		return err
	}
	r.session, r.grant, err = r.o.Grants.Session(ctx, r.auth)
	if errors.Is(err, token.ErrNoGrant) {
		return &job.Retry{After: restShown, Reason: "the app authorization is not connected", Err: err}
	}
	if err != nil {
		return err
	}
	if lacks := r.grant.Missing(r.spec.Scopes); len(lacks) > 0 {
		// Another consent may bring it; a new connection wakes the stream.
		return &job.Retry{After: restShown, Reason: fmt.Sprintf("the stream %q rests: the grant lacks %s", r.stream.Name, token.ScopeNames(lacks))}
	}
	return nil
}

// page reads one page and takes it in. It says whether the claim has ended.
func (r *poll) page(ctx context.Context) (bool, error) {
	page, err := r.session.Poll(ctx, r.stream.Name, r.cursor)
	if err != nil {
		return r.failed(ctx, err)
	}
	if err := r.accepted(ctx); err != nil {
		return false, err
	}
	commit, err := r.commitOf(ctx, page)
	if err != nil {
		return false, err
	}
	if err := r.o.Store.CommitPage(ctx, r.claim, commit); err != nil {
		return false, err
	}
	r.o.Observer.Page(r.ing.App, len(page.Records), int(commit.Records), commit.Bytes)
	r.cursor, r.claim.Attempt = page.Next, 1
	r.stream.BatchID, r.stream.BatchBytes = commit.BatchID, r.stream.BatchBytes+commit.Bytes
	if commit.CloseBatch {
		r.stream.BatchID, r.stream.BatchBytes = "", 0
		r.o.Wake()
	}
	return page.Done, nil
}

// commitOf says what a page changes: its new records, sealed, and where
// reading stands behind it.
func (r *poll) commitOf(ctx context.Context, page connector.Page) (store.PageCommit, error) {
	fresh, seen, err := r.fresh(ctx, page.Records)
	if err != nil {
		return store.PageCommit{}, err
	}
	now := r.o.Now()
	cursor, err := json.Marshal(page.Next)
	if err != nil {
		return store.PageCommit{}, fmt.Errorf("pipeline: cursor: %w", err)
	}
	commit := store.PageCommit{
		Cursor: string(cursor), ReadFrom: r.stream.ReadFrom, Watermark: r.stream.Watermark,
		BatchID: r.stream.BatchID, Records: int64(len(fresh)), Seen: seen,
		Finish: page.Done, Due: now.Add(r.o.Interval), ClosedAt: now,
	}
	if len(fresh) > 0 {
		if commit.BatchID == "" {
			commit.BatchID = uuid.NewString()
		}
		if commit.Body, err = r.seal(ctx, fieldPage, commit.BatchID, r.codec.pack(fresh)); err != nil {
			return store.PageCommit{}, err
		}
		for _, rec := range fresh {
			commit.Bytes += int64(len(rec.Raw))
		}
	}
	if page.Done {
		commit.Covered = store.Interval{From: r.stream.ReadFrom, To: r.readTo(page)}
		commit.Watermark = commit.Covered.To
	}
	commit.CloseBatch = page.Done || r.stream.BatchBytes+commit.Bytes >= maxBatch
	return commit, nil
}

// readTo is the time before which a finished poll has read everything: when the
// walk began, which the session says for feeds by time.
func (r *poll) readTo(page connector.Page) time.Time {
	if !r.spec.Arrival && !page.Next.From.IsZero() {
		return page.Next.From
	}
	return r.started
}

// fresh returns the records of a page that the stream has not taken in yet,
// each once, and what they are known by.
func (r *poll) fresh(ctx context.Context, records []connector.Record) ([]connector.Record, []store.SeenID, error) {
	ids := make([]store.SeenID, len(records))
	for i, rec := range records {
		ids[i] = seenID(rec, r.stream.Watermark)
	}
	unseen, err := r.o.Store.Unseen(ctx, r.claim.ID, ids)
	if err != nil {
		return nil, nil, err
	}
	fresh, seen := make([]connector.Record, 0, len(unseen)), make([]store.SeenID, 0, len(unseen))
	for i, rec := range records {
		if unseen[ids[i].ID] {
			delete(unseen, ids[i].ID)
			fresh, seen = append(fresh, rec), append(seen, ids[i])
		}
	}
	return fresh, seen, nil
}

func (r *poll) seal(ctx context.Context, field, owner string, plain []byte) ([]byte, error) {
	return r.o.Keys.Seal(ctx, secret.Context{Bundle: r.ing.BundleID, Owner: owner, Field: field, Version: 1}, plain)
}
