package connectortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/ocsf"
)

const evil = "https://evil.example"

// testStrangeTokens polls with tokens that no answer gave.
func testStrangeTokens(t *testing.T, c Case) {
	r := newRig(t, c)
	for _, token := range []string{
		evil, evil + "/api/v1/logs?limit=1", "//evil.example/api/v1/logs", "http://127.0.0.1/", "/etc/passwd", "..", "\x00", "%zz",
		"page=0", "page=-1&began=x", "page=1&page=2", "a=b", strings.Repeat("x", 5000), "https://user@" + r.origin.Host + "/",
	} {
		at := r.live()
		at.Token = token
		_, err := r.session().Poll(t.Context(), c.Stream, at)
		classified(t, err, connector.CursorExpired)
	}
	_, err := r.session().Poll(t.Context(), "no such stream", r.live())
	classified(t, err, connector.Forbidden)
	r.stayedHome(t)
}

// testForeignLinks serves pages whose links lead to another host.
func testForeignLinks(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, r.stream.PageMax+100, 0)
	r.change(func(resp *http.Response, body []byte) []byte {
		for name, values := range resp.Header {
			for i := range values {
				resp.Header[name][i] = strings.ReplaceAll(values[i], r.server.String(), evil)
			}
		}
		return bytes.ReplaceAll(body, []byte(r.server.String()), []byte(evil))
	})
	e := newEngine(r, r.live())
	for range 3 {
		p, err := e.read(t)
		if err != nil {
			classified(t, err, connector.Malformed)
			break
		}
		e.store(t, p)
	}
	r.stayedHome(t)
}

// testOddRecords serves a page of one record in every variation: each member
// in turn missing, null and of every other type, and elements that are no
// objects at all. All must come through, byte for byte.
func testOddRecords(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 1, 0)
	raws := oddities(t, slices.Collect(maps.Values(r.All()))[0])
	list := append(append([]byte("[ "), bytes.Join(raws, []byte(" ,\n\t"))...), " ]"...)
	e := newEngine(r, r.live())
	if c.Index {
		e.step(t)
	}
	r.change(func(_ *http.Response, body []byte) []byte { return withList(t, body, c.List, list) })
	page, err := e.read(t)
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Records) != len(raws) {
		t.Fatalf("%d records, want %d", len(page.Records), len(raws))
	}
	anonymous, timeless := 0, 0
	for i, rec := range page.Records {
		if !bytes.Equal(rec.Raw, raws[i]) {
			t.Errorf("record %d: got bytes %s, want %s", i, rec.Raw, raws[i])
		}
		if rec.ID == "" {
			anonymous++
		}
		if rec.Time.IsZero() {
			timeless++
		}
	}
	// Of the variations of a record, few concern its identifier or its time:
	// ten each, and eleven elements that are no records.
	if c.Unkeyed && anonymous != len(raws) {
		t.Errorf("%d of %d records have an identifier, want none", len(raws)-anonymous, len(raws))
	}
	if limit := max(len(raws)/4, 21); anonymous > limit && !c.Unkeyed || timeless > limit {
		t.Errorf("of %d records %d have no identifier and %d no time: good members are lost with bad ones", len(raws), anonymous, timeless)
	}
	inWindow(t, e, page.Records)
	normalizeAll(t, c, raws)
}

// testStreamOf: what a record is made of tells its stream.
func testStreamOf(t *testing.T, c Case) {
	r := newRig(t, c)
	r.emit(t, 200, 0)
	for _, raw := range r.All() {
		if got, err := c.App.StreamOf(raw); got != c.Stream || err != nil {
			t.Errorf("stream %q, %v: %s", got, err, raw)
		}
	}
}

// inWindow reads the page of oddities once more within a closed window: what does
// not tell its time is kept, as is what happened within.
func inWindow(t *testing.T, live *engine, records []connector.Record) {
	t.Helper()
	alter := live.alter
	live.change(nil)
	at := connector.Cursor{From: live.clock().Add(-time.Hour), To: live.clock().Add(time.Hour)}
	live.advance(2 * time.Hour)
	e := newEngine(live.rig, at)
	if live.c.Index {
		e.step(t)
	}
	live.change(alter)
	page, err := e.read(t)
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, r := range page.Records {
		got[string(r.Raw)] = true
	}
	for _, r := range records {
		within := r.Time.IsZero() || !r.Time.Before(at.From) && r.Time.Before(at.To)
		if within && !got[string(r.Raw)] {
			t.Errorf("a window leaves out %s", r.Raw)
		}
	}
}

// normalizeAll normalizes records, which must not panic. An application without
// a mapping is delivered raw.
func normalizeAll(t *testing.T, c Case, raws [][]byte) {
	t.Helper()
	if !c.App.HasMapping() {
		return
	}
	for _, raw := range raws {
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("Normalize panics: %v\nrecord: %s", p, raw)
				}
			}()
			// Whether a record is one that the mapping takes is for the
			// mapping's own tests.
			_ = c.App.Normalize(c.Stream, raw, new(ocsf.Event))
		}()
	}
}

// withList replaces the list of a page.
func withList(t *testing.T, page []byte, path string, list []byte) []byte {
	t.Helper()
	if path == "" {
		return list
	}
	name, rest, _ := strings.Cut(path, ".")
	var object map[string]json.RawMessage
	if err := json.Unmarshal(page, &object); err != nil {
		t.Errorf("page: %v", err)
		return page
	}
	object[name] = withList(t, object[name], rest, list)
	// Not through Marshal, which would take the white space out of the list.
	var b bytes.Buffer
	b.WriteByte('{')
	for name, member := range object {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", name, member)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// oddities returns the variations of a record, and elements that are none.
func oddities(t *testing.T, raw []byte) [][]byte {
	t.Helper()
	out := [][]byte{raw}
	for _, s := range []string{`null`, `17`, `"text"`, `true`, `[]`, `{}`, `[{"id":1}]`, `{"id":{},"uuid":[],"timestamp":7,"published":false}`, `{"":null}`, `"\ud800"`, `1e999`} {
		out = append(out, []byte(s))
	}
	var root any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	odd := []any{nil, 17.5, "", "text", true, []any{}, []any{nil, "x"}, map[string]any{}, map[string]any{"x": nil}}
	vary(root, func() {
		b, err := json.Marshal(root)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}, odd)
	return out
}

// vary calls emit with each member below node missing and replaced in turn.
func vary(node any, emit func(), odd []any) {
	switch node := node.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(node)) {
			was := node[name]
			delete(node, name)
			emit()
			for _, v := range odd {
				node[name] = v
				emit()
			}
			node[name] = was
			vary(was, emit, odd)
		}
	case []any:
		for i, was := range node {
			for _, v := range odd {
				node[i] = v
				emit()
			}
			node[i] = was
			vary(was, emit, odd)
		}
	}
}
