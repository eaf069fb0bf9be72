package mapping_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

// taking is a table whose Finish takes a user, resources, pairs and choices.
func taking() mapping.Table {
	t := table()
	t.Rows = nil
	t.Read = []string{
		"ids[].a", "ids[].b", "u.uid", "u.account", "u.name", "u.mail", "file", "link", "box",
		"pairs[].n", "pairs[].new", "pairs[].old", "level", "mood",
	}
	levels := map[string]ocsf.Choice{"low": ocsf.Pick(ocsf.SeverityLow)}
	t.Choices = map[string]map[string]ocsf.Choice{"level": levels, "mood": {"good": ocsf.Pick(ocsf.StatusSuccess)}}
	t.Finish = func(r *mapping.Record, e *ocsf.Event) {
		e.Severity, e.Status = r.Pick("level"), r.Choose("mood")
		u := r.User(ocsf.User{UID: "u.uid|u.account", UIDAlt: "u.account", Name: "u.name", Email: "u.mail"})
		if e.Actor.User = u; u == (ocsf.User{}) {
			e.Message = "nobody"
		}
		plain := mapping.Pairs{List: "pairs", Name: "n", Values: "new|old"}
		nested := plain
		nested.Trim = `"`
		e.StatusDetail, e.StatusCode = r.Pair(plain, "x", "y"), r.Pair(nested, "z")
		for _, el := range r.Each("ids") {
			e.WebResources = append(e.WebResources, el.Resource(ocsf.Resource{Name: "a|b"}))
		}
		what := r.Resource(ocsf.Resource{Name: "file", URL: "link", Type: "=File"}, ocsf.Resource{UID: "box", Type: "link"})
		if what == (ocsf.Resource{}) {
			what.Name = "none"
		}
		e.WebResources = append(e.WebResources, what)
	}
	return t
}

func TestTake(t *testing.T) {
	t.Parallel()
	m := mapping.MustNew(taking())
	for _, test := range []struct {
		name, raw string
		want      map[string]any // path to value; nil: not there
	}{
		{"a choice", `"level":"low","mood":"good"`, map[string]any{"severity": "Low", "status": "Success", "unmapped": nil}},
		{"no choice", `"level":"odd","mood":"odd"`, map[string]any{"severity_id": 0.0, "status": "odd", "status_id": 99.0, "unmapped": map[string]any{"level": "odd"}}},
		{"nobody", `"u":{"mail":"a@b.example"}`, map[string]any{"message": "nobody", "unmapped": map[string]any{"u.mail": "a@b.example"}}},
		{
			"a user", `"u":{"uid":"1","account":"2","mail":"a@b.example"}`,
			map[string]any{"actor/user/uid": "1", "actor/user/uid_alt": "2", "actor/user/email_addr": "a@b.example", "message": nil, "unmapped": nil},
		},
		{
			"one identifier, no address", `"u":{"account":"2","name":"N","mail":"x"}`,
			map[string]any{"actor/user/uid": "2", "actor/user/uid_alt": nil, "actor/user/name": "N", "unmapped": map[string]any{"u.mail": "x"}},
		},
		{"the first resource", `"file":"f","link":"l","box":"b"`, map[string]any{"web_resources/0/name": "f", "web_resources/0/type": "File", "web_resources/0/url_string": "l", "unmapped": map[string]any{"box": "b"}}},
		{"its name for an address", `"file":"f","link":"f"`, map[string]any{"web_resources/0/url_string": nil, "unmapped": nil}},
		{"the next resource", `"link":"l","box":"b"`, map[string]any{"web_resources/0/uid": "b", "web_resources/0/type": "l", "unmapped": nil}},
		{"no resource", `"link":"l"`, map[string]any{"web_resources/0/name": "none", "unmapped": map[string]any{"link": "l"}}},
		{
			"of elements", `"ids":[{"a":"1","b":"2"},{"b":"3"}]`,
			map[string]any{"web_resources/0/name": "1", "web_resources/1/name": "3", "unmapped": map[string]any{"ids[0].b": "2"}},
		},
		{
			"pairs", `"pairs":[{"n":"y","new":"1"},{"n":"x","new":"","old":"null"},{"n":"z","new":"null","old":"\"q\""}]`,
			map[string]any{
				"status_detail": "null", "status_code": "q",
				"unmapped": map[string]any{"pairs[0].n": "y", "pairs[0].new": "1", "pairs[2].new": "null"},
			},
		},
		{"the second name", `"pairs":[{"n":"x","new":""},{"n":"y","new":"1"}]`, map[string]any{"status_detail": "1", "unmapped": map[string]any{"pairs[0].n": "x"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			event := normalize(t, m, `{"what":"x",`+head+`,`+test.raw+`}`)
			for path, want := range test.want {
				if diff := cmp.Diff(want, get(event, path)); diff != "" {
					t.Errorf("%s:\n%s", path, diff)
				}
			}
		})
	}
}
