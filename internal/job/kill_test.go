package job_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// The suite of a dispatcher over a database: a child process works duties
// against a peer that is never killed, and is itself killed over and over. The
// peer judges.

const (
	killRows     = 20
	kills        = 30
	killLease    = 2 * time.Second
	killInterval = 20 * time.Millisecond // between two polls of a row
	envChild     = "SELVEDGE_TEST_JOB_DB"
	envPeer      = "SELVEDGE_TEST_JOB_PEER"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(envChild); path != "" {
		if err := child(path, os.Getenv(envPeer)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// child works the rows of a database until SIGTERM. Then it prints how many of
// its writes came to nothing because another had the row.
func child(place, peer string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := store.Open(ctx, options(place))
	if err != nil {
		return err
	}
	defer s.Close()
	started := time.Now()
	var fenced atomic.Int64
	d := job.New(job.Options{
		Store: s, Owner: uuid.NewString(), Lease: killLease, Grace: 2 * time.Second, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Observer: &observer{},
		Kinds: []job.Kind{{Duty: store.DutyPoll, Workers: childWorkers, Timeout: 10 * time.Second, Run: func(ctx context.Context, c store.Claim) error {
			err := step(ctx, s, c, peer, started)
			if errors.Is(err, store.ErrFenced) || errors.Is(err, context.Canceled) {
				// Refused, or not even tried: the renewal was first to see that
				// the lease is lost.
				fenced.Add(1)
			}
			return err
		}}},
	})
	err = d.Run(ctx)
	fmt.Fprintln(os.Stdout, fenced.Load())
	return err
}

// options opens a place: the URL of a PostgreSQL database, or a SQLite file.
func options(place string) store.Options {
	if strings.HasPrefix(place, "postgres://") {
		return store.Options{URL: place}
	}
	return store.Options{Path: place, Now: time.Now}
}

// step asks the peer for the element at the row's cursor and takes it in.
func step(ctx context.Context, s *store.Store, c store.Claim, peer string, started time.Time) error {
	st, _, err := s.LoadStream(ctx, c.ID)
	if err != nil {
		return err
	}
	var at int
	if err := json.Unmarshal([]byte(st.Cursor), &at); err != nil {
		return err
	}
	due := c.Due
	if due.Before(started) {
		due = started // the time that nobody was there is the killer's
	}
	q := url.Values{"row": {c.ID}, "pid": {strconv.Itoa(os.Getpid())}, "at": {strconv.Itoa(at)}, "late": {strconv.FormatInt(time.Since(due).Milliseconds(), 10)}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, peer+"?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	now := time.Now()
	// Work that was cancelled tries all the same: it is the fence that counts.
	return s.CommitPage(context.WithoutCancel(ctx), c, store.PageCommit{
		Cursor: strconv.Itoa(at + 1), BatchID: uuid.NewString(), Body: body, Records: 1,
		CloseBatch: true, ClosedAt: now, Finish: true, Due: now.Add(killInterval),
	})
}

// judge is the peer. It knows of each row which elements were asked for.
type judge struct {
	mu     sync.Mutex
	excuse bool // lateness is the killer's doing
	busy   map[string]bool
	asked  map[string]int // the highest element
	calls  int
	cut    int // calls whose process was gone before the answer
	faults []string
	held   string        // the process whose calls are not answered until release
	waits  int           // how many of them wait
	free   chan struct{} // closed by release
}

// hold keeps back the answers to a process, until n of its calls wait.
func (j *judge) hold(t *testing.T, pid, n int) (release func()) {
	t.Helper()
	j.mu.Lock()
	j.held, j.waits, j.free = strconv.Itoa(pid), 0, make(chan struct{})
	j.mu.Unlock()
	for range 20_000 {
		j.mu.Lock()
		waits := j.waits
		j.mu.Unlock()
		if waits >= n {
			return func() {
				j.mu.Lock()
				j.held = ""
				j.mu.Unlock()
				close(j.free)
			}
		}
		time.Sleep(time.Millisecond)
	}
	close(j.free)
	t.Fatal("the process does not work")
	return nil
}

// answer waits while answers to a process are held back.
func (j *judge) answer(pid string) {
	j.mu.Lock()
	held := pid == j.held
	if held {
		j.waits++
	}
	j.mu.Unlock()
	if held {
		<-j.free
	}
}

func (j *judge) fault(format string, args ...any) {
	j.faults = append(j.faults, fmt.Sprintf(format, args...))
}

func (j *judge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	row := r.FormValue("row")
	at, _ := strconv.Atoi(r.FormValue("at"))
	late, _ := strconv.Atoi(r.FormValue("late"))
	j.mu.Lock()
	j.calls++
	if j.busy[row] {
		j.fault("%s: two polls at once", row)
	}
	if last := j.asked[row]; at != last && at != last+1 {
		j.fault("%s: asked for %d after %d", row, at, last)
	}
	if limit := killLease + time.Second; time.Duration(late)*time.Millisecond > limit && !j.excuse {
		j.fault("%s: %d ms late, more than the lease and a second", row, late)
	}
	j.busy[row], j.asked[row] = true, at
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.busy, row)
		j.mu.Unlock()
	}()
	j.answer(r.FormValue("pid"))
	select {
	case <-time.After(rand.N(30 * time.Millisecond)):
		fmt.Fprintf(w, "%s %d", row, at)
	case <-r.Context().Done():
		j.mu.Lock()
		j.cut++
		j.mu.Unlock()
	}
}

// wait returns after n more calls.
func (j *judge) wait(t *testing.T, n int) {
	t.Helper()
	j.mu.Lock()
	until := j.calls + n
	j.mu.Unlock()
	for range 20_000 {
		j.mu.Lock()
		calls := j.calls
		j.mu.Unlock()
		if calls >= until {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the process does not work")
}

// settle waits until no request is open, so that the end of a killed child's
// requests is not taken for an overlap with those of the next child.
func (j *judge) settle(t *testing.T) {
	t.Helper()
	for range 1000 {
		j.mu.Lock()
		n := len(j.busy)
		j.mu.Unlock()
		if n == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("requests of a killed process are still open")
}

func TestKilledAndStoppedProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "selvedge.db")
	rows := killDatabase(t, path)
	j := &judge{busy: map[string]bool{}, asked: map[string]int{}}
	peer := httptest.NewServer(j)
	defer peer.Close()

	for i := range kills {
		c := startChild(t, path, peer.URL)
		j.wait(t, 1+rand.IntN(20))
		release := func() {}
		if i%2 == 0 { // in the middle of a call, however slow the machine is
			release = j.hold(t, c.Process.Pid, 1)
		} else {
			time.Sleep(rand.N(20 * time.Millisecond))
		}
		kill(t, c, syscall.SIGKILL)
		release()
		j.settle(t)
	}
	c := startChild(t, path, peer.URL)
	j.wait(t, 20)
	j.mu.Lock()
	j.excuse = true
	j.mu.Unlock()
	signalChild(t, c, syscall.SIGSTOP)
	time.Sleep(killLease * 3 / 2)
	signalChild(t, c, syscall.SIGCONT)
	time.Sleep(killLease)
	kill(t, c, syscall.SIGTERM)
	if !c.ProcessState.Success() {
		t.Errorf("an orderly stop ended with %v", c.ProcessState)
	}
	j.settle(t)

	for _, f := range j.faults {
		t.Error(f)
	}
	t.Logf("%d calls, %d cut by %d kills", j.calls, j.cut, kills)
	if j.cut < kills/3 {
		t.Errorf("only %d calls were cut by %d kills: the suite does not test what it is for", j.cut, kills)
	}
	checkRows(t, path, rows, j.asked)
}

// checkRows compares what is stored with what the peer saw: each element once,
// up to the last one asked for, which may or may not have been taken in.
func checkRows(t *testing.T, place string, rows []string, asked map[string]int) {
	t.Helper()
	s, err := store.Open(t.Context(), options(place))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.DutyStats(t.Context(), store.DutyPoll)
	if err != nil || st.Scheduled != killRows {
		t.Errorf("DutyStats = %+v, %v; want %d rows scheduled", st, err, killRows)
	}
	claims, err := s.Claim(t.Context(), store.DutyPoll, "judge", time.Hour, 2*killRows)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range claims {
		if c.Attempt != 1 {
			t.Errorf("%s was left unfinished by an orderly stop", c.ID)
		}
	}
	destination := destinationOf(t, s)
	stored := map[string]int{}
	for {
		dv, ok, err := s.NextDelivery(t.Context(), destination.ID)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			break
		}
		pages, err := s.Pages(t.Context(), dv.BatchID)
		if err != nil || len(pages) != 1 {
			t.Fatalf("Pages = %v, %v", pages, err)
		}
		stored[string(pages[0].Body)]++
		if err := errors.Join(s.Freeze(t.Context(), destination, dv.BatchID, store.Spot{Bucket: "b", Key: "k"}), s.Delivered(t.Context(), destination, dv.BatchID, 0)); err != nil {
			t.Fatal(err)
		}
	}
	total := 0
	for _, row := range rows {
		if asked[row] == 0 {
			t.Errorf("%s was never polled beyond its first element", row)
		}
		for at := range asked[row] {
			total++
			if n := stored[fmt.Sprintf("%s %d", row, at)]; n != 1 {
				t.Errorf("element %d of %s is stored %d times", at, row, n)
			}
		}
	}
	if extra := len(stored) - total; extra < 0 || extra > len(rows) {
		t.Errorf("%d elements are stored beyond those that were asked for", extra)
	}
}

// destinationOf claims the only destination.
func destinationOf(t *testing.T, s *store.Store) store.Claim {
	t.Helper()
	claims, err := s.Claim(t.Context(), store.DutyDeliver, "judge", time.Hour, 1)
	if err != nil || len(claims) != 1 {
		t.Fatalf("Claim = %v, %v", claims, err)
	}
	return claims[0]
}

func killDatabase(t *testing.T, place string) (rows []string) {
	t.Helper()
	s, err := store.Open(t.Context(), options(place))
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, killRows)
	for i := range names {
		names[i] = fmt.Sprintf("s%02d", i)
	}
	r := storetest.Make(t, s, storetest.Spec{
		Streams: names, Cursor: "0", Destinations: []fabric.Processing{{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}},
	})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return r.StreamIDs
}

func startChild(t *testing.T, place, peer string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(context.Background(), os.Args[0])
	c.Env = append(os.Environ(), envChild+"="+place, envPeer+"="+peer)
	c.Stdout, c.Stderr = &bytes.Buffer{}, os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c
}

func signalChild(t *testing.T, c *exec.Cmd, s syscall.Signal) {
	t.Helper()
	if err := c.Process.Signal(s); err != nil {
		t.Fatalf("signal %v: %v", s, err)
	}
}

// kill signals a child and waits for its end.
func kill(t *testing.T, c *exec.Cmd, s syscall.Signal) {
	t.Helper()
	signalChild(t, c, s)
	_ = c.Wait() // its state says how it ended
}
