package s3_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/internal/awstest"
	"selvedge/sink"
	"selvedge/sink/s3"
)

// TestStorm puts objects, again and again until each is taken, into servers that
// refuse, throttle, are slow, and break off before and after their work. In the
// end each object is there, whole, and nothing besides.
func TestStorm(t *testing.T) {
	t.Parallel()
	t.Run("gofakes3", func(t *testing.T) {
		t.Parallel()
		storm(t, fake(t), part)
	})
	t.Run("moto", func(t *testing.T) {
		t.Parallel()
		storm(t, moto(t), 5<<20)
	})
	t.Run("versitygw", func(t *testing.T) {
		t.Parallel()
		storm(t, versity(t), 5<<20)
	})
}

func storm(t *testing.T, p place, part int) {
	t.Helper()
	const seed = 5
	var mu sync.Mutex // a call that was cut off may still be at work beside the next
	rng := rand.New(rand.NewPCG(seed, 0))
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	smalls, larges := 40, 3
	if os.Getenv("SOAK") != "" {
		smalls, larges = 400, 20
	}
	s := s3.New(p.Config()).WithPart(part)
	p.Fault(func(c awstest.Call, w http.ResponseWriter, next http.Handler) {
		switch n := draw(100); {
		case n < 5:
			answer(http.StatusForbidden, "AccessDenied")(c, w, next)
		case n < 15:
			answer(http.StatusServiceUnavailable, "SlowDown")(c, w, next)
		case n < 20:
			answer(http.StatusInternalServerError, "InternalError")(c, w, next)
		case n < 27:
			awstest.Cut(c, w, next)
		case n < 37:
			awstest.CutAfter(c, w, next)
		case n < 42:
			<-time.After(50 * time.Millisecond)
			next.ServeHTTP(w, c.Request)
		default:
			next.ServeHTTP(w, c.Request)
		}
	})
	want := map[string]string{}
	for i := range smalls + larges {
		o := sink.Object{Region: awstest.Region, Bucket: p.bucket, Key: fmt.Sprintf("%s-%d", key, i), Body: fmt.Appendf(nil, "{\"n\":%d}\n", i)}
		if i >= smalls {
			o.Body = []byte(strings.Repeat(string(o.Body), part*5/2/len(o.Body)))
		}
		want[o.Key] = string(o.Body)
		for tries := 1; ; tries++ {
			err := s.Put(t.Context(), o)
			if err == nil && draw(4) > 0 { // and sometimes once more
				break
			}
			if tries > 200 {
				t.Fatalf("%s: %v", o.Key, err)
			}
		}
	}
	p.Fault(nil)
	if _, err := s.Sweep(t.Context(), time.Now().Add(time.Hour)); err != nil {
		t.Errorf("Sweep: %v", err)
	}
	keys, err := p.list(t.Context())()
	if err != nil || len(keys) != len(want) {
		t.Errorf("%d objects, %v; want %d", len(keys), err, len(want))
	}
	for k, body := range want {
		if got, err := p.read(t.Context())(k); err != nil || string(got) != body {
			t.Errorf("%s has %d bytes, %v; want %d", k, len(got), err, len(body))
		}
	}
	if names, err := p.uploads(t.Context())(); err != nil || len(names) > 0 {
		t.Errorf("left unfinished: %q, %v", names, err)
	}
}
