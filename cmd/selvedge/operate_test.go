package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"selvedge/connector"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/metric"
	"selvedge/internal/notify"
	"selvedge/internal/outbound"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
)

var update = flag.Bool("update", false, "write the table of metrics in docs/operate.md anew")

// counted has each of the counters' methods counting all that its callers can
// tell it. A method without a line fails the test.
func counted() map[string]func(*metric.Metrics) {
	const app, took = "OKTA", time.Second
	return map[string]func(*metric.Metrics){
		"Called": func(m *metric.Metrics) {
			for _, code := range []string{"", "InternalServerException", "ThrottlingException"} {
				m.Called("CreateAppBundle", code, took)
			}
		},
		"TrailFailed": func(m *metric.Metrics) { m.TrailFailed() },
		"DutyClaimed": func(m *metric.Metrics) { eachDuty(func(d string) { m.DutyClaimed(d, took) }) },
		"DutyEnded": func(m *metric.Metrics) {
			for _, o := range []job.Outcome{job.Done, job.Retried, job.Errored, job.Fenced, job.Panicked, job.Stopped} {
				eachDuty(func(d string) { m.DutyEnded(d, string(o)) })
			}
		},
		"Polled": func(m *metric.Metrics) {
			m.Polled(app, "done")
			for k := connector.Unavailable; k <= connector.Malformed; k++ {
				m.Polled(app, k.String())
			}
		},
		"Page":           func(m *metric.Metrics) { m.Page(app, 2, 1, 100) },
		"Normalized":     func(m *metric.Metrics) { m.Normalized(app, 1, 1) },
		"Delivered":      func(m *metric.Metrics) { m.Delivered(app, 1, 100, took) },
		"Delayed":        func(m *metric.Metrics) { m.Delayed(app, took) },
		"DeliveryFailed": func(m *metric.Metrics) { m.DeliveryFailed(app, sink.Refused.String()) },
		"Late":           func(m *metric.Metrics) { m.Late(app, took) },
		"Gap":            func(m *metric.Metrics) { m.Gap(app, "found") },
		"Held": func(m *metric.Metrics) {
			m.Held(app, "raw-limit")
			m.Held(app, "disk")
		},
		"Backfilled": func(m *metric.Metrics) { m.Backfilled(app, string(store.BackfillLate), 1, 1) },
		"Granted": func(m *metric.Metrics) {
			for _, k := range []store.EventKind{store.EventExchanged, store.EventRefreshed, store.EventRefused, store.EventRevoked, store.EventLost} {
				m.Granted(app, string(k))
			}
		},
		"ProviderWaited": func(m *metric.Metrics) {
			for _, c := range []outbound.Cause{outbound.Refused, outbound.Blocked, outbound.Spent} {
				m.ProviderWaited(app, string(c))
			}
		},
		"UserAccessEnded": func(m *metric.Metrics) { m.UserAccessEnded(app, "completed") },
		"Notified": func(m *metric.Metrics) {
			for _, n := range fabric.NotificationTypes() {
				for _, o := range notify.Outcomes() {
					m.Notified(string(n), string(o))
				}
			}
		},
	}
}

func eachDuty(f func(string)) {
	for _, d := range store.Duties() {
		f(string(d))
	}
}

// everything makes rows of every state that is read from the database.
func everything(t *testing.T, s *store.Store) {
	t.Helper()
	rig := func(status fabric.AuthorizationStatus) storetest.Rig {
		r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}}})
		c, _, err := s.ClaimRow(t.Context(), store.DutyRefresh, r.Authorization.ID, "test", time.Minute)
		if err == nil {
			err = s.ChangeGrant(t.Context(), c, store.GrantChange{Verdict: &store.Verdict{Generation: 1, Status: status}})
		}
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	r := rig(fabric.Connected)
	for _, status := range []fabric.AuthorizationStatus{fabric.PendingConnect, fabric.ConnectionValidationFailed, fabric.TokenAutoRotationFailed} {
		stopped := rig(status)
		if err := s.StopIngestion(t.Context(), storetest.Caller(), stopped.Bundle.ID, stopped.Ingestion.ID); err != nil {
			t.Fatal(err)
		}
	}
	storetest.Destination(t, s, r.Ingestion, fabric.Processing{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}, time.Now())
	poll, _, err := s.ClaimRow(t.Context(), store.DutyPoll, r.StreamIDs[0], "test", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	err = s.CommitPage(t.Context(), poll, store.PageCommit{
		Cursor: "{}", BatchID: uuid.NewString(), Body: []byte("x"), Records: 1, Bytes: 1, CloseBatch: true, ClosedAt: time.Now(),
		Seen: []store.SeenID{{Hour: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	gap := store.Gap{Interval: store.Interval{From: time.Unix(1, 0), To: time.Unix(2, 0)}, FoundAt: time.Now()}
	if err := s.CommitGap(t.Context(), poll, poll.ID, gap, "{}", gap.To); err != nil {
		t.Fatal(err)
	}
	deliver, _, err := s.ClaimRow(t.Context(), store.DutyDeliver, r.Destinations[0].ID, "test", time.Minute)
	if err == nil {
		err = s.DestinationFailed(t.Context(), deliver, "no")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// family is a metric as a scrape has it.
type family struct {
	kind, help string
	labels     map[string]map[string]bool // values by label
}

// scraped is a scrape of a server that has seen everything, by the names of the
// series; those of histograms are under their own name too.
func scraped(t *testing.T) map[string]*family {
	t.Helper()
	v := &server{store: storetest.New(t, nil), metrics: metric.New()}
	everything(t, v.store)
	v.watchStates()
	methods := counted()
	for i := range reflect.TypeOf(v.metrics).NumMethod() {
		name := reflect.TypeOf(v.metrics).Method(i).Name
		if do, ok := methods[name]; ok {
			do(v.metrics)
		} else if name != "Handler" && !strings.HasPrefix(name, "Watch") {
			t.Errorf("the method %s of metric.Metrics is not called here", name)
		}
	}
	w := httptest.NewRecorder()
	v.metrics.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	return parseScrape(w.Body.String())
}

func parseScrape(text string) map[string]*family {
	all := map[string]*family{}
	at := func(name string) *family {
		if all[name] == nil {
			all[name] = &family{labels: map[string]map[string]bool{}}
		}
		return all[name]
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			words := strings.SplitN(comment, " ", 3)
			if words[0] == "HELP" {
				at(words[1]).help = words[2]
			} else {
				at(words[1]).kind = words[2]
			}
			continue
		}
		name, rest, _ := strings.Cut(line, "{")
		name, _, _ = strings.Cut(name, " ")
		f := at(name)
		labels, _, _ := strings.Cut(rest, "} ")
		for _, m := range matchers.FindAllStringSubmatch(labels, -1) {
			if f.labels[m[1]] == nil {
				f.labels[m[1]] = map[string]bool{}
			}
			f.labels[m[1]][m[3]] = true
		}
	}
	return all
}

// PromQL as far as names and labels go.
var (
	selectors = regexp.MustCompile(`((?:selvedge|process|go)_\w+)(?:\{([^}]*)\})?`)
	matchers  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	groupings = regexp.MustCompile(`\b(?:by|without|on|ignoring)\s*\(([^)]*)\)`)
	shown     = regexp.MustCompile(`\{\{\s*(?:\$labels\.)?(\w+)[^}]*\}\}`)
)

// ofPrometheus are labels that Prometheus adds.
func ofPrometheus(label string) bool { return label == "instance" || label == "job" }

// wrong says what an expression names that no scrape has.
func wrong(scrape map[string]*family, expr string) []string {
	var out []string
	found := selectors.FindAllStringSubmatch(expr, -1)
	if len(found) == 0 {
		return []string{"it names no metric"}
	}
	labels := map[string]bool{}
	for _, s := range found {
		f := scrape[s[1]]
		if f == nil || f.kind == "histogram" {
			out = append(out, "there is no series "+s[1])
			continue
		}
		maps.Copy(labels, keys(f.labels))
		for _, m := range matchers.FindAllStringSubmatch(s[2], -1) {
			values := f.labels[m[1]]
			switch {
			case ofPrometheus(m[1]), values != nil && strings.HasPrefix(m[3], "$"):
			case values == nil:
				out = append(out, fmt.Sprintf("%s has no label %s", s[1], m[1]))
			case !values[m[3]]:
				out = append(out, fmt.Sprintf("%s has no %s %q", s[1], m[1], m[3]))
			}
		}
	}
	for _, g := range groupings.FindAllStringSubmatch(expr, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); !labels[label] && !ofPrometheus(label) {
				out = append(out, "none of its metrics has the label "+label)
			}
		}
	}
	return out
}

// hidden says which labels a text shows that the result of an expression does not have.
func hidden(expr, text string) []string {
	var kept []string
	for _, g := range groupings.FindAllStringSubmatch(expr, -1) {
		kept = append(kept, strings.Split(strings.ReplaceAll(g[1], " ", ""), ",")...)
	}
	var out []string
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(kept, m[1]) && !ofPrometheus(m[1]) {
			out = append(out, m[1])
		}
	}
	return out
}

func keys[V any](m map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range m {
		out[k] = true
	}
	return out
}

// TestWhatIsWrongWithAnExpression: the check of the two tests below finds what it is for.
func TestWhatIsWrongWithAnExpression(t *testing.T) {
	t.Parallel()
	scrape := scraped(t)
	for expr, want := range map[string]string{
		`sum by (app) (rate(selvedge_polls_total{outcome="done"}[5m]))`:                                "",
		`histogram_quantile(0.9, sum by (app, le) (rate(selvedge_delivery_delay_seconds_bucket[5m])))`: "",
		`selvedge_polls_total{app=~"$app", job="x"}`:                                                   "",
		`up`:                            "it names no metric",
		`rate(selvedge_pols_total[5m])`: "there is no series selvedge_pols_total",
		`rate(selvedge_delivery_delay_seconds[5m])`:   "there is no series selvedge_delivery_delay_seconds",
		`selvedge_polls_total{application="OKTA"}`:    "selvedge_polls_total has no label application",
		`selvedge_polls_total{outcome="finished"}`:    `selvedge_polls_total has no outcome "finished"`,
		`sum by (tenant) (selvedge_polls_total)`:      "none of its metrics has the label tenant",
		`max(selvedge_duty_failing{duty="sweeping"})`: `selvedge_duty_failing has no duty "sweeping"`,
	} {
		if got := strings.Join(wrong(scrape, expr), ", "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
	if got := hidden("sum by (app) (x)", "{{app}} {{ $labels.duty }} {{instance}}"); !slices.Equal(got, []string{"duty"}) {
		t.Errorf("hidden labels: %v", got)
	}
}

// docs is the folder of what operators read.
const docs = "../../docs"

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAlerts: every rule asks for what a server tells, and docs/operate.md explains
// it. Where promtool is at hand, it reads them and runs their tests.
func TestAlerts(t *testing.T) {
	t.Parallel()
	scrape, page := scraped(t), string(read(t, "operate.md"))
	var file struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				Labels      map[string]string
				Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(read(t, "operate/alerts.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			names = append(names, rule.Alert)
			for _, w := range wrong(scrape, rule.Expr) {
				t.Errorf("%s: %s", rule.Alert, w)
			}
			for _, label := range hidden(rule.Expr, rule.Annotations["summary"]) {
				t.Errorf("%s: its summary shows the label %s, which its result lacks", rule.Alert, label)
			}
			if rule.Annotations["summary"] == "" || !slices.Contains([]string{"critical", "warning", "info"}, rule.Labels["severity"]) {
				t.Errorf("%s: labels %v, annotations %v", rule.Alert, rule.Labels, rule.Annotations)
			}
		}
	}
	var explained []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(Selvedge\\w+)` \\|").FindAllStringSubmatch(page, -1) {
		explained = append(explained, m[1])
	}
	if diff := cmp.Diff(names, explained); diff != "" || len(names) == 0 {
		t.Errorf("alerts (-in the file +in docs/operate.md):\n%s", diff)
	}
	if promtool, err := exec.LookPath("promtool"); err == nil {
		for _, args := range [][]string{{"check", "rules", docs + "/operate/alerts.yaml"}, {"test", "rules", "testdata/alerts.yaml"}} {
			if out, err := exec.CommandContext(t.Context(), promtool, args...).CombinedOutput(); err != nil {
				t.Errorf("promtool %v: %v\n%s", args, err, out)
			}
		}
	}
}

// TestDashboard: every panel asks for what a server tells.
func TestDashboard(t *testing.T) {
	t.Parallel()
	scrape := scraped(t)
	var board struct {
		Panels []struct {
			Type, Title string
			Targets     []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct {
				Name  string
				Query any
			}
		}
	}
	if err := json.Unmarshal(read(t, "operate/grafana.json"), &board); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, p := range board.Panels {
		if (p.Type == "row") != (len(p.Targets) == 0) {
			t.Errorf("%s is a %s with %d queries", p.Title, p.Type, len(p.Targets))
		}
		for _, target := range p.Targets {
			asked++
			for _, w := range wrong(scrape, target.Expr) {
				t.Errorf("%s: %s", p.Title, w)
			}
			for _, label := range hidden(target.Expr, target.LegendFormat) {
				t.Errorf("%s: the legend shows the label %s, which the result lacks", p.Title, label)
			}
		}
	}
	variables := regexp.MustCompile(`label_values\((\w+), (\w+)\)`)
	for _, v := range board.Templating.List {
		q, ok := v.Query.(map[string]any)
		if !ok {
			continue
		}
		m := variables.FindStringSubmatch(fmt.Sprint(q["query"]))
		if m == nil || scrape[m[1]] == nil || scrape[m[1]].labels[m[2]] == nil && !ofPrometheus(m[2]) {
			t.Errorf("the variable %s asks for %v", v.Name, q["query"])
		}
	}
	if asked < 30 {
		t.Errorf("%d queries", asked)
	}
}

// TestMetricsPage: docs/operate.md has every metric, as the server tells of it.
func TestMetricsPage(t *testing.T) {
	t.Parallel()
	scrape := scraped(t)
	const heading = "## All metrics\n"
	page := string(read(t, "operate.md"))
	head, _, ok := strings.Cut(page, heading)
	if !ok {
		t.Fatalf("docs/operate.md has no %q", heading)
	}
	var b strings.Builder
	b.WriteString(head + heading + "\nBeside those of the process and of Go itself (`process_`, `go_`). Of a histogram the series end in `_bucket`, `_sum` and `_count`.\n\n" +
		"| metric | type | labels | is |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(scrape)) {
		f := scrape[name]
		if f.kind == "" || !strings.HasPrefix(name, "selvedge_") {
			continue
		}
		labels := f.labels
		if f.kind == "histogram" {
			labels = scrape[name+"_count"].labels
		}
		names := slices.Sorted(maps.Keys(labels))
		for i := range names {
			names[i] = "`" + names[i] + "`"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", name, f.kind, strings.Join(names, ", "), f.help)
	}
	if *update {
		if err := os.WriteFile(filepath.Join(docs, "operate.md"), []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(b.String(), page); diff != "" {
		t.Errorf("docs/operate.md (-server +page), written anew with -update:\n%s", diff)
	}
	for _, m := range selectors.FindAllStringSubmatch(head, -1) {
		if scrape[m[1]] == nil {
			t.Errorf("docs/operate.md names %s, which there is not", m[1])
		}
	}
}
