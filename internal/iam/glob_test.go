package iam_test

import (
	"regexp"
	"strings"
	"testing"

	"selvedge/internal/iam"
)

func TestGlob(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "anything at all", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "ab", false},
		{"??", "ab", true},
		{"?*", "", false},
		{"?*", "a", true},
		{"*?", "abc", true},
		{"a*", "a", true},
		{"a*", "ba", false},
		{"*a", "bca", true},
		{"*a", "bac", false},
		{"a*c", "abc", true},
		{"a*c", "abcd", false},
		{"a*b*c", "a1b2b3c", true},
		{"a*b*c", "a1c2b3", false},
		{"*ab", "aab", true},
		{"*aab", "aaaab", true},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a.c", "abc", false},
		{"[ab]", "a", false},
		{"[ab]", "[ab]", true},
		{`\*`, `\x`, true},
		{"A", "a", false},
		{"*", "a/b:c", true},
		{"?", "é", true},
		{"??", "é", false},
		{"*??", "日", false},
		{"*??", "日本", true},
		{"*??b*", "日bcd", false},
		{"日*", "日本", true},
		{"*", "*", true},
		{"a", "*", false},
		{"?", "?", true},
	}
	for _, test := range tests {
		if got := iam.Glob(test.pattern, test.s); got != test.want {
			t.Errorf("Glob(%q, %q) = %t", test.pattern, test.s, got)
		}
	}
}

// FuzzMatch holds the matcher to regular expressions, which know no other way to be wrong in the same place.
func FuzzMatch(f *testing.F) {
	for _, seed := range [][2]string{
		{"*", ""}, {"a*b?c", "axxbyc"}, {"*??", "日本"}, {"**a**", "bab"}, {"arn:aws:*", "arn:aws:appfabric"}, {"?", "\xff"},
		{strings.Repeat("*a", 50), strings.Repeat("a", 100) + "b"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, s string) {
		pattern, s = strings.ToValidUTF8(pattern, "."), strings.ToValidUTF8(s, ".")
		if len(pattern) > 100 || len(s) > 1000 {
			iam.Glob(pattern, s) // ends at once; the expression would not
			return
		}
		quoted := regexp.QuoteMeta(pattern)
		quoted = strings.ReplaceAll(strings.ReplaceAll(quoted, `\*`, ".*"), `\?`, ".")
		expression, err := regexp.Compile(`(?s)\A` + quoted + `\z`)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := iam.Glob(pattern, s), expression.MatchString(s); got != want {
			t.Errorf("Glob(%q, %q) = %t, want %t", pattern, s, got, want)
		}
	})
}

// BenchmarkGlobWorst is a pattern on which matchers that go back to every * take longer than anybody waits.
func BenchmarkGlobWorst(b *testing.B) {
	pattern, s := strings.Repeat("*a", 500)+"b", strings.Repeat("a", 1000)
	for b.Loop() {
		iam.Glob(pattern, s)
	}
}
