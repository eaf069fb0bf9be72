package wire_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/wire"
)

func visitor() fabric.Visitor {
	return fabric.Visitor{
		Caller: fabric.Caller{Account: accountA, Region: region, AccessKeyID: keyA}, SourceIP: "192.0.2.1:7", UserAgent: "a browser",
	}
}

// TestDo sees that a call without a signature answers, refuses and is recorded
// as a signed one is.
func TestDo(t *testing.T) {
	t.Parallel()
	denied := &fabric.Error{Kind: fabric.AccessDenied, Message: "no"}
	s := newServer(t, func(_ *control.Options, o *wire.Options) {
		o.Authorize = func(_ context.Context, caller fabric.Caller, a control.Access) error {
			if caller.Account != accountA || a.Action == "appfabric:DeleteAppBundle" {
				return denied
			}
			return nil
		}
	})
	w := who{keyA, region}
	f := s.furnish(t, w)
	api := s.handler.(*wire.API)
	s.calls = nil

	signed := s.send(t, w, "GET", "/appbundles/"+f.bundle+"/ingestions?maxResults=1", "")
	body, err := api.Do(t.Context(), visitor(), "ListIngestions", map[string]any{"appBundleIdentifier": f.bundle, "maxResults": 1})
	if err != nil || string(body) != signed.raw {
		t.Errorf("Do answers %s, %v; a signed request %s", body, err, signed.raw)
	}
	if len(s.calls) != 2 {
		t.Fatalf("%d calls recorded, want 2", len(s.calls))
	}
	want, got := s.calls[0], s.calls[1]
	if got.SourceIP != "192.0.2.1:7" || got.UserAgent != "a browser" || got.RequestID == want.RequestID {
		t.Errorf("recorded %+v", got)
	}
	got.RequestID, got.SourceIP, got.UserAgent, got.Start, got.Duration = want.RequestID, want.SourceIP, want.UserAgent, want.Start, want.Duration
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("recorded (-signed +done):\n%s", diff)
	}

	_, err = api.Do(t.Context(), visitor(), "DeleteAppBundle", map[string]any{"appBundleIdentifier": f.bundle})
	if !errors.Is(err, denied) {
		t.Errorf("against the policy: %v", err)
	}
	_, err = api.Do(t.Context(), visitor(), "CreateAppAuthorization", map[string]any{"appBundleIdentifier": f.bundle, "app": "NONE", "authType": "x"})
	fault, ok := errors.AsType[*fabric.Error](err)
	if !ok || fault.Kind != fabric.Validation || len(fault.Fields) < 3 {
		t.Errorf("against the constraints: %+v", err)
	}
	_, err = api.Do(t.Context(), visitor(), "GetAppBundle", map[string]any{"appBundleIdentifier": "11111111-1111-4111-8111-111111111111"})
	if fabric.KindOfError(err) != fabric.NotFound {
		t.Errorf("of what is not there: %v", err)
	}
	if _, err := api.Do(t.Context(), visitor(), "NoSuchOperation", nil); err == nil {
		t.Error("an operation that there is not was done")
	}
	for i, want := range []string{"AccessDeniedException", "ValidationException", "ResourceNotFoundException"} {
		if got := s.calls[2+i].ErrorCode; got != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
	}
}

// TestDoAgain sees that a page which looks again leaves no record, and that
// what changes something always does.
func TestDoAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	api := s.handler.(*wire.API)
	by := visitor()
	by.Again = true
	if _, err := api.Do(t.Context(), by, "ListAppBundles", nil); err != nil || len(s.calls) != 0 {
		t.Errorf("a read again: %v, %d calls recorded", err, len(s.calls))
	}
	if _, err := api.Do(t.Context(), by, "CreateAppBundle", nil); err != nil || len(s.calls) != 1 {
		t.Errorf("a change: %v, %d calls recorded", err, len(s.calls))
	}
}

// TestDoHidesOurOwnFaults sees that an error that nobody classified, and a panic,
// say where the log has them and no more.
func TestDoHidesOurOwnFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() error{
		"error": func() error { return errors.New("canary") },
		"panic": func() error { panic("canary") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(_ *control.Options, o *wire.Options) {
				o.Authorize = func(context.Context, fabric.Caller, control.Access) error { return fault() }
			})
			_, err := s.handler.(*wire.API).Do(t.Context(), visitor(), "ListAppBundles", nil)
			e, ok := errors.AsType[*fabric.Error](err)
			if !ok || e.Kind != fabric.Internal || e.Message == "" || e.Err != nil {
				t.Fatalf("got %v", err)
			}
			if strings.Contains(e.Message, "canary") || !strings.Contains(s.logs.String(), "canary") || len(s.calls) != 1 || s.calls[0].Status != 500 {
				t.Errorf("%q, log %s, calls %+v", e.Message, s.logs, s.calls)
			}
		})
	}
}

func TestDoIsThrottled(t *testing.T) {
	t.Parallel()
	s := newServer(t, func(_ *control.Options, o *wire.Options) { o.Throttle = wire.Throttle{Rate: 0.001, Burst: 1} })
	api := s.handler.(*wire.API)
	if _, err := api.Do(t.Context(), visitor(), "ListAppBundles", nil); err != nil {
		t.Fatal(err)
	}
	_, err := api.Do(t.Context(), visitor(), "ListAppBundles", nil)
	if e, ok := errors.AsType[*fabric.Error](err); !ok || e.Kind != fabric.Throttled || e.RetryAfter < time.Minute {
		t.Errorf("the second call: %v", err)
	}
}
