package wire_test

import (
	"testing"

	"selvedge/internal/fabric"
)

func TestShowOverview(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	const all = `"Effect":"Allow","Action":"*","Resource":"*"`
	a, b := s.key(t, accountA, policyOf(all)), s.key(t, accountB, policyOf(all))
	see := func(by key, members map[string]any) (connections []any, counts map[string]any, token string) {
		t.Helper()
		r := s.administer(t, by, "ShowOverview", members)
		if r.status != 200 {
			t.Fatal(r.raw)
		}
		connections, _ = r.body["connections"].([]any)
		counts, _ = r.body["counts"].(map[string]any)
		return connections, counts, r.text("nextToken")
	}
	mine, counts, _ := see(a, map[string]any{})
	if len(mine) != 1 || len(counts) != len(fabric.Standings()) || counts["collecting"] != 1.0 {
		t.Fatalf("%v, %v", mine, counts)
	}
	one, _ := mine[0].(map[string]any)
	if one["appAuthorizationArn"] != f.authorizationARN || one["ingestionArn"] != f.ingestionARN || one["standing"] != "collecting" || one["destinations"] != 1.0 {
		t.Errorf("%v", one)
	}
	if theirs, counts, _ := see(b, map[string]any{}); len(theirs) != 0 || counts["collecting"] != 0.0 {
		t.Errorf("another account sees %v, %v", theirs, counts)
	}
	if none, counts, _ := see(a, map[string]any{"standing": "failed"}); len(none) != 0 || counts["collecting"] != 1.0 {
		t.Errorf("the failed are %v, %v", none, counts)
	}
	s.furnish(t, who{keyA, region})
	first, _, token := see(a, map[string]any{"maxResults": 1})
	second, _, end := see(a, map[string]any{"maxResults": 1, "nextToken": token})
	if len(first) != 1 || len(second) != 1 || end != "" || first[0].(map[string]any)["appAuthorizationArn"] == second[0].(map[string]any)["appAuthorizationArn"] {
		t.Errorf("by pages: %v, then %v and %q", first, second, end)
	}
	for name, members := range map[string]map[string]any{
		"a standing that there is not": {"standing": "fine"}, "a token of another list": {"standing": "failed", "nextToken": token},
	} {
		if r := s.administer(t, a, "ShowOverview", members); r.line() != "400 ValidationException" {
			t.Errorf("%s: %s", name, r.raw)
		}
	}
}

func TestShowAuthorizationNamesItsIngestion(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	k := s.key(t, accountA, policyOf(`"Effect":"Allow","Action":"*","Resource":"*"`))
	show := func() any {
		t.Helper()
		r := s.administer(t, k, "ShowAuthorization", map[string]any{"resourceArn": f.authorizationARN})
		shown, _ := r.body["authorization"].(map[string]any)
		if shown == nil {
			t.Fatal(r.raw)
		}
		return shown["ingestionArn"]
	}
	if got := show(); got != f.ingestionARN {
		t.Errorf("ingestion %v, want %s", got, f.ingestionARN)
	}
	for _, path := range []string{"/ingestiondestinations/" + f.destination, ""} {
		if r := s.by(t, k, "DELETE", "/appbundles/"+f.bundle+"/ingestions/"+f.ingestion+path, ""); r.status != 204 {
			t.Fatal(r.raw)
		}
	}
	if got := show(); got != nil {
		t.Errorf("ingestion %v, want none", got)
	}
}
