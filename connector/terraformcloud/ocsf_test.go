package terraformcloud_test

import (
	"encoding/json"
	"flag"
	"strings"
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/terraformcloud"
	"selvedge/internal/encode"
	"selvedge/ocsf/ocsftest"
)

var updateOCSF = flag.Bool("update", false, "write the golden files of the mapping")

func normalizer() *encode.Normalizer {
	return encode.NewNormalizer(terraformcloud.App())
}

// TestGoldenOCSF: run with -update after a change that is meant.
func TestGoldenOCSF(t *testing.T) {
	t.Parallel()
	connectortest.Golden(t, terraformcloud.App(), "audit_trail", *updateOCSF)
}

const record = `{"id":"ae66","version":"0","type":"Resource","timestamp":"2026-11-22T19:24:00.500Z",` +
	`"auth":{"accessor_id":"user-V3R","description":"ada","type":"Client","impersonator_id":null,"organization_id":"org-1"},` +
	`"request":{"id":"rq-1"},"resource":{"id":"ws-1","type":"workspace","action":"create","meta":null}}`

// TestMembers breaks the record at one place each.
func TestMembers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		from, to, path string
		want           any
	}{
		{"", "", "metadata.uid", "ae66"},
		{"", "", "metadata.event_code", "workspace.create"},
		{"", "", "metadata.original_time", "2026-11-22T19:24:00.500Z"},
		{"", "", "metadata.tenant_uid", "org-1"},
		{"", "", "time", 1795375440500.0},
		{"", "", "actor.user.uid", "user-V3R"},
		{"", "", "actor.user.name", "ada"},
		{"", "", "actor.user.type", "User"},
		{"", "", "http_request.uid", "rq-1"},
		{"", "", "type_uid", 600101.0},
		{`"id":"ae66",`, ``, "metadata.uid", nil},
		{`"organization_id":"org-1"`, `"organization_id":null`, "metadata.tenant_uid", nil},
		{`"accessor_id":"user-V3R"`, `"accessor_id":null`, "actor.user.uid", nil},
		{`"description":"ada",`, ``, "actor.user.name", nil},
		{`user-V3R`, `team-1`, "actor.user.type", nil},
		{`"accessor_id":"user-V3R","description":"ada","type":"Client"`, `"type":"System"`, "actor.invoked_by", "System"},
		{`"type":"Client"`, `"type":"System"`, "actor.user.type", "System"},
		{`"request":{"id":"rq-1"}`, `"request":null`, "http_request", nil},
		{`"create"`, `"destroy"`, "activity_name", "Delete"},
		{`"create"`, `"unlock"`, "activity_name", "Update"},
		{`"workspace"`, `"organization_user"`, "type_uid", 300101.0},
		{`"workspace"`, `"organization_user"`, "user.uid", "ws-1"},
		{`"id":"ws-1","type":"workspace"`, `"type":"organization_user"`, "type_uid", 600101.0},
		{`"impersonator_id":null`, `"impersonator_id":"user-root"`, "unmapped.auth.impersonator_id", "user-root"},
		{`"meta":null`, `"meta":{"a":[1]}`, "unmapped.resource.meta.a[0]", "1"},
	} {
		raw := strings.Replace(record, test.from, test.to, 1)
		line, outcome := normalizer().Append(nil, "audit-trail", "", []byte(raw), connectortest.Processed())
		ocsftest.MustValidate(t, line)
		if outcome.Base {
			t.Errorf("%s: %v", test.to, outcome.Why)
		}
		var e map[string]any
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		if got := at(e, test.path); got != test.want {
			t.Errorf("%s for %s: %s is %v, not %v", test.to, test.from, test.path, got, test.want)
		}
	}
}

// at returns what stands at a path; unmapped has paths for names.
func at(e map[string]any, path string) any {
	name, rest, more := strings.Cut(path, ".")
	if !more {
		return e[name]
	}
	inner, ok := e[name].(map[string]any)
	if !ok {
		return nil
	}
	if name == "unmapped" {
		return inner[rest]
	}
	return at(inner, rest)
}

// FuzzNormalize: any bytes become a valid event.
func FuzzNormalize(f *testing.F) {
	connectortest.FuzzNormalize(f, terraformcloud.App(), "audit_trail", record, strings.Replace(record, "workspace", "organization_user", 1), "{}", "nope", `{"resource":{"type":"x"},"timestamp":"2026-11-22T19:24:00Z"}`)
}
