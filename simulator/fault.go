package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds of fault. Those that name a credential or a cursor touch only
// requests that carry one; the others touch every request of the fault's path.
const (
	Status429     Kind = "429"            // too many requests, in the provider's dialect; Delay is the wait asked for
	Status500     Kind = "500"            // the provider's own error document
	Hang          Kind = "hang"           // no answer until the client goes away or the fault is cleared
	Truncate      Kind = "truncate"       // half of the body, then the connection is cut
	HTML          Kind = "html"           // a maintenance page, with Status (default 200)
	DropRequest   Kind = "drop-request"   // the connection is cut before the request has any effect
	DropAnswer    Kind = "drop-answer"    // the request takes effect, its answer is lost
	ExpiredToken  Kind = "expired-token"  // every access token given out so far ends
	RevokedGrant  Kind = "revoked-grant"  // every grant (or API key) given out so far is withdrawn
	ExpiredCursor Kind = "expired-cursor" // the feed's cursor is refused
	InvalidGrant  Kind = "invalid-grant"  // the token endpoint refuses, and keeps its state
	SlowToken     Kind = "slow-token"     // the token endpoint acts at once and answers after Delay
)

const maintenancePage = `<!DOCTYPE html>
<html><head><title>Down for maintenance</title></head>
<body><h1>We will be right back</h1><p>This service is being maintained.</p></body></html>
`

// Fault makes an application misbehave. Of several, the first that applies to a
// request takes it.
//
// Go's HTTP client repeats a GET by itself when a reused connection closes before
// the first byte of an answer, so DropRequest and DropAnswer on a GET may show as
// a second request instead of an error.
type Fault struct {
	Path        string  // prefix of the URL path; empty: every path
	Kind        Kind    // required
	Times       int     // requests that it takes; 0: until cleared
	Every       int     // takes each n-th matching request; 0 and 1: each
	Probability float64 // of taking a request, by the seed; 0: always
	Delay       time.Duration
	Status      int // of the HTML page
}

type activeFault struct {
	Fault
	seen, taken int
	cleared     chan struct{}
}

// kind of a nil fault is the empty kind: nothing goes wrong.
func (f *activeFault) kind() Kind {
	if f == nil {
		return ""
	}
	return f.Kind
}

func (a *app) inject(f Fault) error {
	switch f.Kind {
	case Status429, Status500, Hang, Truncate, HTML, DropRequest, DropAnswer,
		ExpiredToken, RevokedGrant, ExpiredCursor, InvalidGrant, SlowToken:
	default:
		return fmt.Errorf("simulator: no fault is called %q", f.Kind)
	}
	if f.Times < 0 || f.Every < 0 || f.Delay < 0 || f.Probability < 0 || f.Probability > 1 {
		return fmt.Errorf("simulator: fault %q: times, every and delay must not be negative, probability must be within 0 and 1", f.Kind)
	}
	if f.Delay == 0 {
		f.Delay = time.Second
	}
	if f.Status == 0 {
		f.Status = http.StatusOK
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.faults = append(a.faults, &activeFault{Fault: f, cleared: make(chan struct{})})
	return nil
}

func (a *app) clearFaults() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, f := range a.faults {
		close(f.cleared)
	}
	a.faults = nil
}

// pick returns the fault that takes this request, or nil. A fault that has had
// its times stays listed, so that clearing it still frees who hangs on it.
func (a *app) pick(r *http.Request) *activeFault {
	for _, f := range a.faults {
		if f.Times > 0 && f.taken >= f.Times {
			continue
		}
		if !strings.HasPrefix(r.URL.Path, f.Path) || !a.dialect.applies(f.Kind, r) {
			continue
		}
		f.seen++
		if f.Every > 1 && f.seen%f.Every != 0 {
			continue
		}
		if f.Probability > 0 && a.rand.Float64() >= f.Probability {
			continue
		}
		f.taken++
		return f
	}
	return nil
}
