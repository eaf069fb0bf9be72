package console_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"selvedge/internal/console"
)

// stream opens a live page and waits for its first event.
func stream(t *testing.T, b *browser, path string) string {
	t.Helper()
	front := httptest.NewServer(b)
	defer front.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	resp := open(ctx, t, front, b, path)
	line, err := bufio.NewReader(resp.Body).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "data: ") {
		t.Fatalf("%d %q, %v", resp.StatusCode, line, err)
	}
	return line
}

// What a live page reads first is recorded, what it reads again is not.
func TestLivePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browser()
	b.get(l.path)
	before := s.called("ShowIngestion")
	if line := stream(t, b, l.path); !strings.Contains(line, "acme.okta.com") || strings.Contains(line, "sign-out") {
		t.Errorf("not the inside of the main element: %s", line)
	}
	if n := s.called("ShowIngestion"); n != before+1 {
		t.Errorf("recorded %d times, want once", n-before)
	}
}

// open asks for a live page and returns the answer, which goes on until the context ends.
func open(ctx context.Context, t *testing.T, front *httptest.Server, b *browser, path string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, front.URL+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/event-stream")
	r.AddCookie(b.cookie)
	resp, err := front.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestLivePlaces: one key has sixteen live pages and no more, another key has its
// own, and all end when the server does.
func TestLivePlaces(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	mine, others := s.browser(), s.browserOf(s.key(may("selvedge:ShowOverview")))
	front := httptest.NewServer(mine)
	t.Cleanup(front.Close)
	var open16 []*http.Response
	for range 16 {
		open16 = append(open16, open(t.Context(), t, front, mine, "/console/"))
	}
	if resp := open(t.Context(), t, front, mine, "/console/"); resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the seventeenth: %s", resp.Status)
	}
	theirs := open(t.Context(), t, front, others, "/console/")
	if theirs.StatusCode != http.StatusOK {
		t.Errorf("of another key: %s", theirs.Status)
	}
	s.Handler.(*console.Console).End()
	for _, resp := range append(open16, theirs) {
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Error(err)
		}
	}
}

// TestARefusedLivePage has the status of the refusal, at which a browser stops
// asking, and is recorded each time.
func TestARefusedLivePage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	l := s.collect("OKTA", "acme.okta.com", "audit-logs")
	b := s.browserOf(s.key(may("appfabric:ListAppBundles")))
	front := httptest.NewServer(b)
	t.Cleanup(front.Close)
	if resp := open(t.Context(), t, front, b, l.path); resp.StatusCode != http.StatusForbidden || resp.Header.Get("Content-Type") == "text/event-stream" {
		t.Errorf("%s, %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	if s.called("ShowIngestion") != 1 {
		t.Errorf("recorded %d times, want once", s.called("ShowIngestion"))
	}
}
