package ocsf_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"selvedge/ocsf"
)

// texts are strings and JSON that have given others trouble.
func texts() []string {
	return []string{
		"", "plain", `quote " and \ backslash`, "line\nend\r\ttab\b\f\x00\x1f\x7f", "<script>&amp;</script>", "\u2028\u2029", "häß 太郎 \U0001F600",
		"\xff", "a\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf", "ok\xfe\xffok",
		`{}`, ` [ 1 , 2.50 , -0e+7 ] `, "{\"a\" : \"b c\\\" d\\\\\" ,\n\t\"e\":[ ] }", `{"u":"\u00e9\ud83d\ude00\ud800"}`, `"\/"`, "[\"\xff\", \"\\\xff\"]", `{"a`, `"\`, `  `, "{\"a\x01\": 1}",
	}
}

func TestAppendQuoted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		in, want string
		replaced int
	}{
		{"", `""`, 0},
		{`say "hi" \o/`, `"say \"hi\" \\o/"`, 0},
		{"a\n\r\t\x00\x1f", `"a\n\r\t\u0000\u001f"`, 0},
		{"<b>&'", `"<b>&'"`, 0},
		{"ü太\U0001F600", `"ü太😀"`, 0},
		{"a\xffb\xc3", "\"a\uFFFDb\uFFFD\"", 2},
		{"\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\"", 3},
		{"\uFFFD", "\"\uFFFD\"", 0},
	} {
		got, replaced := ocsf.AppendQuoted([]byte("x"), test.in)
		if string(got) != "x"+test.want || replaced != test.replaced {
			t.Errorf("AppendQuoted(%q) = %s, %d; want %s, %d", test.in, got, replaced, test.want, test.replaced)
		}
	}
}

// FuzzAppendQuoted: a JSON reader gets back the text, each invalid byte U+FFFD.
func FuzzAppendQuoted(f *testing.F) {
	for _, s := range texts() {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, replaced := ocsf.AppendQuoted(nil, s)
		var got string
		if err := json.Unmarshal(quoted, &got); err != nil {
			t.Fatalf("%q is quoted %s: %v", s, quoted, err)
		}
		if want := string([]rune(s)); got != want {
			t.Errorf("%q comes back as %q", want, got)
		}
		if want := strings.Count(string([]rune(s)), "\uFFFD") - strings.Count(s, "\uFFFD"); replaced != want {
			t.Errorf("%q: %d replaced, not %d", s, replaced, want)
		}
		if bytes.ContainsAny(quoted, "\n\r") {
			t.Errorf("%q: a line end in %s", s, quoted)
		}
	})
}

// FuzzCompact: compaction is json.Compact's, alone and on the way into
// raw_data.
func FuzzCompact(f *testing.F) {
	for _, s := range texts() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		compact := ocsf.AppendCompact(nil, raw)
		e := ocsf.Event{Raw: raw}
		got := rawData(t, e.AppendJSON(nil))
		if !json.Valid(raw) {
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, raw); err != nil {
			t.Fatal(err)
		}
		if string(compact) != want.String() {
			t.Errorf("compacted %q, json.Compact %q", compact, want.String())
		}
		if got != string([]rune(want.String())) {
			t.Errorf("raw_data %q, json.Compact %q", got, want.String())
		}
		e.RawText = true
		if got := rawData(t, e.AppendJSON(nil)); got != string([]rune(string(raw))) {
			t.Errorf("raw_data as text %q of %q", got, raw)
		}
	})
}

func rawData(t *testing.T, line []byte) string {
	t.Helper()
	var e struct {
		RawData string `json:"raw_data"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		t.Fatalf("%v\n%s", err, line)
	}
	return e.RawData
}

// FuzzForms holds the hand-written checks against the schema's own patterns.
func FuzzForms(f *testing.F) {
	email := regexp.MustCompile(`^[a-zA-Z0-9_.+-]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9-.]+$`)
	host := regexp.MustCompile(`^(([a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9\-]*[a-zA-Z0-9])\.)*([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9\-]*[A-Za-z0-9])$`)
	for _, s := range []string{
		"", "a@b.c", "a.b+c_d-e@x-y.co.uk", "a@b", "@b.c", "a@.c", "a@b.", "a b@c.d", "ä@b.c", "a@b.c\n", "a@@b.c",
		"host", "a.b.c", "-a", "a-", "a..b", ".a", "a.", "a-b.c-d", "a_b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := ocsf.ValidEmail(s), email.MatchString(s); got != want {
			t.Errorf("ValidEmail(%q) = %t", s, got)
		}
		if got, want := ocsf.ValidHostname(s), host.MatchString(s); got != want {
			t.Errorf("ValidHostname(%q) = %t", s, got)
		}
	})
}

func TestValidIP(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"1.2.3.4": true, "::1": true, "2001:db8::ffff": true, "": false, "1.2.3": false, "1.2.3.4:80": false,
		"fe80::1%eth0": false, "unknown": false, " 1.2.3.4": false, "01.2.3.4": false,
	} {
		if got := ocsf.ValidIP(s); got != want {
			t.Errorf("ValidIP(%q) = %t", s, got)
		}
	}
}
