package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/store"

	contract "selvedge/connector"
)

// world is a console with something on each of its pages, of which every text that
// is not ours is the same.
type world struct {
	*collected
	text  string
	spare fabric.AppAuthorization // without an ingestion, and no longer connected
	at    map[string]string       // paths by what they are of
}

func newWorld(t testing.TB, text string) *world {
	t.Helper()
	s := newSite(t)
	w := &world{collected: s.collect("OKTA", text, "audit-logs"), text: text}
	bundle, ctx := fabric.AppBundle{ID: w.BundleID}, t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	claim := func(duty store.Duty, id string) store.Claim {
		t.Helper()
		c, ok, err := s.store.ClaimRow(ctx, duty, id, "test", time.Minute)
		if err != nil || !ok {
			t.Fatalf("claim %v of %s: %v, %v", duty, id, ok, err)
		}
		return c
	}
	named, err := json.Marshal(text)
	must(err)
	w.take("system_log",
		contract.Record{Time: s.tick(), Raw: fmt.Appendf(nil, `{"eventType":"user.session.start","published":"2026-11-22T12:00:00Z","displayMessage":%s,"actor":{"alternateId":%s}}`, named, named)},
		contract.Record{Time: s.tick(), Raw: []byte("no JSON " + text)},
	)
	from, poll := s.tick().Add(-3*time.Hour), w.claims["system_log"]
	must(s.store.CommitGap(ctx, poll, poll.ID, store.Gap{Interval: store.Interval{From: from, To: from.Add(time.Hour)}, Reason: text, FoundAt: from}, "{}", from))
	must(s.store.Fail(ctx, poll, s.tick().Add(time.Minute), text))
	destinations, err := s.control.ListIngestionDestinations(ctx, s.caller, w.BundleID, w.ID, control.Paging{MaxResults: 1})
	must(err)
	to := destinations.Items[0]
	must(s.store.DestinationFailed(ctx, claim(store.DutyDeliver, to.ID), text))
	w.spare = s.authorize(bundle, "SLACK", text)
	must(s.store.ChangeGrant(ctx, claim(store.DutyRefresh, w.spare.ID), store.GrantChange{
		Event: &store.GrantEvent{Generation: 1, Replica: text, Kind: store.EventKind(text), Detail: text}, Finish: true,
	}))
	w.spare.Status, w.spare.Reason = fabric.TokenAutoRotationFailed, text
	must(s.store.UpdateAppAuthorization(ctx, s.caller, w.spare, w.spare.Generation, nil))
	tag := []fabric.Tag{{Key: text, Value: text}}
	must(s.control.TagResource(ctx, s.caller, w.authorization.ARN().String(), tag))
	must(s.control.TagResource(ctx, s.caller, w.spare.ARN().String(), tag))
	now := s.tick()
	_, err = s.control.Backfill(ctx, s.caller, control.BackfillInput{
		ARN: w.ARN().String(), From: now.Add(-2 * time.Hour).Format(time.RFC3339), To: now.Add(-time.Hour).Format(time.RFC3339), Again: true,
	})
	must(err)
	backfills, err := s.store.Claim(ctx, store.DutyBackfill, "test", time.Minute, 9)
	must(err)
	for _, c := range backfills {
		must(s.store.Fail(ctx, c, now.Add(time.Hour), text))
	}
	authorizations := "/console/bundles/" + w.BundleID + "/authorizations/"
	w.at = map[string]string{
		"ingestion": w.path, "destination": w.path + "/destinations/" + to.ID,
		"authorization": authorizations + w.authorization.ID, "spare": authorizations + w.spare.ID,
	}
	return w
}

// results is the page of a search that found a person in one tenant.
func (w *world) results(b *browser) string {
	w.t.Helper()
	ctx := w.t.Context()
	path := b.post("/console/user-access", "email", "ada@example.com").to
	claims, err := w.store.Claim(ctx, store.DutyUserAccess, "test", time.Hour, 9)
	if err != nil || len(claims) == 0 {
		w.t.Fatal(len(claims), err)
	}
	named, err := json.Marshal(w.text)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range claims {
		task, _, err := w.store.LoadUserAccess(ctx, c.ID)
		if err != nil {
			w.t.Fatal(err)
		}
		sealed, err := w.keys.Seal(ctx, task.UserPlace(), fmt.Appendf(nil, `{"id":%s,"fullName":%s,"status":%s}`, named, named, named))
		if err == nil {
			err = w.store.EndUserAccess(ctx, c, fabric.Completed, "", sealed)
		}
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return path
}

var arns = regexp.MustCompile(`arn:aws:appfabric:[^"\\]+`)

// kept is all that the API shows of the account, without a record in the trail.
func (s *site) kept() string {
	s.t.Helper()
	by := fabric.Visitor{Caller: s.caller, Again: true}
	var all strings.Builder
	ask := func(operation string, members map[string]any) []string {
		s.t.Helper()
		body, err := s.api.Do(s.t.Context(), by, operation, members)
		if err != nil {
			s.t.Fatalf("%s %v: %v", operation, members, err)
		}
		fmt.Fprintf(&all, "%s %s\n", operation, body)
		return slices.Compact(slices.Sorted(slices.Values(arns.FindAllString(string(body), -1))))
	}
	for _, bundle := range ask("ListAppBundles", nil) {
		of := map[string]any{"appBundleIdentifier": bundle}
		for _, arn := range ask("ListAppAuthorizations", of) {
			if a, _ := fabric.ParseARN(arn); a.Kind == fabric.KindAppAuthorization {
				ask("ShowAuthorization", map[string]any{"resourceArn": arn})
				ask("ListTagsForResource", map[string]any{"resourceArn": arn})
			}
		}
		for _, arn := range ask("ListIngestions", of) {
			if a, _ := fabric.ParseARN(arn); a.Kind == fabric.KindIngestion {
				ask("ShowIngestion", map[string]any{"resourceArn": arn})
			}
		}
	}
	return all.String()
}

// nothing sees that an action changes nothing and is not even asked for.
func (s *site) nothing(name string, action func() document) {
	s.t.Helper()
	before, calls := s.kept(), s.called("")
	if d := action(); d.status != http.StatusForbidden || len(d.cookies) > 0 {
		s.t.Errorf("%s: %d with %d cookies, want 403", name, d.status, len(d.cookies))
	}
	if s.kept() != before || s.called("") != calls {
		s.t.Errorf("%s: something was done", name)
	}
}
