package job_test

import (
	"bytes"
	"math/rand/v2"
	"net/http/httptest"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"selvedge/internal/store/storetest"
)

// childWorkers is how many rows a child works at once.
const childWorkers = 4

// TestOnPostgreSQL runs this package's tests on the second database.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.OnPostgreSQL(t, "TestKilled|TestReplicas")
}

// TestReplicasOnOneDatabase has two processes share the duties of one PostgreSQL
// database. One after the other is killed; then one is stopped for longer than
// its lease and goes on, and what it writes late is refused.
func TestReplicasOnOneDatabase(t *testing.T) {
	t.Parallel()
	url := storetest.PostgreSQL(t)
	rows := killDatabase(t, url)
	j := &judge{busy: map[string]bool{}, asked: map[string]int{}}
	peer := httptest.NewServer(j)
	defer peer.Close()

	replicas := [2]*exec.Cmd{startChild(t, url, peer.URL), startChild(t, url, peer.URL)}
	for i := range kills {
		time.Sleep(100*time.Millisecond + rand.N(300*time.Millisecond))
		kill(t, replicas[i%2], syscall.SIGKILL)
		replicas[i%2] = startChild(t, url, peer.URL)
	}
	time.Sleep(killLease + time.Second) // the leases of the dead have ended
	j.mu.Lock()
	j.excuse = true
	j.mu.Unlock()
	release := j.hold(t, replicas[0].Process.Pid, childWorkers) // all of its work now waits for answers
	signalChild(t, replicas[0], syscall.SIGSTOP)
	before := j.progress()
	release()
	time.Sleep(killLease * 2)
	for row, at := range j.progress() {
		if at <= before[row] {
			t.Errorf("%s was not polled while one of two replicas stood still", row)
		}
	}
	signalChild(t, replicas[0], syscall.SIGCONT)
	time.Sleep(killLease)
	for _, c := range replicas {
		kill(t, c, syscall.SIGTERM)
		if !c.ProcessState.Success() {
			t.Errorf("an orderly stop ended with %v", c.ProcessState)
		}
	}
	j.settle(t)

	if n := fenced(t, replicas[0]); n < childWorkers {
		t.Errorf("%d writes of the stopped replica came to nothing, want all %d that came late", n, childWorkers)
	}
	for _, f := range j.faults {
		t.Error(f)
	}
	t.Logf("%d calls, %d kills, %d and %d writes refused", j.calls, kills, fenced(t, replicas[0]), fenced(t, replicas[1]))
	checkRows(t, url, rows, j.asked)
}

// progress is the highest element of each row that was asked for.
func (j *judge) progress() map[string]int {
	j.mu.Lock()
	defer j.mu.Unlock()
	asked := map[string]int{}
	for row, at := range j.asked {
		asked[row] = at
	}
	return asked
}

// fenced is how many writes of a child that has ended were refused.
func fenced(t *testing.T, c *exec.Cmd) int {
	t.Helper()
	out, ok := c.Stdout.(*bytes.Buffer)
	if !ok {
		t.Fatal("the child's output was not kept")
	}
	n, err := strconv.Atoi(strings.TrimSpace(out.String()))
	if err != nil {
		t.Fatalf("the child printed %q", out)
	}
	return n
}
