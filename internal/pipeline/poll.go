package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"selvedge/connector"
	"selvedge/internal/encode"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/outbound"
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
	codec *encode.Pages
}

// NewPoller returns the duty.
func NewPoller(o Options) (*Poller, error) {
	c, err := encode.NewPages()
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
	expired bool            // reading was started again in this claim
	window  *store.Backfill // what is read beside the live tail; nil: it is the live tail
	late    fabric.Lateness
	reached time.Duration // how far behind the last poll this one reads again
	until   time.Time     // of a window: the end of the interval being read
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
	err := r.o.Store.CloseBatch(ctx, r.claim, r.stream.ID, r.stream.BatchID, r.o.Now())
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
// and a poll with an error when it has no room, or its session could not be opened.
func (p *Poller) begin(ctx context.Context, c store.Claim) (*poll, error) {
	st, ing, err := p.o.Store.LoadStream(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	if ing.State == fabric.Disabled {
		return nil, p.o.Store.Finish(ctx, c, time.Time{})
	}
	run := &poll{Poller: p, claim: c, stream: st, ing: ing, started: p.o.Now(), late: fabric.ParseLateness(st.Lateness)}
	if err := run.find(); err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(st.Cursor), &run.cursor); err != nil {
		return nil, fmt.Errorf("pipeline: cursor of %s: %w", c.ID, err)
	}
	if err := run.room(ctx); err != nil {
		return run, err
	}
	if err := run.expire(ctx); err != nil {
		return nil, err
	}
	if err := run.reachBack(ctx); err != nil {
		return nil, err
	}
	return run, run.open(ctx)
}

// find finds what the application says of the stream.
func (r *poll) find() error {
	app, ok := r.apps[r.ing.App]
	if ok {
		r.spec, ok = app.FindStream(r.stream.Name)
	}
	if !ok {
		return &job.Retry{After: restShown, Reason: fmt.Sprintf("this server has no connector for the %s stream %q", r.ing.App, r.stream.Name)}
	}
	return nil
}

// reachBack widens the beginning of a new walk by how late records may show,
// though never before the ingestion's own beginning.
func (r *poll) reachBack(ctx context.Context) error {
	reach, err := r.reach(ctx)
	if err != nil {
		return err
	}
	r.reached = reach
	if r.cursor.Token != "" || r.stream.Walked > 0 {
		return nil // a walk goes on
	}
	if !r.spec.Arrival {
		from := r.cursor.From.Add(-reach)
		// A poll that was started again by time may be cut off before its first
		// page: it has reached back already, and further back ids are forgotten.
		if known := r.stream.Watermark.Add(-horizon(r.spec)); from.Before(known) {
			from = earliest(known, r.cursor.From)
		}
		r.cursor.From = r.readable(from)
	}
	r.stream.ReadFrom = r.cursor.From
	return nil
}

// expire gives up what the provider no longer has when nothing was read for longer
// than it keeps records, and says so.
func (r *poll) expire(ctx context.Context) error {
	if r.cursor.Token != "" {
		return nil // the provider says whether it still knows
	}
	return r.lose(ctx, r.cursor.From)
}

// lose puts the cursor, which is a time, at the first that the provider may still
// have. What lies between is a gap, unless it was read.
func (r *poll) lose(ctx context.Context, from time.Time) error {
	first := r.started.Add(-r.spec.Retention).Truncate(time.Millisecond)
	if r.stream.Watermark.After(from) {
		from = r.stream.Watermark
	}
	if r.spec.Retention <= 0 || !from.Before(first) {
		return nil
	}
	gap := store.Gap{
		Interval: store.Interval{From: from, To: first}, FoundAt: r.started,
		Reason: fmt.Sprintf("nothing was read for longer than the provider keeps records (%v)", r.spec.Retention),
	}
	next := connector.Cursor{From: first}
	cursor, err := json.Marshal(next)
	if err != nil {
		return fmt.Errorf("pipeline: cursor: %w", err)
	}
	r.o.Log.ErrorContext(ctx, "the provider no longer has what was not read in time",
		"stream", r.stream.ID, "from", gap.From, "to", gap.To, "reason", gap.Reason)
	if err := r.o.Store.CommitGap(ctx, r.claim, r.stream.ID, gap, string(cursor), first); err != nil {
		return err
	}
	r.o.Ledger.Gap(r.ing.App, "lost")
	r.cursor, r.stream.ReadFrom = next, first
	return nil
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
	commit, err := r.take(ctx, page)
	if err != nil {
		return false, err
	}
	if r.window != nil {
		r.o.Ledger.Backfilled(r.ing.App, string(r.window.Kind), 1, int(commit.Records))
	} else {
		r.o.Observer.Page(r.ing.App, len(page.Records), int(commit.Records), commit.Bytes)
	}
	r.cursor, r.claim.Attempt = page.Next, 1
	r.stream.BatchID, r.stream.BatchBytes = commit.BatchID, r.stream.BatchBytes+commit.Bytes
	if commit.CloseBatch {
		r.stream.BatchID, r.stream.BatchBytes = "", 0
		r.o.Wake()
	}
	return page.Done, nil
}

// take commits a page. Where another reader of the stream took one of its records
// in meanwhile, it is asked for what is new once more.
func (r *poll) take(ctx context.Context, page connector.Page) (store.PageCommit, error) {
	const tries = 5
	for n := 1; ; n++ {
		commit, fresh, err := r.commitOf(ctx, page)
		if err != nil {
			return commit, err
		}
		err = r.o.Store.CommitPage(ctx, r.claim, commit)
		if errors.Is(err, store.ErrRepeat) && n < tries {
			continue
		}
		if err == nil {
			r.tell(fresh)
		}
		return commit, err
	}
}

// commitOf says what a page changes: its new records, sealed, and where
// reading stands behind it.
func (r *poll) commitOf(ctx context.Context, page connector.Page) (store.PageCommit, []connector.Record, error) {
	fresh, commit, err := r.fresh(ctx, page.Records)
	if err != nil {
		return store.PageCommit{}, nil, err
	}
	now := r.o.Now()
	cursor, err := json.Marshal(page.Next)
	if err != nil {
		return store.PageCommit{}, nil, fmt.Errorf("pipeline: cursor: %w", err)
	}
	commit.StreamID, commit.Cursor, commit.ReadFrom, commit.Watermark = r.stream.ID, string(cursor), r.stream.ReadFrom, r.stream.Watermark
	commit.BatchID, commit.Records = r.stream.BatchID, int64(len(fresh))
	commit.Finish, commit.Due, commit.ClosedAt = page.Done && r.window == nil, now.Add(r.o.Interval), now
	if len(fresh) > 0 {
		if commit.BatchID == "" {
			commit.BatchID = uuid.NewString()
		}
		if commit.Body, err = r.o.Keys.Seal(ctx, store.PagePlace(r.ing.BundleID, commit.BatchID), r.codec.Pack(fresh)); err != nil {
			return store.PageCommit{}, nil, err
		}
		for _, rec := range fresh {
			commit.Bytes += int64(len(rec.Raw))
		}
		commit.Learn = r.learn(fresh)
	}
	if err := r.endOf(ctx, page, &commit); err != nil {
		return store.PageCommit{}, nil, err
	}
	commit.CloseBatch = page.Done || r.stream.BatchBytes+commit.Bytes >= maxBatch
	return commit, fresh, nil
}

// endOf says what the last page of a walk changes besides.
func (r *poll) endOf(ctx context.Context, page connector.Page, commit *store.PageCommit) error {
	if !page.Done {
		return nil
	}
	commit.Covered = store.Interval{From: r.stream.ReadFrom, To: r.readTo(page)}
	if r.window != nil {
		return nil
	}
	commit.Watermark = commit.Covered.To
	var err error
	commit.Look, err = r.look(ctx, commit.Watermark)
	return err
}

// readTo is the time before which a finished poll has read everything: when the
// walk began, which the session says for feeds by time.
func (r *poll) readTo(page connector.Page) time.Time {
	if r.window != nil {
		return r.until
	}
	if !r.spec.Arrival && !page.Next.From.IsZero() {
		return page.Next.From
	}
	return r.started
}

// fresh returns the records of a page that the stream has not taken in yet,
// each once, and what a commit says of what they are known by; and, of those that
// have no id, how often the walk has met each by now.
func (r *poll) fresh(ctx context.Context, records []connector.Record) ([]connector.Record, store.PageCommit, error) {
	var commit store.PageCommit
	numbers, met, err := r.number(ctx, records)
	if err != nil {
		return nil, commit, err
	}
	ids := make([]store.SeenID, len(records))
	for i, rec := range records {
		ids[i] = r.seenID(rec, numbers[i])
	}
	unseen, at, err := r.o.Store.Unseen(ctx, r.stream.ID, ids)
	if err != nil {
		return nil, commit, err
	}
	commit.Met, commit.SeenAt = met, at
	fresh := make([]connector.Record, 0, len(unseen))
	for i, rec := range records {
		if unseen[ids[i].ID] {
			delete(unseen, ids[i].ID)
			fresh, commit.Seen = append(fresh, rec), append(commit.Seen, ids[i])
		}
	}
	return fresh, commit, nil
}

// number tells equal records without an id apart: by how many of them the walk met
// before.
func (r *poll) number(ctx context.Context, records []connector.Record) ([]int64, []store.Met, error) {
	numbers := make([]int64, len(records))
	var bare [][16]byte
	for _, rec := range records {
		if rec.ID == "" {
			bare = append(bare, contentID(rec))
		}
	}
	if len(bare) == 0 {
		return numbers, nil, nil
	}
	times, err := r.o.Store.Met(ctx, r.claim.ID, bare)
	if err != nil {
		return nil, nil, err
	}
	n := 0
	for i, rec := range records {
		if rec.ID == "" {
			numbers[i] = times[bare[n]]
			times[bare[n]]++
			n++
		}
	}
	met := make([]store.Met, 0, len(times))
	for id, t := range times {
		met = append(met, store.Met{ID: id, Times: t})
	}
	return numbers, met, nil
}

// seenID is what a record is known by. It is filed under the record's own hour,
// from which on it is known for as long as a window may reach there; one that lies
// behind all that, or has no time, is filed under the watermark's.
func (r *poll) seenID(rec connector.Record, number int64) store.SeenID {
	salt := ""
	if r.window != nil && r.window.Again {
		salt = r.window.ID
	}
	id := store.SeenID{ID: identity(rec, number, salt)}
	known := r.stream.Watermark.Add(-keepSeen / 2) // then it is known for as long again
	if !r.spec.Arrival {
		known = r.stream.Watermark.Add(-kept(r.spec) + time.Hour)
		if r.stream.ReadFrom.Before(known) {
			known = r.stream.ReadFrom
		}
	}
	if !rec.Time.IsZero() {
		id.Hour = hourOf(rec.Time)
	}
	if rec.Time.IsZero() || rec.Time.Before(known) {
		id.Odd = hourOf(r.stream.Watermark)
	}
	return id
}
