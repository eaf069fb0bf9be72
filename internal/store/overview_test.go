package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func overviewInput(now time.Time) store.OverviewInput {
	return store.OverviewInput{N: 100, Late: now.Add(-5 * time.Minute), Silent: now.Add(-24 * time.Hour), Since: now.Add(-24 * time.Hour)}
}

// standingRig makes connections that stand in known ways.
type standingRig struct {
	t    *testing.T
	s    *store.Store
	clk  *clocktest.Clock
	want map[string]fabric.Standing // by tenant
}

func (g standingRig) add(standing fabric.Standing, name string, destinations ...fabric.Processing) storetest.Rig {
	g.t.Helper()
	g.want[name] = standing
	return storetest.Make(g.t, g.s, storetest.Spec{Tenant: name, Now: g.clk.Now(), Destinations: destinations})
}

func (g standingRig) set(r storetest.Rig, status fabric.AuthorizationStatus) {
	g.t.Helper()
	r.Authorization.Status = status
	if err := g.s.UpdateAppAuthorization(g.t.Context(), storetest.Caller(), r.Authorization, r.Authorization.Generation, nil); err != nil {
		g.t.Fatal(err)
	}
}

func (g standingRig) claim(d store.Duty, id string) store.Claim {
	g.t.Helper()
	claim, ok, err := g.s.ClaimRow(g.t.Context(), d, id, "me", time.Minute)
	if err != nil || !ok {
		g.t.Fatal(ok, err)
	}
	return claim
}

func (g standingRig) poll(r storetest.Rig, records int64) {
	g.t.Helper()
	takePage(g.t, g.s, g.claim(store.DutyPoll, r.StreamIDs[0]), uuid.NewString(), records, true, true, g.clk.Now())
}

func (g standingRig) pollFails(r storetest.Rig) {
	g.t.Helper()
	err := g.s.Fail(g.t.Context(), g.claim(store.DutyPoll, r.StreamIDs[0]), g.clk.Now().Add(time.Minute), "the provider is away")
	if err != nil {
		g.t.Fatal(err)
	}
}

func (g standingRig) deliveryFails(r storetest.Rig) {
	g.t.Helper()
	g.poll(r, 1)
	if err := g.s.DestinationFailed(g.t.Context(), g.claim(store.DutyDeliver, r.Destinations[0].ID), "no such bucket"); err != nil {
		g.t.Fatal(err)
	}
}

func (g standingRig) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// all makes one connection for each way in which one can stand.
func (g standingRig) all() {
	g.t.Helper()
	ctx, c := g.t.Context(), storetest.Caller()
	g.add(fabric.StandingSilent, "silent", rawJSON)
	g.poll(g.add(fabric.StandingSilent, "silent since", rawJSON), 3)
	heard := g.add(fabric.StandingCollecting, "heard a day ago", rawJSON)
	g.clk.Add(time.Hour)
	g.poll(heard, 1)
	g.clk.Add(24 * time.Hour)
	g.set(g.add(fabric.StandingFailed, "rotation", rawJSON), fabric.TokenAutoRotationFailed)
	g.set(g.add(fabric.StandingFailed, "validation", rawJSON), fabric.ConnectionValidationFailed)
	g.deliveryFails(g.add(fabric.StandingFailed, "destination", rawJSON))
	stopped := g.add(fabric.StandingFailed, "stopped, a destination failed", rawJSON)
	g.deliveryFails(stopped)
	pending := g.add(fabric.StandingFailed, "pending, a destination failed", rawJSON)
	g.deliveryFails(pending)
	g.set(pending, fabric.PendingConnect)
	g.pollFails(g.add(fabric.StandingLate, "late", rawJSON))
	g.set(g.add(fabric.StandingWaiting, "pending", rawJSON), fabric.PendingConnect)
	g.add(fabric.StandingWaiting, "bare")
	unused := g.add(fabric.StandingWaiting, "unused")
	g.must(g.s.DeleteIngestion(ctx, c, unused.Bundle.ID, unused.Ingestion.ID))
	again := g.add(fabric.StandingWaiting, "bare again", rawJSON)
	g.must(g.s.DeleteIngestionDestination(ctx, c, again.Bundle.ID, again.Ingestion.ID, again.Destinations[0].ID))
	disabled := g.add(fabric.StandingStopped, "stopped", rawJSON)
	g.must(g.s.StopIngestion(ctx, c, disabled.Bundle.ID, disabled.Ingestion.ID))
	g.must(g.s.StopIngestion(ctx, c, stopped.Bundle.ID, stopped.Ingestion.ID))
	g.poll(g.add(fabric.StandingCollecting, "collecting", rawJSON), 7)
	g.add(fabric.StandingCollecting, "new", rawJSON)
	recent := g.add(fabric.StandingCollecting, "failed just now", rawJSON)
	g.poll(recent, 1) // and so it is read to now
	g.pollFails(recent)
}

func TestOverview(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	g := standingRig{t, s, clk, make(map[string]fabric.Standing)}
	g.all()
	o, err := s.Overview(t.Context(), c, overviewInput(clk.Now()))
	if err != nil {
		t.Fatal(err)
	}
	got, counts := make(map[string]fabric.Standing), make(map[fabric.Standing]int64)
	for n, x := range o.Connections {
		got[x.Authorization.Tenant.Identifier] = x.Standing
		counts[x.Standing]++
		if n > 0 && rankOf(x.Standing) < rankOf(o.Connections[n-1].Standing) {
			t.Errorf("%s comes after %s", x.Standing, o.Connections[n-1].Standing)
		}
	}
	if d := cmp.Diff(g.want, got); d != "" {
		t.Errorf("standings (-want +got):\n%s", d)
	}
	if d := cmp.Diff(counts, o.Counts); d != "" {
		t.Errorf("counts (-listed +counted):\n%s", d)
	}
	other := c
	other.Region = "eu-west-1"
	if o, err := s.Overview(t.Context(), other, overviewInput(clk.Now())); err != nil || len(o.Connections) != 0 || o.Counts[fabric.StandingFailed] != 0 {
		t.Errorf("another Region sees %+v, %v", o, err)
	}
	overviewDetails(t, o, clk.Now())
	overviewPages(t, s, o, clk.Now())
}

func rankOf(s fabric.Standing) int {
	for n, one := range fabric.Standings() {
		if one == s {
			return n
		}
	}
	return -1
}

// overviewDetails looks at what is told of some of TestOverview's connections.
func overviewDetails(t *testing.T, o store.Overview, now time.Time) {
	t.Helper()
	of := make(map[string]store.Connection)
	for _, x := range o.Connections {
		of[x.Authorization.Tenant.Identifier] = x
	}
	if x := of["collecting"]; !x.LastAt.Equal(now) || len(x.Volumes) != 1 || x.Volumes[0] != (store.Volume{Hour: now.Truncate(time.Hour), Records: 7}) ||
		!x.Owed.Equal(now) || x.Destinations != 1 || !x.ReadTo.Equal(now) || x.Ingestion.State != fabric.Enabled {
		t.Errorf("collecting: %+v", x)
	}
	if x := of["silent since"]; !x.LastAt.Equal(now.Add(-25*time.Hour)) || len(x.Volumes) != 0 {
		t.Errorf("silent: %+v", x)
	}
	if x := of["destination"]; x.Failed.Reason != "no such bucket" || x.Failed.ARN().Grandchild == "" {
		t.Errorf("failed destination: %+v", x.Failed)
	}
	if x := of["late"]; x.Stream != "system_log" || x.StreamError != "the provider is away" || x.StreamDue.IsZero() {
		t.Errorf("late: %+v", x)
	}
	if x := of["unused"]; x.Ingestion != (fabric.Ingestion{}) {
		t.Errorf("no ingestion: %+v", x.Ingestion)
	}
}

// overviewPages reads the overview in small parts, and one standing alone.
func overviewPages(t *testing.T, s *store.Store, all store.Overview, now time.Time) {
	t.Helper()
	ids := func(o store.Overview) (ids []string) {
		for _, x := range o.Connections {
			ids = append(ids, x.Authorization.ID)
		}
		return ids
	}
	in, got := overviewInput(now), []string(nil)
	in.N = 3
	for range len(all.Connections) {
		o, err := s.Overview(t.Context(), storetest.Caller(), in)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Connections) == 0 {
			break
		}
		got = append(got, ids(o)...)
		in.After = o.Connections[len(o.Connections)-1].Mark()
	}
	if d := cmp.Diff(ids(all), got); d != "" {
		t.Errorf("in parts (-whole +parts):\n%s", d)
	}
	for _, standing := range fabric.Standings() {
		in := overviewInput(now)
		in.Only = standing
		o, err := s.Overview(t.Context(), storetest.Caller(), in)
		if err != nil || int64(len(o.Connections)) != all.Counts[standing] {
			t.Errorf("only %s: %d of %d, %v", standing, len(o.Connections), all.Counts[standing], err)
		}
		for _, x := range o.Connections {
			if x.Standing != standing {
				t.Errorf("only %s has %s", standing, x.Standing)
			}
		}
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	clk := newClock()
	s, c := storetest.New(t, clk.Now), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Now: clk.Now(), Destinations: []fabric.Processing{rawJSON}})
	take := func(n int64) {
		t.Helper()
		claim, ok, err := s.ClaimRow(t.Context(), store.DutyPoll, r.StreamIDs[0], "me", time.Minute)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		takePage(t, s, claim, uuid.NewString(), n, true, true, clk.Now())
	}
	see := func() []store.Volume {
		t.Helper()
		in := overviewInput(clk.Now())
		in.Since = time.Time{}
		o, err := s.Overview(t.Context(), c, in)
		if err != nil || len(o.Connections) != 1 {
			t.Fatal(o, err)
		}
		return o.Connections[0].Volumes
	}
	first := clk.Now().Truncate(time.Hour)
	take(2)
	take(3)
	clk.Add(time.Hour)
	take(4)
	want := []store.Volume{{Hour: first, Records: 5}, {Hour: first.Add(time.Hour), Records: 4}}
	if d := cmp.Diff(want, see()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	clk.Add(100 * time.Hour)
	n, err := s.SweepVolumes(t.Context(), clk.Now())
	if err != nil || n != 1 {
		t.Errorf("swept %d, %v", n, err)
	}
	if d := cmp.Diff(want[1:], see()); d != "" {
		t.Errorf("the newest hour must stay (-want +got):\n%s", d)
	}
}

// BenchmarkOverview is the first part of an overview of 10,000 connections, of
// which some are as they should not be, or all of them.
func BenchmarkOverview(b *testing.B) {
	s, c := storetest.New(b, nil), storetest.Caller()
	r := storetest.Make(b, s, storetest.Spec{Now: time.Now().Add(-48 * time.Hour), Destinations: []fabric.Processing{rawJSON}})
	r.Fill(b, s, 9999)
	now := time.Now()
	in := overviewInput(now)
	in.N = 26
	run := func(name string, silent int64) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				o, err := s.Overview(b.Context(), c, in)
				if err != nil || len(o.Connections) != 26 || o.Counts[fabric.StandingSilent] != silent || o.Counts[fabric.StandingCollecting] != 10000-silent {
					b.Fatalf("%d connections, %v, %v", len(o.Connections), o.Counts, err)
				}
			}
		})
	}
	run("all silent", 10000)
	_, err := s.Writer().ExecContext(b.Context(), `INSERT INTO volume (ingestion_id, hour, records, last_at)
		SELECT id, ?, 5, ? FROM ingestion WHERE id > '02'`, now.Unix()/3600, now.UnixMilli())
	if err != nil {
		b.Fatal(err)
	}
	o, err := s.Overview(b.Context(), c, in)
	if err != nil {
		b.Fatal(err)
	}
	run("few silent", o.Counts[fabric.StandingSilent])
}
