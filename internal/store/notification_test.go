package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// told takes all notifications, oldest of each subject first, as the duty does,
// and returns them in the order in which they were due.
func told(t *testing.T, s *store.Store) []fabric.Notification {
	t.Helper()
	var all []fabric.Notification
	for {
		claims, err := s.Claim(t.Context(), store.DutyNotify, "test", time.Minute, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) == 0 {
			return all
		}
		for _, c := range claims {
			n, _, err := s.LoadNotification(t.Context(), c.ID)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.EndNotification(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			all = append(all, n)
		}
	}
}

// brief is what tests compare of notifications.
func brief(all []fabric.Notification) []string {
	var lines []string
	for _, n := range all {
		words := []string{string(n.Type), n.Data.Status, n.Data.Reason, n.Data.Stream}
		words = slices.DeleteFunc(words, func(w string) bool { return w == "" })
		lines = append(lines, strings.Join(words, " "))
	}
	return lines
}

// TestEveryChangeIsTold: of a status that changes, in the transaction that changes it; of one that stays,
// whatever its reason, and of a verdict that is void nothing.
func TestEveryChangeIsTold(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	refresh, _, err := s.ClaimRow(t.Context(), store.DutyRefresh, r.Authorization.ID, "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	deliver, _, err := s.ClaimRow(t.Context(), store.DutyDeliver, r.Destinations[0].ID, "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	verdict := func(generation int64, status fabric.AuthorizationStatus, reason string) error {
		return s.ChangeGrant(t.Context(), refresh, store.GrantChange{Verdict: &store.Verdict{Generation: generation, Status: status, Reason: reason}})
	}
	update := func(status fabric.AuthorizationStatus) error {
		a := r.Authorization
		a.Status = status
		return s.UpdateAppAuthorization(t.Context(), c, a, 1, nil)
	}
	move := func() error {
		_, err := s.UpdateIngestionDestination(t.Context(), c, r.Bundle.ID, r.Ingestion.ID, r.Destinations[0].ID, fabric.Place{Bucket: "audit-logs"})
		return err
	}
	stale := refresh
	stale.Fence--
	const turned = string(fabric.AuthorizationTurned)
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"made", func() error { return nil }, nil},
		{"connected as before", func() error { return verdict(1, fabric.Connected, "") }, nil},
		{"rotation failed", func() error { return verdict(1, fabric.TokenAutoRotationFailed, "gone") }, []string{turned + " TokenAutoRotationFailed gone"}},
		{"another reason", func() error { return verdict(1, fabric.TokenAutoRotationFailed, "gone for good") }, nil},
		{"a verdict on others", func() error { return verdict(2, fabric.Connected, "") }, nil},
		{"a verdict too late", func() error {
			err := s.ChangeGrant(t.Context(), stale, store.GrantChange{Verdict: &store.Verdict{Generation: 1, Status: fabric.Connected}})
			if !errors.Is(err, store.ErrFenced) {
				return errors.New("not fenced")
			}
			return nil
		}, nil},
		{"twice within a moment", func() error {
			return errors.Join(verdict(1, fabric.Connected, ""), verdict(1, fabric.TokenAutoRotationFailed, "x"), verdict(1, fabric.Connected, ""))
		}, []string{turned + " Connected", turned + " TokenAutoRotationFailed x", turned + " Connected"}},
		{"updated", func() error { return update(fabric.PendingConnect) }, []string{turned + " PendingConnect"}},
		{"updated again", func() error { return update(fabric.PendingConnect) }, nil},
		{"delivered", func() error { return s.DestinationFailed(t.Context(), deliver, "no such bucket") }, []string{"destination.status Failed no such bucket"}},
		{"failed otherwise", func() error { return s.DestinationFailed(t.Context(), deliver, "not allowed") }, nil},
		{"moved", move, []string{"destination.status Active"}},
		{"moved again", move, nil},
	} {
		clk.Add(time.Second)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		got := told(t, s)
		if diff := cmp.Diff(step.want, brief(got), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
		for _, n := range got {
			want := r.Authorization.ARN().String()
			if n.Type == fabric.DestinationTurned {
				want = r.Destinations[0].ARN().String()
			}
			if n.Data.ARN != want || n.Data.App != "OKTA" || n.Data.Tenant != "acme.okta.com" || !n.CreatedAt.Equal(clk.Now()) {
				t.Errorf("%s: %+v", step.name, n)
			}
		}
	}
}

// TestARestoredBackupTellsAnew: a change after the return to an earlier number of the
// status is another than the one that was told by that number before.
func TestARestoredBackupTellsAnew(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	ids := map[string]bool{}
	for range 2 {
		for _, table := range []string{"app_authorization", "ingestion_destination"} {
			if _, err := s.Writer().ExecContext(t.Context(), `UPDATE `+table+` SET status_no = 0`); err != nil {
				t.Fatal(err)
			}
		}
		for _, status := range []fabric.AuthorizationStatus{fabric.PendingConnect, fabric.Connected} {
			a := r.Authorization
			a.Status, a.UpdatedAt = status, clk.Now()
			if err := s.UpdateAppAuthorization(t.Context(), storetest.Caller(), a, 1, nil); err != nil {
				t.Fatal(err)
			}
		}
		deliver, _, err := s.ClaimRow(t.Context(), store.DutyDeliver, r.Destinations[0].ID, "test", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.DestinationFailed(t.Context(), deliver, "no such bucket"); err != nil {
			t.Fatal(err)
		}
		d := r.Destinations[0]
		if _, err := s.UpdateIngestionDestination(t.Context(), storetest.Caller(), d.BundleID, d.IngestionID, d.ID, d.Place); err != nil {
			t.Fatal(err)
		}
		for _, n := range told(t, s) {
			ids[n.ID] = true
		}
		clk.Add(time.Hour)
	}
	if len(ids) != 8 {
		t.Errorf("%d ids of eight changes", len(ids))
	}
}

// TestAGapIsTold when it opens and when it heals; one that grows is no other.
func TestAGapIsTold(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	c := claimOne(t, s, store.DutyPoll)
	at := func(h int) time.Time { return clk.Now().Add(time.Duration(h) * time.Hour) }
	lost := func(from, to int) store.Gap {
		return store.Gap{Interval: store.Interval{From: at(from), To: at(to)}, Reason: "not kept", FoundAt: clk.Now()}
	}
	unread := store.Gap{Interval: store.Interval{From: at(5), To: at(6)}, Reason: "not JSON", FoundAt: clk.Now(), TryAt: at(1)}
	for _, g := range []store.Gap{lost(0, 1), lost(1, 2), unread} {
		if err := s.CommitGap(t.Context(), c, c.ID, g, "{}", g.To); err != nil {
			t.Fatal(err)
		}
	}
	arn := r.Ingestion.ARN().String()
	want := []fabric.NotificationData{
		{ARN: arn, App: "OKTA", Tenant: "acme.okta.com", Stream: "system_log", Reason: "not kept", From: at(0), To: at(1), ForGood: true},
		{ARN: arn, App: "OKTA", Tenant: "acme.okta.com", Stream: "system_log", Reason: "not JSON", From: at(5), To: at(6)},
	}
	if diff := cmp.Diff(want, data(told(t, s))); diff != "" {
		t.Fatalf("opened (-want +got):\n%s", diff)
	}
	clk.Add(2 * time.Hour)
	due, _, err := s.DueGaps(t.Context(), clk.Now())
	if err != nil || len(due) != 1 {
		t.Fatalf("DueGaps = %v, %v", due, err)
	}
	b := store.Backfill{ID: uuid.NewString(), StreamID: c.ID, Kind: store.BackfillGap, Interval: due[0].Interval, GapSeq: due[0].Seq, CreatedAt: clk.Now()}
	if err := s.HealGap(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := s.EndBackfill(t.Context(), claimOne(t, s, store.DutyBackfill), b, clk.Now(), true); err != nil {
		t.Fatal(err)
	}
	got := told(t, s)
	if diff := cmp.Diff(want[1:], data(got)); diff != "" || got[0].Type != fabric.GapHealed {
		t.Errorf("healed (-want +got):\n%s", diff)
	}
}

func data(all []fabric.Notification) []fabric.NotificationData {
	var out []fabric.NotificationData
	for _, n := range all {
		out = append(out, n.Data)
	}
	return out
}

// TestSilence: an ingestion that collects, and of which nothing has come for long, is
// told of once, and once more when it is heard again.
func TestSilence(t *testing.T) {
	t.Parallel()
	const after = 24 * time.Hour
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	storetest.Make(t, s, storetest.Spec{App: "BARE", Now: clk.Now()}) // without a destination nothing is asked for
	poll := claimOne(t, s, store.DutyPoll)
	read := func(records int64) func() error {
		return func() error {
			var seen []store.SeenID
			if records > 0 {
				id := uuid.New()
				seen = append(seen, store.SeenID{ID: id, Hour: 1})
			}
			return s.CommitPage(t.Context(), poll, store.PageCommit{
				Cursor: "{}", BatchID: uuid.NewString(), Body: slices.Repeat([]byte("x"), int(records)), Records: records, Bytes: records, Seen: seen,
			})
		}
	}
	nothing := func() error { return nil }
	start := func() error { return s.StartIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID) }
	stop := func() error {
		if err := s.StopIngestion(t.Context(), c, r.Bundle.ID, r.Ingestion.ID); err != nil {
			return err
		}
		poll.Fence++
		return nil
	}
	for _, step := range []struct {
		name string
		pass time.Duration
		do   func() error
		want fabric.NotificationType // none: ""
	}{
		{"new", after - time.Second, nothing, ""},
		{"never heard", time.Second, nothing, fabric.IngestionSilent},
		{"still silent", time.Hour, nothing, ""},
		{"an empty page", time.Hour, read(0), ""},
		{"heard", time.Hour, read(1), fabric.IngestionHeard},
		{"heard lately", after - time.Second, nothing, ""},
		{"silent again", time.Second, nothing, fabric.IngestionSilent},
		{"stopped", time.Hour, stop, ""},
		{"stopped for long", 10 * after, nothing, ""},
		{"started", time.Hour, start, ""},
		{"silent since its start", after, nothing, fabric.IngestionSilent},
	} {
		clk.Add(step.pass)
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		var want []fabric.NotificationType
		if step.want != "" {
			want = append(want, step.want)
		}
		if err := s.MarkSilent(t.Context(), after); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		var got []fabric.NotificationType
		for _, n := range told(t, s) {
			got = append(got, n.Type)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
	stats, err := s.SilenceStats(t.Context())
	if diff := cmp.Diff([]store.SilenceStat{{App: "OKTA", Longest: after, Silent: 1}}, stats); diff != "" || err != nil {
		t.Errorf("SilenceStats (-want +got), %v:\n%s", err, diff)
	}
}

// TestReplicasTellOfSilenceOnce has several look at once.
func TestReplicasTellOfSilenceOnce(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	for range 3 {
		storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}, Now: clk.Now()})
	}
	clk.Add(48 * time.Hour)
	atOnce(t, 6, nil, func(int) error { return s.MarkSilent(t.Context(), time.Hour) })
	if got := told(t, s); len(got) != 3 {
		t.Errorf("%d notifications of three silent ingestions", len(got))
	}
}

// TestNotificationsOfASubjectAreInOrder: the next is due when the one before it has
// ended; those of others wait for neither.
func TestNotificationsOfASubjectAreInOrder(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	first := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	second := storetest.Make(t, s, storetest.Spec{Now: clk.Now()})
	flip(t, s, first, 3)
	flip(t, s, second, 1)
	take := func() []store.Claim {
		t.Helper()
		claims, err := s.Claim(t.Context(), store.DutyNotify, "test", time.Minute, 100)
		if err != nil {
			t.Fatal(err)
		}
		return claims
	}
	heads := take()
	if len(heads) != 2 || len(take()) != 0 {
		t.Fatalf("%d are due, want the first of two subjects", len(heads))
	}
	// Those whose time has come go, and the next of their subject is due. One
	// that is given up is not in the way.
	if err := s.EndNotification(t.Context(), heads[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.EndNotification(t.Context(), heads[0]); !errors.Is(err, store.ErrFenced) {
		t.Errorf("ended twice: %v", err)
	}
	next := take()
	if len(next) != 1 {
		t.Fatalf("%d are due, want the second", len(next))
	}
	clk.Add(time.Second)
	flip(t, s, first, 2)
	if n, err := s.SweepNotifications(t.Context(), clk.Now()); err != nil || n != 3 {
		t.Errorf("SweepNotifications = %d, %v; want the three that are older", n, err)
	}
	if err := s.EndNotification(t.Context(), next[0]); !errors.Is(err, store.ErrFenced) {
		t.Errorf("one that was given up ended: %v", err)
	}
	if got := told(t, s); len(got) != 2 {
		t.Errorf("%d are left, want two", len(got))
	}
}

// flip changes the status of an authorization n times.
func flip(t *testing.T, s *store.Store, r storetest.Rig, n int) {
	t.Helper()
	c, ok, err := s.ClaimRow(t.Context(), store.DutyRefresh, r.Authorization.ID, "test", time.Millisecond)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	for range n {
		if err := turn(t.Context(), s, c, r); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Finish(t.Context(), c, time.Time{}); err != nil {
		t.Fatal(err)
	}
}

// turn gives an authorization the status that it does not have.
func turn(ctx context.Context, s *store.Store, c store.Claim, r storetest.Rig) error {
	a, err := s.GetAppAuthorization(ctx, storetest.Caller(), r.Bundle.ID, r.Authorization.ID)
	if err != nil {
		return err
	}
	to := fabric.Connected
	if a.Status == to {
		to = fabric.TokenAutoRotationFailed
	}
	return s.ChangeGrant(ctx, c, store.GrantChange{Verdict: &store.Verdict{Generation: 1, Status: to}})
}

// TestNoNotificationIsForgotten: while some are made others end, and the next of
// the subject is always due.
func TestNoNotificationIsForgotten(t *testing.T) {
	t.Parallel()
	const changes = 60
	s := storetest.New(t, nil)
	r := storetest.Make(t, s, storetest.Spec{})
	c, _, err := s.ClaimRow(t.Context(), store.DutyRefresh, r.Authorization.ID, "test", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for range changes {
			if err := turn(t.Context(), s, c, r); err != nil {
				t.Error(err)
			}
		}
	})
	got := told(t, s)
	made := make(chan struct{})
	go func() {
		wg.Wait()
		close(made)
	}()
	for ended := false; !ended; {
		select {
		case <-made:
			ended = true
		default:
		}
		got = append(got, told(t, s)...)
	}
	if len(got) != changes {
		t.Errorf("%d of %d were due", len(got), changes)
	}
	for i, n := range got {
		want := fabric.TokenAutoRotationFailed
		if i%2 == 1 {
			want = fabric.Connected
		}
		if n.Data.Status != string(want) {
			t.Fatalf("number %d says %s", i, n.Data.Status)
		}
	}
}

// TestStats: what metrics are read from.
func TestStats(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s := storetest.New(t, clk.Now)
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON, rawJSON}, Now: clk.Now()})
	flip(t, s, r, 1)
	c := claimOne(t, s, store.DutyPoll)
	err := s.CommitPage(t.Context(), c, store.PageCommit{
		Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: 2, Bytes: 700,
		Seen: []store.SeenID{{ID: idOf(1), Hour: 1}}, CloseBatch: true, ClosedAt: clk.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	clk.Add(time.Minute)
	type all struct {
		Authorizations, Ingestions, Destinations []store.Tally
		Backlog                                  []store.BacklogStat
	}
	var got all
	var errs [4]error
	got.Authorizations, errs[0] = s.AuthorizationStats(t.Context())
	got.Ingestions, errs[1] = s.IngestionStats(t.Context())
	got.Destinations, errs[2] = s.DestinationStats(t.Context())
	got.Backlog, errs[3] = s.BacklogStats(t.Context())
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	want := all{
		Authorizations: []store.Tally{{App: "OKTA", Status: "TokenAutoRotationFailed", Count: 1}},
		Ingestions:     []store.Tally{{App: "OKTA", Status: "enabled", Count: 1}},
		Destinations:   []store.Tally{{App: "OKTA", Status: "Active", Count: 2}},
		Backlog:        []store.BacklogStat{{App: "OKTA", Batches: 2, Bytes: 1400, Age: time.Minute}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
}
