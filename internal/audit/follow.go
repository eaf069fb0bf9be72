package audit

import (
	"context"
	"encoding/json"
	"fmt"
)

// watcher is somebody who follows the trail.
type watcher struct {
	lines chan []byte
	end   chan error // gets one error, after the last line
}

// maxBehind is how many records a reader may fall behind.
const maxBehind = 1024

// offer gives a line to the watcher; false: it is too slow to take it.
func (w *watcher) offer(line []byte) bool {
	select {
	case w.lines <- line:
		return true
	default:
		return false
	}
}

// leave ends a watcher, if it has not ended, and tells it why. t.mu is held.
func (t *Trail) leave(w *watcher, err error) {
	if _, ok := t.watchers[w]; ok {
		delete(t.watchers, w)
		w.end <- err
	}
}

// Follow emits the last n records that the filter selects, the oldest first, and
// then each new one as it is recorded, until ctx ends, emit fails, or the reader
// is more than 1,024 records behind (ErrBehind). Between the old and the new ones
// none is missing or repeated. It returns why it ended, never nil.
func (t *Trail) Follow(ctx context.Context, n int, f Filter, emit func(json.RawMessage) error) error {
	w := &watcher{lines: make(chan []byte, maxBehind), end: make(chan error, 1)}
	t.mu.Lock()
	parts, err := t.file.parts()
	if err == nil {
		t.watchers[w] = struct{}{}
	}
	t.mu.Unlock()
	if err != nil {
		return fmt.Errorf("audit: follow: %w", err)
	}
	defer func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.leave(w, nil)
	}()
	old, err := tail(ctx, parts, n, f)
	if err != nil {
		return err
	}
	for _, line := range old {
		if err := emit(line); err != nil {
			return err
		}
	}
	return w.follow(ctx, func(line []byte) error {
		if !f.selects(line) {
			return nil
		}
		return emit(line)
	})
}

// follow takes the lines as they come, and those that are there when no more
// come.
func (w *watcher) follow(ctx context.Context, take func([]byte) error) error {
	for {
		select {
		case line := <-w.lines:
			if err := take(line); err != nil {
				return err
			}
		case end := <-w.end:
			for len(w.lines) > 0 {
				if err := take(<-w.lines); err != nil {
					return err
				}
			}
			return end
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
