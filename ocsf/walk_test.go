package ocsf_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/ocsf"
)

// tree builds what it is shown, as encoding/json would decode it.
type tree struct{ open []*branch }

type branch struct {
	key    string
	object map[string]any
	list   []any
}

func walked(e *ocsf.Event) any {
	w := &tree{open: []*branch{{object: map[string]any{}}}}
	e.Walk(w)
	return w.open[0].object
}

func (w *tree) put(key string, value any) {
	b := w.open[len(w.open)-1]
	if key == "" {
		b.list = append(b.list, value)
		return
	}
	b.object[key] = value
}

// Open begins what turns out to be an object or a list.
func (w *tree) Open(key string) {
	w.open = append(w.open, &branch{key: key, object: map[string]any{}})
}

// Close puts it where it belongs.
func (w *tree) Close() {
	b := w.open[len(w.open)-1]
	w.open = w.open[:len(w.open)-1]
	if b.list != nil {
		w.put(b.key, b.list)
		return
	}
	w.put(b.key, b.object)
}

// Text takes a member. What a text looks at may change later.
func (w *tree) Text(key, s string) { w.put(strings.Clone(key), strings.Clone(s)) }

// Int takes a member, or a flag.
func (w *tree) Int(key string, n int64) {
	if strings.HasPrefix(key, "is_") {
		w.put(key, n == 1)
		return
	}
	w.put(key, float64(n))
}

// Float takes an element.
func (w *tree) Float(key string, n float64) { w.put(key, n) }

// TestWalk: a visitor is shown what AppendJSON writes.
func TestWalk(t *testing.T) {
	t.Parallel()
	for _, class := range classes() {
		for name, change := range map[string]func(*ocsf.Event){
			"full":   func(*ocsf.Event) {},
			"other":  func(e *ocsf.Event) { e.Activity, e.ActivityName = ocsf.Other, "Its Own" },
			"no fit": func(e *ocsf.Event) { e.Activity = 77 },
			"sparse": func(e *ocsf.Event) { *e = ocsf.Event{Class: class, Raw: []byte("{}")} },
			"invalid": func(e *ocsf.Event) {
				e.Message, e.Raw = "a\xffb\xef\xbf\xbd\xc3", []byte("{\"a\":\"\xfe\xef\xbf\xbd\xfd\"}")
			},
			"text": func(e *ocsf.Event) { e.Raw, e.RawText = []byte("not \x01 JSON \xff "), true },
			"long": func(e *ocsf.Event) { e.Message = strings.Repeat("ü", ocsf.MaxLen+1) },
			"escapes": func(e *ocsf.Event) {
				e.AddUnmapped([]byte("p\"\\\n\r\t\x01\x1f\x7f"), []byte("\\\\n\"\xff\u2028<&>"))
				e.AddUnmapped([]byte("q"), []byte("a \\u0041 \\ \"quoted\""))
			},
			"nothing": func(e *ocsf.Event) { e.Raw = nil },
		} {
			e := full(class)
			change(e)
			var want any
			if err := json.Unmarshal(e.AppendJSON(nil), &want); err != nil {
				t.Fatal(err)
			}
			replaced := e.Replaced
			if diff := cmp.Diff(want, walked(e)); diff != "" {
				t.Errorf("%d, %s (-json +walk):\n%s", class, name, diff)
			}
			if e.Replaced != replaced {
				t.Errorf("%d, %s: %d replaced, and %d as JSON", class, name, e.Replaced, replaced)
			}
		}
	}
}
