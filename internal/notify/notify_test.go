package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/clocktest"
	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/logtest"
	"selvedge/internal/notify"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// TestOnPostgreSQL runs this package's tests on the second database.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.OnPostgreSQL(t, "TestTheSpecification")
}

// verify is a receiver's side of the specification, which shares nothing with
// the sender's: one signature of the list must be right.
func verify(key string, h http.Header, body []byte, now time.Time) error {
	seconds, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return fmt.Errorf("webhook-timestamp: %w", err)
	}
	if off := now.Sub(time.Unix(seconds, 0)).Abs(); off > 5*time.Minute {
		return fmt.Errorf("webhook-timestamp is %v off", off)
	}
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."+string(body))
	for one := range strings.SplitSeq(h.Get("webhook-signature"), " ") {
		version, encoded, _ := strings.Cut(one, ",")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(got, mac.Sum(nil)) {
			return nil
		}
	}
	return fmt.Errorf("no signature of %q is right", h.Get("webhook-signature"))
}

// message is a webhook as it came.
type message struct {
	id   string
	body string
	Type string                  `json:"type"`
	At   time.Time               `json:"timestamp"`
	Data fabric.NotificationData `json:"data"`
}

// receiver is a webhook's other side. It verifies all that comes and answers as it is told.
type receiver struct {
	*httptest.Server
	t      *testing.T
	key    string
	now    func() time.Time
	answer func(n int, w http.ResponseWriter, r *http.Request) // n counts from 1; nil: 204

	mu  sync.Mutex
	got []message
}

func newReceiver(t *testing.T, now func() time.Time) *receiver {
	t.Helper()
	r := &receiver{t: t, key: strings.Repeat("k", 32), now: now}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = verify(r.key, req.Header, body, r.now())
	}
	m := message{id: req.Header.Get("webhook-id"), body: string(body)}
	err = errors.Join(err, json.Unmarshal(body, &m))
	if err != nil || req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("%s %s: %v", req.Method, body, err)
	}
	r.mu.Lock()
	r.got = append(r.got, m)
	n := len(r.got)
	r.mu.Unlock()
	if r.answer != nil {
		r.answer(n, w, req)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) messages() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// world is a store with a change to be told of, and the duty.
type world struct {
	t        *testing.T
	store    *store.Store
	made     storetest.Rig
	clock    *clocktest.Clock
	receiver *receiver
	options  notify.Options
	log      *logtest.Buffer
	outcomes map[string]int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: clocktest.At(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), log: &logtest.Buffer{}, outcomes: map[string]int{}}
	w.store = storetest.New(t, w.clock.Now)
	w.made = storetest.Make(t, w.store, storetest.Spec{Now: w.clock.Now()})
	w.receiver = newReceiver(t, w.clock.Now)
	w.options = notify.Options{
		Store: w.store, URL: fabric.Secret(w.receiver.URL + "/hook/s3cret-path"), Timeout: 5 * time.Second, Now: w.clock.Now,
		Keys: []fabric.Secret{fabric.Secret(strings.Repeat("n", 24)), fabric.Secret(w.receiver.key)},
		Log:  slog.New(slog.NewTextHandler(w.log, nil)),
		Observe: func(n fabric.NotificationType, o notify.Outcome) {
			w.outcomes[string(n)+" "+string(o)]++
		},
	}
	return w
}

// turn changes the status of the authorization.
func (w *world) turn(to fabric.AuthorizationStatus, reason string) {
	w.t.Helper()
	turn(w.t, w.store, w.made, to, reason)
}

func turn(t *testing.T, s *store.Store, r storetest.Rig, to fabric.AuthorizationStatus, reason string) {
	t.Helper()
	c, ok, err := s.ClaimRow(t.Context(), store.DutyRefresh, r.Authorization.ID, "test", time.Minute)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	err = s.ChangeGrant(t.Context(), c, store.GrantChange{Finish: true, Verdict: &store.Verdict{Generation: 1, Status: to, Reason: reason}})
	if err != nil {
		t.Fatal(err)
	}
}

// run makes one attempt at what is due, as the dispatcher does; false: nothing is.
func (w *world) run() (*job.Retry, bool) {
	w.t.Helper()
	claims, err := w.store.Claim(w.t.Context(), store.DutyNotify, "test", time.Hour, 1)
	if err != nil {
		w.t.Fatal(err)
	}
	if len(claims) == 0 {
		return nil, false
	}
	err = notify.New(w.options).Run(w.t.Context(), claims[0])
	if err == nil {
		return nil, true
	}
	retry, ok := errors.AsType[*job.Retry](err)
	if !ok {
		w.t.Fatal(err)
	}
	if strings.Contains(fmt.Sprint(retry.Reason, retry.Err), "s3cret") {
		w.t.Errorf("the failure tells the URL: %v, %v", retry.Reason, retry.Err)
	}
	if err := w.store.Fail(w.t.Context(), claims[0], w.clock.Now().Add(retry.After), retry.Reason); err != nil {
		w.t.Fatal(err)
	}
	return retry, true
}

// TestTheSpecification is its own example:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
// (checked 2026-11-23).
func TestTheSpecification(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	got := notify.Sign([]fabric.Secret{fabric.Secret(key)}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signed %q, want %q", got, want)
	}
	h := http.Header{"Webhook-Id": {"msg_p5jXN8AQM9LWM0D4loKWxJek"}, "Webhook-Timestamp": {"1614265330"}, "Webhook-Signature": {got}}
	if err := verify(string(key), h, body, at); err != nil {
		t.Errorf("the receiver of these tests: %v", err)
	}
	if verify(string(key), h, append(body, ' '), at) == nil {
		t.Error("the receiver of these tests takes another body")
	}
}

// TestWhatArrives: a change comes once, signed with every key, with what changed and
// nothing else.
func TestWhatArrives(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.turn(fabric.TokenAutoRotationFailed, "invalid_grant")
	if retry, ok := w.run(); retry != nil || !ok {
		t.Fatalf("the first attempt: %v, %v", retry, ok)
	}
	if _, again := w.run(); again {
		t.Error("it is due once more")
	}
	got := w.receiver.messages()
	if len(got) != 1 {
		t.Fatalf("%d came", len(got))
	}
	want := `{"type":"authorization.status","timestamp":"2026-03-01T12:00:00Z","data":{"arn":"` + w.made.Authorization.ARN().String() +
		`","app":"OKTA","tenantIdentifier":"acme.okta.com","status":"TokenAutoRotationFailed","reason":"invalid_grant"}}`
	if diff := cmp.Diff(want, got[0].body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if n := strings.Count(w.log.String(), "an app authorization has another status"); n != 1 || strings.Contains(w.log.String(), "s3cret") {
		t.Errorf("%d lines in the log:\n%s", n, w.log)
	}
}

// TestWithoutAWebhook there is a line in the log all the same.
func TestWithoutAWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.options.URL, w.options.Keys = "", nil
	w.turn(fabric.TokenAutoRotationFailed, "invalid_grant")
	w.turn(fabric.Connected, "")
	for range 2 {
		if retry, ok := w.run(); retry != nil || !ok {
			t.Fatal(retry, ok)
		}
	}
	text := w.log.String()
	for _, want := range []string{"level=WARN msg=\"an app authorization has another status\"", "status=TokenAutoRotationFailed reason=invalid_grant", "level=INFO"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q:\n%s", want, text)
		}
	}
	if diff := cmp.Diff(map[string]int{"authorization.status logged": 2}, w.outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// TestAnswers is what becomes of a notification by its first answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	status := func(n int, header ...string) func(int, http.ResponseWriter, *http.Request) {
		return func(_ int, w http.ResponseWriter, _ *http.Request) {
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			w.WriteHeader(n)
		}
	}
	const soon = 1100 * time.Millisecond // a second and its jitter
	for name, test := range map[string]struct {
		answer func(int, http.ResponseWriter, *http.Request)
		want   notify.Outcome
		after  time.Duration // at most, and not below half of it
		reason string
	}{
		"200":                  {status(200), notify.Sent, 0, ""},
		"204":                  {status(204), notify.Sent, 0, ""},
		"gone":                 {status(410), notify.Refused, 0, ""},
		"bad request":          {status(400), notify.Refused, 0, ""},
		"too large":            {status(413), notify.Refused, 0, ""},
		"unprocessable":        {status(422), notify.Refused, 0, ""},
		"unauthorized":         {status(401), notify.Failed, soon, "HTTP 401"},
		"not found":            {status(404), notify.Failed, soon, "HTTP 404"},
		"redirected":           {status(307, "Location", "/elsewhere"), notify.Failed, soon, "HTTP 307"},
		"error":                {status(500), notify.Failed, soon, "HTTP 500"},
		"error with a wait":    {status(500, "Retry-After", "600"), notify.Failed, soon, "HTTP 500"},
		"too many":             {status(429, "Retry-After", "600"), notify.Failed, 10 * time.Minute, "HTTP 429"},
		"unavailable":          {status(503, "Retry-After", "Sun, 01 Mar 2026 12:20:00 GMT"), notify.Failed, 20 * time.Minute, "HTTP 503"},
		"unavailable for long": {status(503, "Retry-After", "999999999"), notify.Failed, time.Hour, "HTTP 503"},
		"unavailable, no word": {status(503), notify.Failed, soon, "HTTP 503"},
		"cut off":              {func(int, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, notify.Failed, soon, "cannot be reached"},
		"an answer without an end": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(200)
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}, notify.Sent, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.receiver.answer = func(n int, rw http.ResponseWriter, r *http.Request) {
				if n == 1 {
					test.answer(n, rw, r)
				}
			}
			w.turn(fabric.TokenAutoRotationFailed, "")
			retry, ok := w.run()
			if !ok || (retry == nil) != (test.want != notify.Failed) {
				t.Fatalf("the first attempt: %v, %v", retry, ok)
			}
			if retry == nil {
				if _, again := w.run(); again || len(w.receiver.messages()) != 1 {
					t.Error("it was sent again")
				}
				return
			}
			if retry.After > test.after || retry.After < test.after/2 || !strings.Contains(retry.Reason, test.reason) {
				t.Errorf("tried again after %v (%s), want at most %v (%s)", retry.After, retry.Reason, test.after, test.reason)
			}
			if _, early := w.run(); early {
				t.Error("tried again at once")
			}
			w.clock.Add(retry.After)
			if retry, ok := w.run(); retry != nil || !ok {
				t.Fatalf("the second attempt: %v, %v", retry, ok)
			}
			got := w.receiver.messages()
			if len(got) != 2 || got[0].id != got[1].id || got[0].body != got[1].body {
				t.Errorf("the attempts differ: %+v", got)
			}
			if n := strings.Count(w.log.String(), "has another status"); n != 1 {
				t.Errorf("%d lines in the log", n)
			}
			if diff := cmp.Diff(map[string]int{"authorization.status failed": 1, "authorization.status sent": 1}, w.outcomes); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAReceiverThatHangs is left alone after the timeout.
func TestAReceiverThatHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.options.Timeout = 100 * time.Millisecond
	w.receiver.answer = func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	w.turn(fabric.TokenAutoRotationFailed, "")
	if retry, ok := w.run(); !ok || retry == nil || !strings.Contains(retry.Reason, "did not answer within 100ms") {
		t.Errorf("Run = %v, %v", retry, ok)
	}
}

// TestAKillBeforeTheCommit: what was sent and not written down is sent again, the
// same, by whoever finds it.
func TestAKillBeforeTheCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.turn(fabric.TokenAutoRotationFailed, "")
	claims, err := w.store.Claim(t.Context(), store.DutyNotify, "killed", time.Second, 1)
	if err != nil || len(claims) != 1 {
		t.Fatal(claims, err)
	}
	w.clock.Add(time.Minute) // its lease has ended
	if retry, ok := w.run(); retry != nil || !ok {
		t.Fatal(retry, ok)
	}
	if err := notify.New(w.options).Run(t.Context(), claims[0]); err != nil { // it was only stopped, and goes on
		t.Errorf("one that ended meanwhile: %v", err)
	}
	if got := w.receiver.messages(); len(got) != 1 {
		t.Errorf("%d came", len(got))
	}
}

// TestReplicas: two dispatchers on one database send each change once, and those of
// one subject in their order, whatever the receiver answers in between.
func TestReplicas(t *testing.T) {
	t.Parallel()
	const subjects, changes = 8, 6
	s := storetest.New(t, nil)
	r := newReceiver(t, time.Now)
	r.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n%7 == 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	var taken sync.Map // by id: those that were answered with success
	all := make(chan struct{}, subjects*changes)
	base := r.answer
	r.answer = func(n int, w http.ResponseWriter, req *http.Request) {
		base(n, w, req)
		if n%7 != 3 {
			if _, twice := taken.LoadOrStore(req.Header.Get("webhook-id"), n); twice {
				t.Errorf("%s came twice", req.Header.Get("webhook-id"))
			}
			all <- struct{}{}
		}
	}
	rigs := make([]storetest.Rig, subjects)
	for i := range rigs {
		rigs[i] = storetest.Make(t, s, storetest.Spec{})
	}
	stop := dispatchers(t, s, r)
	want := map[string][]string{}
	for n := range changes {
		for _, rig := range rigs {
			to := fabric.TokenAutoRotationFailed
			if n%2 == 1 {
				to = fabric.Connected
			}
			turn(t, s, rig, to, strconv.Itoa(n))
			arn := rig.Authorization.ARN().String()
			want[arn] = append(want[arn], strconv.Itoa(n))
		}
	}
	for range subjects * changes {
		select {
		case <-all:
		case <-time.After(time.Minute):
			t.Fatal("not all came within a minute")
		}
	}
	stop()
	got := map[string][]string{}
	ids := map[string]bool{}
	for _, m := range r.messages() {
		if !ids[m.id] { // the first attempt at each: the order of attempts is that of changes
			got[m.Data.ARN] = append(got[m.Data.ARN], m.Data.Reason)
		}
		ids[m.id] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes by subject (-made +told):\n%s", diff)
	}
	if st, err := s.DutyStats(t.Context(), store.DutyNotify); err != nil || st != (store.DutyStats{}) {
		t.Errorf("left behind: %+v, %v (of %d)", st, err, len(slices.Collect(maps.Keys(ids))))
	}
}

type silentObserver struct{}

func (silentObserver) Claimed(store.Duty, time.Duration) {}
func (silentObserver) Ended(store.Duty, job.Outcome)     {}

// dispatchers runs the duty twice, as two replicas do.
func dispatchers(t *testing.T, s *store.Store, r *receiver) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	for i := range 2 {
		n := notify.New(notify.Options{
			Store: s, URL: fabric.Secret(r.URL), Keys: []fabric.Secret{fabric.Secret(r.key)}, Timeout: notify.Timeout, Now: time.Now,
			Log: slog.New(slog.DiscardHandler), Observe: func(fabric.NotificationType, notify.Outcome) {},
		})
		d := job.New(job.Options{
			Store: s, Owner: fmt.Sprint("replica", i), Lease: 5 * time.Second, Grace: 10 * time.Second, Now: time.Now,
			Log: slog.New(slog.DiscardHandler), Observer: silentObserver{},
			Kinds: []job.Kind{{Duty: store.DutyNotify, Workers: 4, Timeout: time.Minute, Run: n.Run}},
		})
		wg.Go(func() {
			if err := d.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
	})
	t.Cleanup(stop)
	return stop
}
