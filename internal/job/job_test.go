package job_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/job"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

// observer counts what it is told.
type observer struct {
	mu    sync.Mutex
	ended map[job.Outcome]int
	wake  func() // the dispatcher's
	late  []time.Duration
}

func (o *observer) Claimed(_ store.Duty, late time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.late = append(o.late, late)
}

func (o *observer) Ended(_ store.Duty, out job.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = map[job.Outcome]int{}
	}
	o.ended[out]++
}

func (o *observer) count(out job.Outcome) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended[out]
}

const lease = 4 * time.Second

// bubble opens a store with n streams that are due and starts a dispatcher
// over it, inside of a synctest bubble. stop ends it and waits.
func bubble(t *testing.T, n, workers int, run func(s *store.Store) func(context.Context, store.Claim) error) (s *store.Store, obs *observer, stop func()) {
	t.Helper()
	s = storetest.New(t, time.Now)
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("s%03d", i)
	}
	storetest.Make(t, s, storetest.Spec{Streams: names, Destinations: []fabric.Processing{{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}}})
	obs = &observer{}
	d := job.New(job.Options{
		Store: s, Owner: "me", Lease: lease, Grace: 10 * time.Second, Now: time.Now,
		Log: slog.New(slog.DiscardHandler), Observer: obs,
		Kinds: []job.Kind{{Duty: store.DutyPoll, Workers: workers, Timeout: time.Minute, Run: run(s)}},
	})
	obs.wake = d.Wake
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	return s, obs, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v", err)
		}
	}
}

func stats(t *testing.T, s *store.Store) store.DutyStats {
	t.Helper()
	st, err := s.DutyStats(t.Context(), store.DutyPoll)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestEveryDueRowRunsOnTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		runs := map[string]int{}
		_, obs, stop := bubble(t, 50, 4, func(s *store.Store) func(context.Context, store.Claim) error {
			return func(ctx context.Context, c store.Claim) error {
				mu.Lock()
				runs[c.ID]++
				mu.Unlock()
				return s.Finish(ctx, c, time.Now().Add(10*time.Second))
			}
		})
		time.Sleep(35 * time.Second)
		stop()
		for id, n := range runs {
			if n != 4 { // at 0, 10, 20 and 30 seconds
				t.Errorf("%s ran %d times in 35 s, want 4", id, n)
			}
		}
		if len(runs) != 50 {
			t.Errorf("%d rows ran, want 50", len(runs))
		}
		for _, late := range obs.late {
			if late > time.Second {
				t.Errorf("a row was %v late", late)
			}
		}
	})
}

func TestFailuresWaitAsTheyAsk(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		err     error
		first   time.Duration // the earliest second attempt
		last    time.Duration // the latest
		outcome job.Outcome
	}{
		{"by its own word", &job.Retry{After: 30 * time.Second, Reason: "the provider asks to wait"}, 30 * time.Second, 31 * time.Second, job.Retried},
		{"a key is away", &job.Retry{After: time.Hour, Reason: "x", Err: fmt.Errorf("seal: %w", &secret.KeyError{Reason: "AWS KMS cannot be reached"})}, 900 * time.Millisecond, 3 * time.Second, job.Retried},
		{"unclassified", errors.New("no"), 900 * time.Millisecond, 3 * time.Second, job.Errored},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				begun := time.Now()
				var at []time.Duration
				_, obs, stop := bubble(t, 1, 1, func(s *store.Store) func(context.Context, store.Claim) error {
					return func(ctx context.Context, c store.Claim) error {
						at = append(at, time.Since(begun))
						if len(at) == 1 {
							return tt.err
						}
						return s.Finish(ctx, c, time.Now().Add(time.Hour))
					}
				})
				time.Sleep(time.Minute)
				stop()
				if len(at) != 2 || at[1]-at[0] < tt.first || at[1]-at[0] > tt.last {
					t.Errorf("ran at %v, want twice, %v to %v apart", at, tt.first, tt.last)
				}
				if obs.count(tt.outcome) != 1 {
					t.Errorf("outcomes = %v, want one %s", obs.ended, tt.outcome)
				}
			})
		})
	}
}

func TestAPanicIsOneFailedAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		_, obs, stop := bubble(t, 1, 1, func(s *store.Store) func(context.Context, store.Claim) error {
			return func(ctx context.Context, c store.Claim) error {
				if runs++; runs == 1 {
					panic("boom")
				}
				return s.Finish(ctx, c, time.Time{})
			}
		})
		time.Sleep(time.Minute)
		stop()
		if runs != 2 || obs.count(job.Panicked) != 1 || obs.count(job.Done) != 1 {
			t.Errorf("runs = %d, outcomes = %v", runs, obs.ended)
		}
	})
}

func TestLongWorkKeepsItsLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		_, obs, stop := bubble(t, 1, 4, func(s *store.Store) func(context.Context, store.Claim) error {
			return func(ctx context.Context, c store.Claim) error {
				runs++
				time.Sleep(5 * lease)
				return s.Finish(ctx, c, time.Time{})
			}
		})
		time.Sleep(10 * lease)
		stop()
		if runs != 1 || obs.count(job.Done) != 1 {
			t.Errorf("runs = %d, outcomes = %v; want one undisturbed run", runs, obs.ended)
		}
	})
}

func TestWorkThatLosesItsLeaseIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var cancelled, fenced bool
		s, _, stop := bubble(t, 1, 1, func(s *store.Store) func(context.Context, store.Claim) error {
			return func(ctx context.Context, c store.Claim) error {
				if cancelled {
					return s.Finish(context.WithoutCancel(ctx), c, time.Time{})
				}
				<-ctx.Done()
				cancelled = true
				err := s.Finish(context.WithoutCancel(ctx), c, time.Time{})
				fenced = errors.Is(err, store.ErrFenced)
				return err
			}
		})
		synctest.Wait()
		// Another process takes the row, as after a long stop of this one.
		if err := s.Release(t.Context(), store.DutyPoll, "me"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * lease)
		stop()
		if !cancelled || !fenced {
			t.Errorf("cancelled = %v, fenced = %v; want both", cancelled, fenced)
		}
	})
}

func TestStopWaitsForWorkAndHoldsNoLease(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		work     time.Duration
		finishes bool
	}{
		{"work within the grace ends by itself", 8 * time.Second, true},
		{"work beyond the grace is cancelled", 30 * time.Second, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				finished := false
				s, _, stop := bubble(t, 3, 1, func(s *store.Store) func(context.Context, store.Claim) error {
					return func(ctx context.Context, c store.Claim) error {
						select {
						case <-time.After(tt.work):
							finished = true
							return s.Finish(ctx, c, time.Now().Add(time.Hour))
						case <-ctx.Done():
							return ctx.Err()
						}
					}
				})
				synctest.Wait()
				before := time.Now()
				stop()
				if finished != tt.finishes {
					t.Errorf("finished = %v, want %v", finished, tt.finishes)
				}
				if took := time.Since(before); took > 10*time.Second {
					t.Errorf("the stop took %v, longer than its grace", took)
				}
				if st := stats(t, s); st.Held != 0 || st.Scheduled != 3 {
					t.Errorf("after the stop: %+v; want no lease held and three rows scheduled", st)
				}
			})
		})
	}
}

func TestWakeIsHeardAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		s, obs, stop := bubble(t, 1, 1, func(s *store.Store) func(context.Context, store.Claim) error {
			return func(ctx context.Context, c store.Claim) error {
				runs++
				return s.Finish(ctx, c, time.Now().Add(time.Hour))
			}
		})
		time.Sleep(10 * time.Second)
		marks, err := s.StreamMarks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Wake(t.Context(), store.DutyPoll, marks[0].ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second + time.Millisecond) // another process woke it: seen within a second
		if err := s.Wake(t.Context(), store.DutyPoll, marks[0].ID); err != nil {
			t.Fatal(err)
		}
		obs.wake()
		synctest.Wait() // this process did: seen at once
		stop()
		if runs != 3 || obs.late[1] > time.Second || obs.late[2] > 0 {
			t.Errorf("runs = %d, lateness = %v", runs, obs.late)
		}
	})
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	t.Parallel()
	for attempt, want := range map[int64]time.Duration{
		0: time.Second, 1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 9: 256 * time.Second, 10: 5 * time.Minute, 1 << 40: 5 * time.Minute,
	} {
		for range 20 {
			if got := job.Backoff(attempt); got < want*9/10 || got > want*11/10 {
				t.Errorf("Backoff(%d) = %v, want %v give or take a tenth", attempt, got, want)
			}
		}
	}
}
