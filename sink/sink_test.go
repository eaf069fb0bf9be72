package sink_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"selvedge/sink"
	"selvedge/sink/sinktest"
)

func TestCheckBucket(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"abc", "a-b", "a.b", "1.2.3", "1.2.3.4.5", "amzn-s3-demo-bucket", "s3alias", strings.Repeat("b", 63)} {
		if err := sink.CheckBucket(name); err != nil {
			t.Errorf("CheckBucket(%q) = %v", name, err)
		}
	}
	for _, name := range sinktest.BadBuckets() {
		if sink.CheckBucket(name) == nil {
			t.Errorf("CheckBucket(%q) = nil", name)
		}
	}
}

func TestCheckKey(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"a", "a/b", "...", "a/...", ".a", "a b", "日本", strings.Repeat("k", 1024)} {
		if err := sink.CheckKey(key); err != nil {
			t.Errorf("CheckKey(%q) = %v", key, err)
		}
	}
	for _, key := range sinktest.BadKeys() {
		if sink.CheckKey(key) == nil {
			t.Errorf("CheckKey(%q) = nil", key)
		}
	}
}

func FuzzCheckKey(f *testing.F) {
	for _, key := range append(sinktest.BadKeys(), "a/b") {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if sink.CheckKey(key) != nil {
			return
		}
		if strings.HasPrefix(key, "/") || strings.Contains("/"+key+"/", "/../") || strings.Contains(key, "//") || strings.ContainsRune(key, 0) {
			t.Errorf("CheckKey(%q) = nil", key)
		}
	})
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	inner := errors.New("the cause")
	refused := fmt.Errorf("deliver: %w", &sink.Error{Kind: sink.Refused, Reason: "do this", Err: inner})
	if sink.KindOf(refused) != sink.Refused || sink.ReasonOf(refused) != "do this" || !errors.Is(refused, inner) {
		t.Errorf("%v: kind %v, reason %q", refused, sink.KindOf(refused), sink.ReasonOf(refused))
	}
	if sink.KindOf(inner) != sink.Unavailable || sink.ReasonOf(inner) != "" {
		t.Errorf("an unclassified error: kind %v, reason %q", sink.KindOf(inner), sink.ReasonOf(inner))
	}
	if got := refused.Error(); got != "deliver: refused: do this: the cause" {
		t.Errorf("text %q", got)
	}
	if got := sink.Kind(7).String(); got != "kind(7)" {
		t.Errorf("Kind(7) = %q", got)
	}
}
