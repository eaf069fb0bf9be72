package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// fault is what a front does to a request before, or instead of, handing it on.
type fault int

const (
	throttled fault = iota // answered 429, not handed on
	broken                 // answered 500, not handed on
	lost                   // handed on and carried out, but answered 500
)

// front stands before a server. It keeps what was asked and answered, and puts
// faults, in AWS's shape, before the answers of some requests.
type front struct {
	*httptest.Server

	next http.Handler
	// faults says what happens to the first tries of a request.
	faults func(operation string) []fault

	mu       sync.Mutex
	tries    map[string]int // by method and target
	answered map[string][]int
}

// newFront starts a front before the process.
func newFront(t *testing.T, p *process, faults func(operation string) []fault) *front {
	t.Helper()
	u := must[*url.URL](t)(url.Parse(p.url))
	f := &front{faults: faults, tries: map[string]int{}, answered: map[string][]int{}}
	f.next = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host // it is signed
		},
		Transport: &http.Transport{DisableCompression: true},
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := operationOf(r)
	f.mu.Lock()
	target := r.Method + " " + r.URL.String()
	try := f.tries[target]
	f.tries[target]++
	f.mu.Unlock()
	if faults := f.faults(operation); try < len(faults) {
		f.spoil(w, r, operation, faults[try])
		return
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	f.next.ServeHTTP(rec, r)
	f.answer(operation, rec.status)
}

// spoil answers with a fault.
func (f *front) spoil(w http.ResponseWriter, r *http.Request, operation string, what fault) {
	status, code := http.StatusInternalServerError, "InternalServerException"
	body := `{"message":"An internal error occurred."}`
	switch what {
	case throttled:
		status, code = http.StatusTooManyRequests, "ThrottlingException"
		body = `{"message":"Rate exceeded","serviceCode":"appfabric","quotaCode":"requests"}`
		w.Header().Set("Retry-After", "1")
	case lost:
		f.next.ServeHTTP(httptest.NewRecorder(), r)
	case broken:
		_, _ = io.Copy(io.Discard, r.Body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-Errortype", code)
	w.Header().Set("X-Amzn-Requestid", "00000000-0000-4000-8000-000000000000")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // the client may have gone
	f.answer(operation, status)
}

func (f *front) answer(operation string, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answered[operation] = append(f.answered[operation], status)
}

// statuses are what an operation was answered with, in order.
func (f *front) statuses(operation string) []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.answered[operation])
}

// recorder keeps the status of an answer.
type recorder struct {
	http.ResponseWriter

	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// success is the status of each operation when it succeeds, by the form of its
// requests.
func success() map[string]int {
	return map[string]int{
		"POST /appbundles": 201, "GET /appbundles": 200, "GET /appbundles/*": 200, "DELETE /appbundles/*": 204,
		"POST /appbundles/*/appauthorizations": 201, "GET /appbundles/*/appauthorizations": 200,
		"GET /appbundles/*/appauthorizations/*": 200, "PATCH /appbundles/*/appauthorizations/*": 200,
		"DELETE /appbundles/*/appauthorizations/*": 204, "POST /appbundles/*/appauthorizations/*/connect": 200,
		"POST /appbundles/*/ingestions": 201, "GET /appbundles/*/ingestions": 200, "GET /appbundles/*/ingestions/*": 200,
		"DELETE /appbundles/*/ingestions/*": 204, "POST /appbundles/*/ingestions/*/start": 200, "POST /appbundles/*/ingestions/*/stop": 200,
		"POST /appbundles/*/ingestions/*/ingestiondestinations": 201, "GET /appbundles/*/ingestions/*/ingestiondestinations": 200,
		"GET /appbundles/*/ingestions/*/ingestiondestinations/*":    200,
		"PATCH /appbundles/*/ingestions/*/ingestiondestinations/*":  200,
		"DELETE /appbundles/*/ingestions/*/ingestiondestinations/*": 204,
		"GET /tags/*": 200, "POST /tags/*": 200, "DELETE /tags/*": 200,
		"POST /useraccess/start": 201, "POST /useraccess/batchget": 200,
	}
}

// operationOf is the form of a request: identifiers become *.
func operationOf(r *http.Request) string {
	return r.Method + " " + regexp.MustCompile(`/[^/]*([0-9a-f]{8}-|arn(:|%3A))[^/]*`).ReplaceAllString(r.URL.EscapedPath(), "/*")
}

// succeeded checks that each of the 26 operations came and succeeded.
func (f *front) succeeded(t *testing.T) {
	t.Helper()
	operations := success()
	if len(operations) != 26 {
		t.Fatalf("%d operations, want 26", len(operations))
	}
	for operation, want := range operations {
		got := f.statuses(operation)
		if !slices.Contains(got, want) {
			t.Errorf("%s was answered with %v, want a %d", operation, got, want)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for operation := range f.answered {
		if operations[operation] == 0 {
			t.Errorf("the client sent %s, which is no operation", operation)
		}
	}
}
