package wire_test

import (
	"strings"
	"testing"
	"time"
)

// A backfill is asked for by time, within what the provider keeps, and is watched
// by its id; nobody of another account sees it.
func TestBackfill(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	f := s.furnish(t, who{keyA, region})
	a, b := s.key(t, accountA, policyOf(`"Effect":"Allow","Action":"*","Resource":"*"`)), s.key(t, accountB, policyOf(`"Effect":"Allow","Action":"*","Resource":"*"`))
	at := func(before time.Duration) string { return s.clock.Now().Add(-before).UTC().Format(time.RFC3339) }
	const day = 24 * time.Hour
	for _, test := range []struct {
		name    string
		by      key
		members map[string]any
		want    string // of the line, or in the message
	}{
		{"a window", a, map[string]any{"from": at(3 * day), "to": at(day)}, "200 "},
		{"the same, as it goes on", a, map[string]any{"from": at(3 * day), "to": at(day)}, "200 "},
		{"all of it", a, map[string]any{"from": at(3 * day), "to": at(day), "read": "all"}, "200 "},
		{"another account's", b, map[string]any{"from": at(3 * day), "to": at(day)}, "400 ValidationException"},
		{"the wrong way round", a, map[string]any{"from": at(day), "to": at(3 * day)}, "want a time before to"},
		{"the future", a, map[string]any{"from": at(day), "to": at(-day)}, "want a time that has passed"},
		{"no time", a, map[string]any{"from": "yesterday", "to": at(0)}, "want a time such as 2026-11-01T00:00:00Z"},
		{"what the provider no longer has", a, map[string]any{"from": at(400 * day), "to": at(0)}, "OKTA keeps records for 90 days"},
		{"another word", a, map[string]any{"from": at(day), "to": at(0), "read": "some"}, "400 ValidationException"},
		{"no end", a, map[string]any{"from": at(day)}, "400 ValidationException"},
	} {
		test.members["resourceArn"] = f.ingestionARN
		r := s.administer(t, test.by, "Backfill", test.members)
		if r.line() != test.want && !strings.Contains(r.raw, test.want) {
			t.Errorf("%s: %s %s, want %s", test.name, r.line(), r.raw, test.want)
		}
	}
	first := s.administer(t, a, "Backfill", map[string]any{"resourceArn": f.ingestionARN, "from": at(3 * day), "to": at(day)})
	id := member(t, first.raw, `"backfillId":"`)
	r := s.administer(t, a, "ShowBackfill", map[string]any{"resourceArn": f.ingestionARN, "backfillId": id})
	if r.line() != "200 " || !strings.Contains(r.raw, `"ended":false`) || !strings.Contains(r.raw, `"name":"system"`) {
		t.Errorf("ShowBackfill: %s %s", r.line(), r.raw)
	}
	if r := s.administer(t, a, "ShowBackfill", map[string]any{"resourceArn": f.ingestionARN, "backfillId": "another"}); r.line() != "400 ValidationException" {
		t.Errorf("a backfill that there is not: %s %s", r.line(), r.raw)
	}
	if r := s.administer(t, b, "ShowBackfill", map[string]any{"resourceArn": f.ingestionARN, "backfillId": id}); r.line() != "400 ValidationException" {
		t.Errorf("another account's: %s %s", r.line(), r.raw)
	}
	r = s.administer(t, a, "ShowIngestion", map[string]any{"resourceArn": f.ingestionARN})
	if strings.Count(r.raw, `"backfillId"`) != 2 || !strings.Contains(r.raw, `"latenessSeconds"`) {
		t.Errorf("ShowIngestion: %s", r.raw)
	}
}

// member is the text behind a mark, to the next quotation mark.
func member(t *testing.T, raw, mark string) string {
	t.Helper()
	_, rest, ok := strings.Cut(raw, mark)
	text, _, closed := strings.Cut(rest, `"`)
	if !ok || !closed {
		t.Fatalf("no %s in %s", mark, raw)
	}
	return text
}
