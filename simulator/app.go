package simulator

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxRequestBody is more than any form or control document needs.
const maxRequestBody = 1 << 20

// answer is a whole response, decided before its first byte is written, so that
// a fault can cut it, delay it or lose it.
type answer struct {
	status int
	header http.Header
	body   []byte
	// sent runs under the application's lock when all but the last byte has been
	// written: a client that has the whole answer finds it recorded.
	sent func()
}

// handler decides an answer. It runs under the application's lock and never
// blocks; form values are already parsed.
type handler func(r *http.Request) answer

type route struct {
	method, path string
	limited      bool // counted against the rate limit
	handle       handler
	host         string // the provider's own; empty: any
}

// on binds the route to one of the provider's hosts, such as "api.slack.com":
// meant for another, as X-Forwarded-Host tells, it is not there.
func (rt route) on(host string) route {
	rt.host = host
	return rt
}

// dialect is how one provider says what every provider has to say.
type dialect interface {
	// tooMany is 429: the client may come back after wait.
	tooMany(wait time.Duration) answer
	broken() answer
	// unknown answers a path, or a method of a path, that the provider lacks.
	unknown(r *http.Request, method bool) answer
	// applies tells whether a fault of this kind has a meaning for this request.
	applies(kind Kind, r *http.Request) bool
	// refuse takes the effect of a fault. False: the request is then answered as
	// the application's new state has it.
	refuse(kind Kind, r *http.Request) (answer, bool)
}

// app is the machinery that simulated applications share. One mutex guards all
// of its state and all of the state of the application that embeds it.
type app struct {
	name, host string
	now        func() time.Time
	log        *slog.Logger
	dialect    dialect
	limiter    *limiter
	mux        *http.ServeMux

	mu     sync.Mutex
	rand   *rand.Rand
	mint   *mint
	faults []*activeFault
	feed
}

func newApp(name, host string, options Options, limit *limiter) *app {
	a := &app{
		name: name, host: host, now: options.Now, log: options.Log.With("app", name),
		limiter: limit, mux: http.NewServeMux(),
		mint: newMint(options.Seed, name, options.Mark),
	}
	a.rand = rand.New(rand.NewPCG(options.Seed, a.mint.number()))
	a.feed = newFeed(options.Seed, a.mint.number())
	return a
}

func (a *app) core() *app { return a }

// serve registers the routes. A path that is known under another method gets the
// provider's own answer for that.
func (a *app) serve(d dialect, routes []route) {
	a.dialect = d
	paths := map[string]map[string]route{}
	for _, rt := range routes {
		if paths[rt.path] == nil {
			paths[rt.path] = map[string]route{}
		}
		paths[rt.path][rt.method] = rt
	}
	for path, methods := range paths {
		a.mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			rt, ok := methods[r.Method]
			if meant := r.Header.Get("X-Forwarded-Host"); rt.host != "" && meant != "" && !strings.EqualFold(meant, rt.host) {
				rt = route{handle: func(r *http.Request) answer { return a.dialect.unknown(r, false) }}
			} else if !ok {
				rt = route{handle: func(r *http.Request) answer { return a.dialect.unknown(r, true) }}
			}
			a.run(w, r, rt)
		})
	}
}

func (a *app) has(r *http.Request) bool {
	_, pattern := a.mux.Handler(r)
	return pattern != ""
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !a.has(r) {
		a.run(w, r, route{handle: func(r *http.Request) answer { return a.dialect.unknown(r, false) }})
		return
	}
	a.mux.ServeHTTP(w, r)
}

// run reads the request before it takes the lock, so that a slow client holds up
// nobody else, and to its end: only then does a client that goes away show.
func (a *app) run(w http.ResponseWriter, r *http.Request, rt route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBody))
	if err != nil {
		a.log.Debug("unreadable body", "error", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := r.ParseForm(); err != nil {
		a.log.Debug("unreadable form", "error", err)
	}
	a.mu.Lock()
	fault := a.pick(r)
	ans := a.decide(r, rt, fault)
	a.mu.Unlock()
	a.log.Debug("request", "method", r.Method, "path", r.URL.Path, "status", ans.status, "fault", fault.kind())
	a.deliver(w, r, fault, ans)
}

func (a *app) decide(r *http.Request, rt route, fault *activeFault) answer {
	var ans answer
	over := false
	if rt.limited {
		over = !a.limiter.take(a.now())
	}
	switch kind := fault.kind(); {
	case over:
		ans = a.dialect.tooMany(a.limiter.wait(a.now()))
	case kind == Hang, kind == DropRequest:
		return answer{}
	case kind == Status429:
		ans = a.dialect.tooMany(fault.Delay)
	case kind == Status500:
		ans = a.dialect.broken()
	case kind == HTML:
		return htmlAnswer(fault.Status, maintenancePage)
	default:
		var refused bool
		if ans, refused = a.dialect.refuse(kind, r); !refused {
			ans = rt.handle(r)
		}
	}
	if rt.limited {
		a.limiter.stamp(ans.header, a.now())
	}
	return ans
}

// deliver writes the answer as far as the fault lets it.
func (a *app) deliver(w http.ResponseWriter, r *http.Request, fault *activeFault, ans answer) {
	switch fault.kind() {
	case Hang:
		select {
		case <-r.Context().Done():
		case <-fault.cleared:
		}
		panic(http.ErrAbortHandler)
	case DropRequest, DropAnswer:
		panic(http.ErrAbortHandler)
	case SlowToken:
		timer := time.NewTimer(fault.Delay)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
			panic(http.ErrAbortHandler)
		case <-fault.cleared:
		case <-timer.C:
		}
	}
	for key, values := range ans.header {
		w.Header()[key] = values
	}
	// Okta's documentation compares reset times with the answer's own Date, so the
	// Date is the simulated clock's.
	w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(ans.body)))
	w.WriteHeader(ans.status)
	if fault.kind() == Truncate {
		_, _ = w.Write(ans.body[:len(ans.body)/2]) // the connection is cut next, whether it arrived or not
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	last := max(len(ans.body)-1, 0)
	if _, err := w.Write(ans.body[:last]); err != nil {
		a.log.Debug("client went away", "error", err)
		return
	}
	if ans.sent != nil {
		a.mu.Lock()
		ans.sent()
		a.mu.Unlock()
	}
	if _, err := w.Write(ans.body[last:]); err != nil {
		a.log.Debug("client went away", "error", err)
	}
}

func newAnswer(status int, contentType string, body []byte) answer {
	return answer{status: status, header: http.Header{"Content-Type": {contentType}}, body: body}
}

// jsonAnswer encodes a document of the simulator's own making, which always can
// be encoded.
func jsonAnswer(status int, contentType string, document any) answer {
	body, err := json.Marshal(document)
	if err != nil {
		panic("simulator: " + err.Error()) // only a value that JSON has no form for
	}
	return newAnswer(status, contentType, body)
}

func htmlAnswer(status int, page string) answer {
	return newAnswer(status, "text/html;charset=utf-8", []byte(page))
}

// origin is the scheme and host that the client used, for links in answers.
func origin(r *http.Request) string {
	if r.TLS != nil {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
