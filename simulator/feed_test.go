package simulator_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

func TestPagesKeepEveryByte(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{Seed: 7})
	ids, err := w.Okta().Emit(1000, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	all := w.Okta().All()
	if len(all) != 1000 || len(ids) != 1000 || len(w.Okta().Shown()) != 0 {
		t.Fatalf("%d records, %d ids, %d shown", len(all), len(ids), len(w.Okta().Shown()))
	}
	page := w.get("/api/v1/logs?limit=1000", w.connect().Access)
	for i, raw := range elements(t, page.body) {
		if raw != string(all[ids[i]]) {
			t.Fatalf("record %d: served %q, is %q", i, raw, all[ids[i]])
		}
	}
	if !maps.EqualFunc(all, w.Okta().Shown(), bytes.Equal) {
		t.Errorf("%d records are shown, not all", len(w.Okta().Shown()))
	}
	if _, err := w.TerraformCloud().Emit(200, 0); err != nil {
		t.Fatal(err)
	}
	got := parse[trail](t, w.get(auditTrail, w.TerraformCloud().Token()).body)
	for _, raw := range got.Data {
		id := parse[struct{ ID string }](t, string(raw)).ID
		if !bytes.Equal(raw, w.TerraformCloud().All()[id]) {
			t.Fatalf("served %q", raw)
		}
	}
	if !maps.EqualFunc(w.TerraformCloud().All(), w.TerraformCloud().Shown(), bytes.Equal) || len(got.Data) != 200 {
		t.Errorf("%d records came, %d are shown", len(got.Data), len(w.TerraformCloud().Shown()))
	}
}

func BenchmarkGenerateOkta(b *testing.B) {
	okta := simulator.New(simulator.Options{}).Okta()
	size := 0
	for b.Loop() {
		size += len(okta.Generate(1)[0])
	}
	b.SetBytes(int64(size / b.N))
}

func TestGeneratedRecordsVary(t *testing.T) {
	t.Parallel()
	first := simulator.New(simulator.Options{Seed: 3, Now: newClock().Now})
	again := simulator.New(simulator.Options{Seed: 3, Now: newClock().Now})
	other := simulator.New(simulator.Options{Seed: 4, Now: newClock().Now})
	records := first.Okta().Generate(2000)
	if !slices.EqualFunc(records, again.Okta().Generate(2000), bytes.Equal) {
		t.Error("the same seed gives other records")
	}
	if slices.EqualFunc(records[:10], other.Okta().Generate(10), bytes.Equal) {
		t.Error("another seed gives the same records")
	}
	types, uuids := map[string]int{}, map[string]bool{}
	for _, raw := range records {
		var record struct{ EventType, UUID, Published string }
		if err := json.Unmarshal(raw, &record); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		types[record.EventType]++
		uuids[record.UUID] = true
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", record.Published); err != nil {
			t.Error(err)
		}
	}
	if len(types) < 20 || len(uuids) != len(records) {
		t.Errorf("%d types, %d ids", len(types), len(uuids))
	}
	text := string(bytes.Join(records, []byte("\n\n")))
	for what, pattern := range map[string]string{
		"lower-case escape": `\\u00eb`, "upper-case escape": `\\u00EB`, "plain unicode": "Zoë", "surrogate pair": `(?i)\\ud83d\\ude`,
		"escaped slash": `\\/`, "exponent": `1\.0e2`, "signed exponent": `E\+1`, "many digits": `35\.690000000000000001`, "negative zero": `-0\.0`,
		"space before a colon": `"\s+:`, "carriage return": "\r\n", "tab": "\t", "IPv6": `2001:db8`, "mapped IPv4": `::ffff:`,
		"null client": `"client"\s*:\s*null`, "no targets": `"target"\s*:\s*(null|\[\s*\])`, "nested debug data": `"deep"`,
		"several targets": `"target"\s*:\s*\[[^\]]*\}\s*,\s*\{`, "failure": `FAILURE`, "quote": `\\"`, "bracket in a list": `\{\s*\}\s*\]`,
	} {
		if !regexp.MustCompile(`(?s)` + pattern).MatchString(text) {
			t.Errorf("no record has: %s", what)
		}
	}
	longest := slices.MaxFunc(records, func(x, y []byte) int { return cmp.Compare(len(x), len(y)) })
	if len(longest) <= 65535 {
		t.Errorf("the longest record has %d bytes", len(longest))
	}
	if strings.Count(text, `"client"`) >= len(records) {
		t.Error("every record has a client member")
	}
	resources := map[string]bool{}
	for _, raw := range first.TerraformCloud().Generate(1000) {
		var record struct{ Resource struct{ Type, Action string } }
		if err := json.Unmarshal(raw, &record); err != nil {
			t.Fatalf("%v in %s", err, raw)
		}
		resources[record.Resource.Type+" "+record.Resource.Action] = true
	}
	if len(resources) < 20 {
		t.Errorf("%d kinds of event", len(resources))
	}
}

func TestRepeat(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	got, err := w.Okta().Emit(2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Okta().Repeat(got[1]); err != nil {
		t.Fatal(err)
	}
	page := w.get("/api/v1/logs", w.connect().Access)
	if diff := gocmp.Diff([]string{got[0], got[1], got[1]}, ids(t, page.body)); diff != "" {
		t.Error(diff)
	}
	if len(w.Okta().Shown()) != 2 || w.Okta().Repeat("x") == nil {
		t.Error("two records were shown, and x is none")
	}
}

func TestAddRefusesAndCompletes(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	for name, raw := range map[string]string{
		"not JSON": `{"uuid":`, "no object": `[1]`, "no id": `{"published":"2026-11-22T10:00:00Z"}`,
		"id no text": `{"uuid":1,"published":"2026-11-22T10:00:00Z"}`, "no time": `{"uuid":"a"}`, "bad time": `{"uuid":"a","published":"x"}`,
	} {
		if err := w.Okta().Add(simulator.Event{Raw: []byte(raw)}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	bad := simulator.Event{Raw: []byte(" 42 \n"), ID: "bad", Published: w.clock.Now()}
	if err := w.Okta().Add(bad); err != nil {
		t.Fatal(err)
	}
	if err := w.Okta().Add(simulator.Event{Raw: []byte("43"), ID: "bad", Published: w.clock.Now()}); err == nil {
		t.Error("the same id with other bytes was taken")
	}
	if got := w.get("/api/v1/logs", w.connect().Access); got.status != http.StatusOK || got.body != "[42]" || string(w.Okta().Shown()["bad"]) != "42" {
		t.Errorf("%d %s", got.status, got.body)
	}
}

func TestTrickle(t *testing.T) {
	t.Parallel()
	w := start(t, simulator.Options{})
	token := w.connect().Access
	address := next(w.get("/api/v1/logs", token).header)
	w.Okta().Trickle(10 * time.Second)
	total := 0
	for _, step := range []struct {
		wait time.Duration
		want int
	}{{9 * time.Second, 0}, {time.Second, 1}, {0, 0}, {45 * time.Second, 4}, {5 * time.Second, 1}} {
		w.clock.Advance(step.wait)
		page := w.do(http.MethodGet, address, token, nil)
		if got := len(elements(t, page.body)); got != step.want {
			t.Errorf("after %v: %d events, want %d", step.wait, got, step.want)
		}
		total += step.want
		address = next(page.header)
	}
	w.Okta().Trickle(0)
	w.clock.Advance(time.Minute)
	if got := w.do(http.MethodGet, address, token, nil); got.body != "[]" || len(w.Okta().All()) != total {
		t.Errorf("ended, and still %s", got.body)
	}
}

// FuzzAdd: what is taken as a record is served byte for byte.
func FuzzAdd(f *testing.F) {
	f.Add([]byte(`{"uuid":"a","published":"2026-11-22T09:00:00.000Z","x":[1.0e2,"\u00e9\/"]}`))
	f.Add([]byte(" {\"uuid\" : \"b\",\r\n\t\"published\":\"2026-11-22T09:00:00Z\"} "))
	f.Add([]byte("null"))
	f.Add([]byte("0\f")) // white space, but not to JSON
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := start(t, simulator.Options{})
		if w.Okta().Add(simulator.Event{Raw: raw, ID: "x", Published: w.clock.Now()}) != nil {
			return
		}
		if got := w.get("/api/v1/logs", w.connect().Access); got.body != "["+strings.Trim(string(raw), " \t\r\n")+"]" {
			t.Errorf("served %q", got.body)
		}
	})
}
