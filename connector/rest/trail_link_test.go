package rest_test

import (
	"strings"
	"testing"
	"time"

	"selvedge/connector/rest"
)

func TestTrailToken(t *testing.T) {
	t.Parallel()
	trail := rest.Trail{After: "/a/b?x=1&$skip=%20", Began: time.Date(2026, 11, 20, 9, 0, 0, 1, time.UTC)}
	if got, err := rest.ParseTrail(trail.Token()); err != nil || got != trail {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "%zz", "after=a", "after=&began=2026-11-20T09:00:00Z", trail.Token() + "&x=1", strings.Replace(trail.Token(), "2026", "26", 1)} {
		if got, err := rest.ParseTrail(bad); err == nil {
			t.Errorf("%q gave %+v", bad, got)
		}
	}
}
