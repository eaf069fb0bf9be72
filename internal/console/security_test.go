package console_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"selvedge/internal/console"
	"selvedge/internal/fabric"
)

// hostile is what a provider, or whoever has an account there, might be called.
const hostile = `"><script>alert(1)</script><img src=x onerror=y>'`

// shows says whether a page has the text, as text or as the value of an input.
func (d document) shows(text string) bool {
	for n := range d.root.Descendants() {
		if n.Type == html.TextNode && strings.Contains(n.Data, text) || strings.Contains(attribute(n, "value"), text) {
			return true
		}
	}
	return false
}

// TestHostileTexts opens every page while all that others may write is HTML that
// would run. Each page keeps to the rules, which know no script but ours.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, hostile)
	w.grants.address = "javascript://provider.example/%0aalert(1)" // a URL with a host
	b := w.browser()
	b.agent = hostile
	if _, err := w.api.Do(t.Context(), fabric.Visitor{Caller: w.caller}, "CreateKey", map[string]any{"account": w.caller.Account, "policy": strings.Replace(may("appfabric:*"), "{", `{"Id":"<script>alert(1)</script>",`, 1)}); err != nil {
		t.Fatal(err)
	}
	results := w.results(b)
	pages := map[string][]string{ // with an exclamation mark: the text must be there
		"/console/sign-in":               {"/console/sign-in?next=" + url.QueryEscape("/console/trail?x="+hostile)},
		"/console/{$}":                   {"!/console/", "!/console/?standing=failed", "/console/?done=" + url.QueryEscape(hostile)},
		"/console/apps":                  {"/console/apps"},
		"/console/apps/{app}/connect":    {"/console/apps/okta/connect"},
		"authorizations/{authorization}": {"!" + w.at["authorization"], "!" + w.at["spare"]},
		"/edit":                          {"!" + w.at["authorization"] + "/edit", "!" + w.at["spare"] + "/edit"},
		"ingestions/{ingestion}":         {"!" + w.path, "!" + w.path + "?hours=24", "/console/bundles/" + w.BundleID + "/ingestions/" + w.ID + "?stream=" + url.QueryEscape(hostile)},
		"/events":                        {"!" + w.path + "/events", "!" + w.path + "/events?n=100"},
		"/destinations/new":              {"!" + w.path + "/destinations/new"},
		"destinations/{destination}":     {"!" + w.at["destination"]},
		"/console/user-access":           {"/console/user-access"},
		"/console/user-access/results":   {"!" + results},
		"/console/trail":                 {"!/console/trail?n=50", "!/console/trail?operation=" + url.QueryEscape(hostile)},
	}
	titles := map[string]string{}
	for _, route := range console.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if method != http.MethodGet {
			continue
		}
		key := longest(pages, pattern)
		if key == "" {
			t.Errorf("%s is not opened", route)
			continue
		}
		for n, path := range pages[key] {
			path, must := strings.CutPrefix(path, "!")
			d := b.get(path)
			if must && !d.shows(`<script>alert(1)</script>`) {
				t.Errorf("%s does not show the text, which proves nothing:\n%s", path, d.text())
			}
			title := words(d.find("title", "", ""))
			if other, ok := titles[title]; ok && n == 0 {
				t.Errorf("%s and %s are both called %s", pattern, other, title)
			}
			titles[title] = pattern
		}
		delete(pages, key)
	}
	for left := range pages {
		t.Errorf("there is no page %s", left)
	}
}

// TestThePolicyForReaders takes the policy of docs/console.md at its word: a key with it
// opens every page, and changes nothing.
func TestThePolicyForReaders(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/console.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```json\n")
	policy, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/console.md has no policy")
	}
	w := newWorld(t, "acme")
	results := w.results(w.browser())
	b := w.browserOf(w.key(policy))
	for _, path := range []string{
		"/console/", "/console/apps", "/console/apps/okta/connect", w.at["authorization"], w.at["spare"], w.at["spare"] + "/edit", w.path,
		w.path + "/events", w.path + "/destinations/new", w.at["destination"], "/console/user-access", results, "/console/trail",
	} {
		if d := b.get(path); strings.Contains(d.text(), "access key may not") {
			t.Errorf("%s: %s", path, d.text())
		}
	}
	for pattern, a := range actionsOf(w) {
		if a.operation == "" {
			continue
		}
		before := w.kept()
		if d := b.post(a.path, a.pairs...); d.status != http.StatusForbidden || w.kept() != before {
			t.Errorf("%s: %d to %q, or something has changed", pattern, d.status, d.to)
		}
	}
}

// longest is the key that a pattern ends with, the longest of them.
func longest(pages map[string][]string, pattern string) (best string) {
	for key := range pages {
		if strings.HasSuffix(pattern, key) && len(key) > len(best) {
			best = key
		}
	}
	return best
}

// action is a form of the console.
type action struct {
	path      string
	pairs     []string
	operation string // that it needs; empty: none
	first     string // a form that must be sent before
	unseen    bool   // what it does is not in what the API shows
}

// actionsOf is a form for each POST of the console.
func actionsOf(w *world) map[string]action {
	const bundle = "/console/bundles/{bundle}/"
	const authorization, ingestion = bundle + "authorizations/{authorization}", bundle + "ingestions/{ingestion}"
	spare, sure := w.at["spare"], []string{"sure", "yes"}
	return map[string]action{
		"/console/sign-in":                               {path: "/console/sign-in", pairs: []string{"accessKeyId", w.root.ID, "secretAccessKey", w.root.Secret, "region", "us-east-1"}, unseen: true},
		"/console/sign-out":                              {path: "/console/sign-out", unseen: true},
		"/console/region":                                {path: "/console/region", pairs: []string{"region", "eu-west-1"}, unseen: true},
		"/console/apps/{app}/connect":                    {path: "/console/apps/zendesk/connect", pairs: []string{"tenant", "acme", "id", "x", "secret", "y"}, operation: "appfabric:CreateAppAuthorization"},
		authorization + "/connect":                       {path: spare + "/connect", operation: "appfabric:ConnectAppAuthorization"},
		authorization + "/collect":                       {path: spare + "/collect", operation: "appfabric:CreateIngestion", first: spare + "/connect"},
		authorization + "/edit":                          {path: spare + "/edit", pairs: []string{"tenant", "other", "display", "Other"}, operation: "appfabric:UpdateAppAuthorization"},
		authorization + "/tag":                           {path: spare + "/tag", pairs: []string{"key", "team", "value", "blue"}, operation: "appfabric:TagResource"},
		authorization + "/untag":                         {path: spare + "/untag", pairs: []string{"key", w.text}, operation: "appfabric:UntagResource"},
		authorization + "/delete":                        {path: spare + "/delete", pairs: sure, operation: "appfabric:DeleteAppAuthorization"},
		ingestion + "/start":                             {path: w.path + "/start", operation: "appfabric:StartIngestion", first: w.path + "/stop"},
		ingestion + "/stop":                              {path: w.path + "/stop", operation: "appfabric:StopIngestion"},
		ingestion + "/backfill":                          {path: w.path + "/backfill", pairs: []string{"from", "2026-11-22T08:00", "to", "2026-11-22T09:00", "read", "all"}, operation: "selvedge:Backfill"},
		ingestion + "/delete":                            {path: w.path + "/delete", pairs: sure, operation: "appfabric:DeleteIngestion"},
		ingestion + "/destinations/new":                  {path: w.path + "/destinations/new", pairs: []string{"kind", "raw-json", "to", "s3", "bucket", "more-logs"}, operation: "appfabric:CreateIngestionDestination"},
		ingestion + "/destinations/{destination}":        {path: w.at["destination"], pairs: []string{"to", "s3", "bucket", "other-logs"}, operation: "appfabric:UpdateIngestionDestination"},
		ingestion + "/destinations/{destination}/delete": {path: w.at["destination"] + "/delete", pairs: sure, operation: "appfabric:DeleteIngestionDestination"},
		"/console/user-access":                           {path: "/console/user-access", pairs: []string{"email", "ada@example.com"}, operation: "appfabric:StartUserAccessTasks", unseen: true},
	}
}

// TestEveryAction sends every form of the console as others might, as a key that may
// not, and as one that may.
func TestEveryAction(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "acme")
	known := slices.Sorted(maps.Keys(actionsOf(w)))
	for _, route := range console.Routes() {
		method, pattern, _ := strings.Cut(route, " ")
		if method != http.MethodPost {
			continue
		}
		if !slices.Contains(known, pattern) {
			t.Errorf("%s is not tested", route)
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "acme")
			w.act(actionsOf(w)[pattern])
		})
	}
}

func (w *world) act(a action) {
	t, b, other := w.t, w.browser(), w.browser()
	t.Helper()
	if a.first != "" {
		b.post(a.first)
	}
	other.get("/console/apps")
	b.get("/console/apps")
	with := func(token string) url.Values {
		form := url.Values{"csrf": {token}}
		for n := 0; n < len(a.pairs); n += 2 {
			form.Set(a.pairs[n], a.pairs[n+1])
		}
		return form
	}
	if a.path != "/console/sign-in" {
		w.nothing("without a token", func() document { return b.send("POST", a.path, with("")) })
		w.nothing("with the token of another session", func() document { return b.send("POST", a.path, with(other.form)) })
		stranger := &browser{site: w.site, agent: "a browser", from: "same-origin"}
		w.nothing("signed out", func() document { return stranger.send("POST", a.path, with(b.form)) })
	}
	b.get("/console/apps")
	b.from = "cross-site"
	w.nothing("from another site", func() document { return b.send("POST", a.path, with(b.form)) })
	b.from = "same-origin"
	if a.operation != "" {
		w.refused(a)
	}
	before := w.kept()
	d := b.post(a.path, a.pairs...)
	if d.status != http.StatusSeeOther || !strings.HasPrefix(d.to, "/console/") {
		t.Fatalf("%d to %q: %s", d.status, d.to, d.text())
	}
	if changed := w.kept() != before; changed == a.unseen {
		t.Errorf("changed: %v", changed)
	}
	if a.operation != "" {
		w.recorded(a.operation, w.root.ID, "")
	}
}

// refused: a key that may do all else does not do it, and is told why.
func (w *world) refused(a action) {
	w.t.Helper()
	k := w.key(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + a.operation + `","Resource":"*"}]}`)
	b := w.browserOf(k)
	b.get("/console/apps")
	before := w.kept()
	d := b.post(a.path, a.pairs...)
	if want := "is not authorized to perform: " + a.operation + " on resource: "; d.status != http.StatusForbidden || !strings.Contains(d.text(), want) {
		w.t.Errorf("a key that may not: %d, without %q: %s", d.status, want, d.text())
	}
	if w.kept() != before {
		w.t.Error("a key that may not has done something")
	}
	w.recorded(a.operation, k.ID, "AccessDeniedException")
}

// recorded looks for a call in the trail.
func (w *world) recorded(operation, key, code string) {
	w.t.Helper()
	_, name, _ := strings.Cut(operation, ":")
	page := w.browser().get("/console/trail" + "?operation=" + name + "&key=" + key)
	if n := len(page.all("details")); n == 0 || code != "" && !strings.Contains(page.text(), code) || code == "" && !strings.Contains(page.text(), " done ") {
		w.t.Errorf("the trail has %d calls of %s by %s, without %q: %s", n, name, key, code, page.text())
	}
}
