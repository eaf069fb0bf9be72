package rest_test

import (
	"strings"
	"testing"
	"time"

	"selvedge/connector/rest"
)

func TestTrail(t *testing.T) {
	t.Parallel()
	trail := rest.Trail{After: "/a/b?x=1&$skip=%20", Until: time.Date(2026, 11, 20, 9, 0, 0, 1, time.UTC)}
	if got, err := rest.ParseTrail(trail.Token()); err != nil || got != trail {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{
		"", "x", "%zz", "after=a", "after=&until=2026-11-20T09%3A00%3A00Z", "after=x&until=y", "until=2026-11-20T09%3A00%3A00Z&after=x",
		trail.Token() + "&x=1", strings.Replace(trail.Token(), "2026", "26", 1),
	} {
		if got, err := rest.ParseTrail(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]int{"": 1, "2": 2, "1000": 1000, "1": 0, "0": 0, "-2": 0, "02": 0, "+2": 0, "2x": 0, "99999999999999999999": 0} {
		if got, err := (rest.Trail{After: after}).Number(1); got != want || (err == nil) != (want > 0) {
			t.Errorf("%q: got %d, %v", after, got, err)
		}
	}
}

func FuzzTrail(f *testing.F) {
	f.Add("after=x&until=2026-11-20T10%3A00%3A00Z")
	f.Fuzz(func(t *testing.T, token string) {
		trail, err := rest.ParseTrail(token)
		if err == nil && (trail.After == "" || trail.Token() != token) {
			t.Errorf("%q gives %+v", token, trail)
		}
	})
}
