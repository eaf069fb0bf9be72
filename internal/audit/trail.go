package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Options says where the trail is kept.
type Options struct {
	Path     string // its folder is made, with mode 0700
	MaxBytes int64  // of one file; 0: 64 MiB
	Keep     int    // full files kept beside the newest; 0: 10
}

const (
	defaultMaxBytes = 64 << 20
	defaultKeep     = 10
)

// Calls that were not authenticated come from anybody. So that nobody can push
// the records of others out of the files with them, no more than this many are
// recorded in each window; the next of them says how many were left out.
const (
	maxUnknown    = 100
	unknownWindow = time.Minute
)

// Trail is the trail of one server. It is safe for concurrent use.
type Trail struct {
	mu   sync.Mutex
	file *file

	window  time.Time // when the present window of unauthenticated calls began
	unknown int       // recorded in it
	omitted int       // not recorded since the last one that was
}

// Open makes the folder and the newest file where they are missing.
func Open(o Options) (*Trail, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Keep == 0 {
		o.Keep = defaultKeep
	}
	f, err := openFile(o.Path, o.MaxBytes, o.Keep)
	if err != nil {
		return nil, fmt.Errorf("audit: open trail: %w", err)
	}
	return &Trail{file: f}, nil
}

// Record adds the record of a call. It costs one write. An error means that the record is lost, or that
// it is written but the file is too large and cannot be rotated.
func (t *Trail) Record(c Call) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var extra map[string]any
	if c.Caller.Account == "" {
		if !t.mayRecordUnknown(c.Time) {
			t.omitted++
			return nil
		}
		if t.omitted > 0 {
			extra = map[string]any{"unauthenticatedCallsNotRecorded": t.omitted}
		}
	}
	line, err := json.Marshal(recordOf(c, extra))
	if err != nil {
		return fmt.Errorf("audit: encode record: %w", err)
	}
	full := t.file.renew(int64(len(line)) + 1)
	if err := t.file.append(line); err != nil {
		return fmt.Errorf("audit: write record: %w", errors.Join(err, full))
	}
	if extra != nil {
		t.omitted = 0
	}
	if full != nil {
		return fmt.Errorf("audit: rotate trail: %w", full)
	}
	return nil
}

func (t *Trail) mayRecordUnknown(now time.Time) bool {
	if since := now.Sub(t.window); since < 0 || since >= unknownWindow {
		t.window, t.unknown = now, 0
	}
	t.unknown++
	return t.unknown <= maxUnknown
}

// Close ends the trail. Nothing is recorded afterwards.
func (t *Trail) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.file.close(); err != nil {
		return fmt.Errorf("audit: close trail: %w", err)
	}
	return nil
}
