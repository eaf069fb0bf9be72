package pipeline_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/pipeline"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func behind(s string) connector.Cursor { return connector.Cursor{Token: s} }

func TestThePagesOfOnePollAreOneObject(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script.will(connector.Page{Records: records(1, 2), Next: behind("a")}, nil)
	r.script.will(connector.Page{Records: records(3), Next: behind("b")}, nil)
	r.script.will(connector.Page{Records: records(4), Next: behind("c"), Done: true}, nil)
	if retry := r.poll(); retry != nil {
		t.Fatalf("poll = %v", retry)
	}
	r.deliverAll()
	d := r.made.Destinations[0]
	if diff := cmp.Diff(lines(1, 2, 3, 4), r.lines(d)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	if n := len(r.objects(d)); n != 1 {
		t.Errorf("%d objects, want 1", n)
	}
	st := r.stream()
	if st.Cursor != `{"token":"c"}` || !st.Watermark.Equal(r.clock()) {
		t.Errorf("stream = %+v", st)
	}
	covered, err := r.store.Coverage(t.Context(), st.ID)
	want := []store.Covered{{Interval: store.Interval{From: r.clock().Add(-pipeline.FirstReach), To: r.clock()}, Pages: 3, Records: 4}}
	if diff := cmp.Diff(want, covered); diff != "" || err != nil {
		t.Errorf("coverage (-want +got), %v:\n%s", err, diff)
	}
}

func TestAFullBatchClosesBeforeThePollEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	big := records(1)
	big[0].Raw = []byte(`"` + strings.Repeat("x", 9<<20) + `"`)
	r.script.will(connector.Page{Records: big, Next: behind("a")}, nil)
	r.script.will(connector.Page{Records: records(2), Next: behind("b"), Done: true}, nil)
	r.poll()
	r.deliverAll()
	if n := len(r.objects(r.made.Destinations[0])); n != 2 {
		t.Errorf("%d objects, want 2: a batch of 8 MiB closes", n)
	}
}

func TestQuietPollsWriteNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 3 {
		r.script.will(connector.Page{Next: behind("a"), Done: true}, nil)
		r.poll()
		r.pass(time.Minute)
	}
	claims, err := r.store.Claim(t.Context(), store.DutyDeliver, "test", time.Minute, 1)
	if err != nil || len(claims) != 0 {
		t.Errorf("a destination was woken for nothing: %v, %v", claims, err)
	}
}

func TestRepeatsAreDropped(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(byTime))
	nameless := connector.Record{Raw: []byte(`{ "no": "id" }`)}
	sameNameless := connector.Record{Raw: []byte(`{"no":"id"}`)}
	r.script.will(connector.Page{Records: append(records(1, 2, 1), nameless), Next: behind("a")}, nil)
	r.script.will(connector.Page{Records: append(records(2, 3), sameNameless), Next: connector.Cursor{From: r.clock()}, Done: true}, nil)
	r.poll()
	r.pass(time.Minute)
	r.script.will(connector.Page{Records: records(3, 4), Next: connector.Cursor{From: r.clock()}, Done: true}, nil)
	r.poll()
	r.deliverAll()
	want := []string{line(1), line(2), `{"no":"id"}`, line(3), `{"no":"id"}`, line(4)} // of two equal ones without an id, both
	if diff := cmp.Diff(want, r.lines(r.made.Destinations[0])); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string]time.Duration{arrival: 0, byTime: time.Hour} {
		t.Run(stream, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, onStream(stream))
			r.pass(3 * time.Hour)
			walked := r.clock()
			r.script.will(connector.Page{Next: connector.Cursor{From: walked}, Done: true}, nil)
			r.poll()
			r.pass(time.Minute)
			r.poll()
			if got := walked.Sub(r.script.lastAsked().From); got != want {
				t.Errorf("the second poll reached back %v, want %v", got, want)
			}
		})
	}
}

func TestAFirstPollReachesBackSixHoursAndNoFurther(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(byTime))
	start := r.clock()
	r.poll()
	if got := start.Sub(r.script.lastAsked().From); got != 6*time.Hour {
		t.Errorf("the first poll reached back %v, want 6h", got)
	}
}

func TestAPollThatWasCutGoesOnBehindItsLastPage(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script.will(connector.Page{Records: records(1), Next: behind("a")}, nil)
	r.script.will(connector.Page{}, errors.New("the process ends here"))
	if r.poll() == nil {
		t.Fatal("the cut was not noticed")
	}
	r.pass(time.Minute)
	r.script.will(connector.Page{Records: records(2), Next: behind("b"), Done: true}, nil)
	r.poll()
	if got := r.script.lastAsked(); got.Token != "a" {
		t.Errorf("went on at %+v, want token a", got)
	}
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2), r.lines(r.made.Destinations[0])); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func failure(kind connector.Kind) *connector.Error {
	return &connector.Error{Kind: kind, Op: "script: list", Status: 418, Reason: "the provider's words"}
}

// TestACutWalkDoesNotReachBackTwice: a walk in parts is at times between two of them,
// at a cursor without a token. What it has met there it would meet once more.
func TestACutWalkDoesNotReachBackTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(byTime))
	start, part := r.clock().Add(-6*time.Hour), r.clock().Add(-time.Hour)
	bare := []connector.Record{{Time: part.Add(-30 * time.Minute), Raw: []byte(line(1))}}
	r.script.will(connector.Page{Records: bare, Next: connector.Cursor{From: part}}, nil)
	r.script.will(connector.Page{}, failure(connector.Unavailable))
	r.pass(r.poll().After)
	r.script.will(connector.Page{Next: connector.Cursor{From: r.clock().Truncate(time.Second)}, Done: true}, nil)
	r.poll()
	if got := r.script.lastAsked().From; !got.Equal(part) {
		t.Errorf("it went on at %v, want %v", got, part)
	}
	covered, err := r.store.Coverage(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(covered) != 1 || !covered[0].From.Equal(start) {
		t.Errorf("coverage = %+v, %v; want one interval from %v", covered, err, start)
	}
	r.pass(time.Minute)
	read := r.stream().Watermark
	r.poll()
	if got := r.script.lastAsked().From; !got.Equal(read.Add(-time.Hour)) {
		t.Errorf("the next walk began at %v, want an hour before %v", got, read)
	}
}

func TestWaitsAfterFailures(t *testing.T) {
	t.Parallel()
	until := func(d time.Duration) *connector.Error {
		e := failure(connector.Throttled)
		e.Until = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(d)
		return e
	}
	tests := []struct {
		name     string
		err      error
		min, max time.Duration
	}{
		{"unavailable", failure(connector.Unavailable), 900 * time.Millisecond, 1100 * time.Millisecond},
		{"throttled, as long as asked", until(42 * time.Second), 42 * time.Second, 42 * time.Second},
		{"throttled, in the past", until(-time.Hour), time.Second, time.Second},
		{"throttled by a clock that is off", until(1000 * time.Hour), time.Hour, time.Hour},
		{"throttled without a time", failure(connector.Throttled), time.Minute, time.Minute},
		{"forbidden", failure(connector.Forbidden), 14 * time.Second, 15 * time.Minute},
		{"malformed", failure(connector.Malformed), 900 * time.Millisecond, 1100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.script.will(connector.Page{}, tt.err)
			retry := r.poll()
			if retry == nil || retry.After < tt.min || retry.After > tt.max {
				t.Fatalf("retry = %+v, want after %v to %v", retry, tt.min, tt.max)
			}
			if !strings.Contains(retry.Reason, "the provider's words") {
				t.Errorf("reason %q does not have the provider's words", retry.Reason)
			}
			r.pass(retry.After)
			r.script.will(connector.Page{Records: records(1), Next: behind("a"), Done: true}, nil)
			r.poll()
			r.deliverAll()
			if diff := cmp.Diff(lines(1), r.lines(r.made.Destinations[0])); diff != "" {
				t.Errorf("after the failure (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnauthorizedRefreshesOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script.version = 1
	denied := func(wantExpedited int) *job.Retry {
		t.Helper()
		r.script.will(connector.Page{}, failure(connector.Unauthorized))
		retry := r.poll()
		if retry == nil || r.script.expedited != wantExpedited {
			t.Fatalf("retry = %v, expedited %d times, want %d", retry, r.script.expedited, wantExpedited)
		}
		r.pass(retry.After)
		return retry
	}
	if retry := denied(1); retry.After > 2*time.Second {
		t.Errorf("waits %v for the new token", retry.After)
	}
	denied(2) // the refresh has not come about yet
	r.script.version = 2
	denied(2) // the new token is refused too: no refresh in a loop
	denied(3) // but, much later, one more
	r.script.will(connector.Page{Next: behind("a"), Done: true}, nil)
	if retry := r.poll(); retry != nil {
		t.Fatal(retry)
	}
	if st := r.stream(); st.Denied != 0 {
		t.Errorf("the refusal is still remembered: %+v", st)
	}
	a, err := r.store.GetAppAuthorization(t.Context(), storetest.Caller(), r.made.Bundle.ID, r.made.Authorization.ID)
	if err != nil || a.Status != fabric.Connected {
		t.Errorf("a 401 changed the status: %+v, %v", a, err)
	}
}

func TestAKeyThatIsRefusedTwiceIsShownAndComesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, withKey())
	r.script.version = 1
	status := func() fabric.AuthorizationStatus {
		t.Helper()
		a, err := r.store.GetAppAuthorization(t.Context(), storetest.Caller(), r.made.Bundle.ID, r.made.Authorization.ID)
		if err != nil {
			t.Fatal(err)
		}
		return a.Status
	}
	for _, want := range []fabric.AuthorizationStatus{fabric.Connected, fabric.ConnectionValidationFailed} {
		r.script.will(connector.Page{}, failure(connector.Unauthorized))
		retry := r.poll()
		if got := status(); got != want {
			t.Fatalf("status = %s, want %s", got, want)
		}
		r.pass(retry.After)
	}
	if r.script.expedited != 0 {
		t.Error("a key was refreshed")
	}
	r.script.will(connector.Page{Next: behind("a"), Done: true}, nil)
	r.poll()
	if got := status(); got != fabric.Connected {
		t.Errorf("status after the key was accepted again = %s", got)
	}
}

func TestAnExpiredCursorGoesOnByTime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	newest := r.clock().Add(-2 * time.Minute)
	r.script.will(connector.Page{Records: records(1, 2), Next: connector.Cursor{From: newest, Token: "a"}, Done: true}, nil)
	r.poll()
	r.pass(time.Minute)
	r.script.will(connector.Page{}, failure(connector.CursorExpired))
	r.script.will(connector.Page{Records: records(2, 3), Next: behind("b"), Done: true}, nil)
	if retry := r.poll(); retry != nil {
		t.Fatal(retry)
	}
	if got := r.script.lastAsked(); got.Token != "" || !got.From.Equal(newest.Add(-time.Hour)) {
		t.Errorf("went on at %+v, want an hour before %v", got, newest)
	}
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 2, 3), r.lines(r.made.Destinations[0])); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAPageThatStaysMalformedBecomesAGapAfterADay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bad := failure(connector.Malformed)
	bad.Body, bad.Next = []byte("<html>maintenance</html>"), behind("behind")
	start := r.clock()
	for r.clock().Sub(start) < 24*time.Hour {
		r.script.will(connector.Page{}, bad)
		retry := r.poll()
		if retry == nil || retry.After > 15*time.Minute {
			t.Fatalf("after %v: retry = %+v, want at most 15 minutes", r.clock().Sub(start), retry)
		}
		if gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0]); err != nil || len(gaps) != 0 {
			t.Fatalf("a gap within the day: %v, %v", gaps, err)
		}
		r.pass(retry.After)
	}
	r.script.will(connector.Page{}, bad)
	r.script.will(connector.Page{Records: records(7), Next: behind("c"), Done: true}, nil)
	if retry := r.poll(); retry != nil {
		t.Fatal(retry)
	}
	if asked := r.script.lastAsked(); asked.Token != "behind" {
		t.Errorf("went on at %+v, want behind the page", asked)
	}
	gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
	if err != nil || len(gaps) != 1 || !strings.Contains(gaps[0].Reason, "the provider's words") || len(gaps[0].Body) == 0 {
		t.Fatalf("gaps = %+v, %v", gaps, err)
	}
	if strings.Contains(string(gaps[0].Body), "maintenance") {
		t.Error("the page is kept unsealed")
	}
}

func TestReadingGoesOnAfterAGap(t *testing.T) {
	t.Parallel()
	for name, next := range map[string]connector.Cursor{"behind the page": behind("next"), "where the trouble began": {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.script.onPoll = func() { r.pass(5 * time.Millisecond) }
			bad := failure(connector.Malformed)
			bad.Body, bad.Next = []byte("<html>"), next
			began := r.clock()
			for r.clock().Sub(began) < 25*time.Hour {
				r.script.will(connector.Page{}, bad)
				retry := r.poll()
				if retry == nil {
					break // the gap was made, and the poll ended well
				}
				r.pass(retry.After)
			}
			for n := range 3 {
				r.pass(time.Minute)
				r.script.answers = nil
				r.script.will(connector.Page{Records: records(n), Next: behind("on"), Done: true}, nil)
				if retry := r.poll(); retry != nil {
					t.Fatalf("poll %d after the gap: %v", n, retry)
				}
			}
			r.deliverAll()
			if diff := cmp.Diff(lines(0, 1, 2), r.lines(r.made.Destinations[0])); diff != "" {
				t.Errorf("after the gap (-want +got):\n%s", diff)
			}
			gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0])
			if err != nil || len(gaps) != 1 || gaps[0].To.Sub(began) > time.Second {
				t.Errorf("gaps = %+v, %v; want one that ends where the trouble began", gaps, err)
			}
		})
	}
}

func TestTheDayOfABadPageCountsInOnePiece(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, err := range []error{failure(connector.Malformed), failure(connector.Unavailable), failure(connector.Malformed)} {
		r.script.will(connector.Page{}, err)
		if retry := r.poll(); retry == nil {
			t.Fatal("given up")
		}
		r.pass(25 * time.Hour)
	}
	if gaps, err := r.store.Gaps(t.Context(), r.made.StreamIDs[0]); err != nil || len(gaps) != 0 {
		t.Errorf("gaps = %v, %v; the provider was not malformed for a day", gaps, err)
	}
}

func TestAQuietFeedWhoseCursorExpiresRepeatsNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	newest := records(1)[0].Time
	r.script.will(connector.Page{Records: records(1), Next: connector.Cursor{From: newest, Token: "a"}, Done: true}, nil)
	r.poll()
	for range 80 { // hours without a record
		r.pass(time.Hour)
		r.script.will(connector.Page{Next: connector.Cursor{From: newest, Token: "a"}, Done: true}, nil)
		r.poll()
		c := r.claim(store.DutySweep)
		if err := r.sweeper.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if fresh, _, err := r.store.Unseen(t.Context(), r.made.StreamIDs[0], []store.SeenID{{ID: [16]byte{1}}}); err != nil || len(fresh) != 1 {
		t.Fatal(err)
	}
	r.pass(time.Minute)
	r.script.will(connector.Page{}, failure(connector.CursorExpired))
	r.script.will(connector.Page{Next: behind("b"), Done: true}, nil)
	r.poll()
	if from := r.script.lastAsked().From; !from.After(newest.Add(24 * time.Hour)) {
		t.Errorf("reads again from %v, where the ids are forgotten (newest record: %v)", from, newest)
	}
}

func TestIdsAreForgottenOnlyBehindTheHorizon(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(byTime))
	done := func(rs []connector.Record) {
		t.Helper()
		r.script.will(connector.Page{Records: rs, Next: connector.Cursor{From: r.clock()}, Done: true}, nil)
		r.poll()
		r.pass(time.Minute)
	}
	sweep := func() {
		t.Helper()
		r.backfillAll()
		r.pass(time.Minute)
		c := r.claim(store.DutySweep)
		if err := r.sweeper.Run(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	late := records(1) // behind all that is kept: filed under the watermark, not under its own hour
	late[0].Time = r.clock().Add(-30 * 24 * time.Hour)
	done(nil)
	done(late)
	r.pass(77 * time.Hour)
	done(nil)
	sweep()
	done(late)
	r.pass(8 * time.Hour)
	done(nil)
	sweep()
	done(late)
	r.deliverAll()
	if diff := cmp.Diff(lines(1, 1), r.lines(r.made.Destinations[0])); diff != "" {
		t.Errorf("the id was forgotten at another time (-want +got):\n%s", diff)
	}
}

func TestPollsComeAtTheirInterval(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.poll()
	next, ok, err := r.store.NextDue(t.Context(), store.DutyPoll)
	if err != nil || !ok || next.Sub(r.clock()) != time.Minute {
		t.Errorf("the next poll is due in %v (%v, %v), want a minute", next.Sub(r.clock()), ok, err)
	}
}

func TestALongBacklogYieldsToOthers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for n := range 250 {
		r.script.will(connector.Page{Records: records(n), Next: behind("on")}, nil)
	}
	if retry := r.poll(); retry != nil {
		t.Fatal(retry)
	}
	if asked := len(r.script.asked); asked >= 250 {
		t.Errorf("one claim read %d pages", asked)
	}
	r.poll() // due at once
	r.deliverAll()
	if got := len(r.lines(r.made.Destinations[0])); got != 250 {
		t.Errorf("%d records are delivered, want 250", got)
	}
}

func TestWhatWasReadIsDeliveredThoughThePollCannotGoOn(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(r *rig){
		"the provider fails": func(r *rig) {
			r.script.will(connector.Page{}, failure(connector.Unavailable))
			r.poll()
		},
		"the ingestion is stopped": func(r *rig) {
			c := r.claim(store.DutyPoll)
			r.script.onPoll = func() {
				if len(r.script.asked) < 2 {
					return
				}
				if err := r.store.StopIngestion(t.Context(), storetest.Caller(), r.made.Bundle.ID, r.made.Ingestion.ID); err != nil {
					t.Error(err)
				}
			}
			if err := r.poller.Run(t.Context(), c); !errors.Is(err, store.ErrFenced) {
				t.Errorf("Run = %v, want ErrFenced", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.script.will(connector.Page{Records: records(1), Next: behind("a")}, nil)
			stop(r)
			r.deliverAll()
			if diff := cmp.Diff(lines(1), r.lines(r.made.Destinations[0])); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNothingIsReadWithoutADestination(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.made.Destinations[0]
	if err := r.store.DeleteIngestionDestination(t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID); err != nil {
		t.Fatal(err)
	}
	if claims, err := r.store.Claim(t.Context(), store.DutyPoll, "test", time.Minute, 1); err != nil || len(claims) != 0 {
		t.Fatalf("claims = %v, %v", claims, err)
	}
	next := storetest.Destination(t, r.store, r.made.Ingestion, rawJSON(), r.clock())
	r.script.will(connector.Page{Records: records(1), Next: behind("a"), Done: true}, nil)
	r.poll()
	r.deliverAll()
	if diff := cmp.Diff(lines(1), r.lines(next)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestAnAuthorizationWithoutAGrantWaits(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script.noGrant = true
	if retry := r.poll(); retry == nil || !strings.Contains(retry.Reason, "not connected") {
		t.Errorf("retry = %+v", retry)
	}
}

// A stream whose scopes are known to be missing rests, and says so; one of which
// nothing is known is tried.
func TestAStreamRestsWithoutItsScopes(t *testing.T) {
	t.Parallel()
	r := newRig(t, onStream(scoped))
	for scope, want := range map[string]string{
		"Read.All":     `the stream "scoped" rests: the grant lacks the scope Sign.Read`,
		"Something":    `the stream "scoped" rests: the grant lacks the scopes https://api.example/Read.All, Sign.Read`,
		"read.all a,b": `the stream "scoped" rests: the grant lacks the scopes https://api.example/Read.All, Sign.Read`,
	} {
		r.script.scope = scope
		retry := r.poll()
		if retry == nil || retry.Reason != want || retry.After != 15*time.Minute {
			t.Errorf("%s: %+v, want %q", scope, retry, want)
		}
		r.pass(15 * time.Minute)
	}
	if n := len(r.script.asked); n != 0 {
		t.Errorf("the provider was asked %d times", n)
	}
	for _, scope := range []string{"Read.All,Sign.Read", ""} {
		r.script.scope = scope
		if retry := r.poll(); retry != nil {
			t.Errorf("%q: %+v", scope, retry)
		}
		r.pass(15 * time.Minute)
	}
}

func TestStoredPagesAreSealed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.script.will(connector.Page{Records: records(1), Next: behind("a"), Done: true}, nil)
	r.poll()
	dv, _, err := r.store.NextDelivery(t.Context(), r.made.Destinations[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := r.store.Pages(t.Context(), dv.BatchID)
	if err != nil || len(pages) != 1 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	if strings.Contains(string(pages[0].Body), "text") {
		t.Error("a record is stored in the open")
	}
}
