package job_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// journal is a log that tests wait for.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text.Write(b)
	select {
	case j.more <- struct{}{}:
	default:
	}
	return len(b), nil
}

// await waits until something was logged.
func (j *journal) await(t *testing.T, what string) {
	t.Helper()
	patience := time.After(time.Minute)
	for {
		j.mu.Lock()
		text := j.text.String()
		j.mu.Unlock()
		if strings.Contains(text, what) {
			return
		}
		select {
		case <-j.more:
		case <-patience:
			t.Fatalf("%q was not logged:\n%s", what, text)
		}
	}
}

// TestADatabaseThatHangs keeps neither a worker, nor the claims, nor the renewals,
// nor a stop; and when it answers again, the work goes on.
func TestADatabaseThatHangs(t *testing.T) {
	t.Parallel()
	line := storetest.PostgreSQLBehindLine(t)
	s, err := store.Open(t.Context(), store.Options{URL: line.URL, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	storetest.Make(t, s, storetest.Spec{Streams: []string{"held", "ends"}, Destinations: []fabric.Processing{{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}}})
	begun, end, hold := make(chan struct{}, 2), make(chan struct{}), make(chan struct{})
	log := &journal{more: make(chan struct{}, 1)}
	d := job.New(job.Options{
		Store: s, Owner: "me", Lease: time.Second, Grace: time.Minute, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(log, nil)), Observer: &observer{},
		Kinds: []job.Kind{{Duty: store.DutyPoll, Workers: 2, Timeout: 10 * time.Minute, Run: func(_ context.Context, c store.Claim) error {
			begun <- struct{}{}
			if strings.HasSuffix(c.ID, "/held") {
				<-hold
			} else {
				<-end
			}
			return &job.Retry{After: time.Millisecond, Reason: "again"}
		}}},
	})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- d.Run(ctx) }()
	<-begun
	<-begun
	line.Hang()
	end <- struct{}{}
	log.await(t, "renew leases")
	log.await(t, "end a duty")
	log.await(t, "claim duties")
	line.Mend()
	select {
	case <-begun:
	case <-time.After(time.Minute):
		t.Fatal("the work does not go on")
	}
	line.Hang()
	stop()
	close(hold)
	close(end)
	select {
	case err := <-stopped:
		if err == nil {
			t.Error("a stop without the database says nothing of the leases that it has left")
		}
	case <-time.After(time.Minute):
		t.Error("the stop hangs with the database")
	}
}
