package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"selvedge/internal/fabric"
)

// A page that is live is also served as server-sent events
// (https://html.spec.whatwg.org/multipage/server-sent-events.html, checked 2026-11-23):
// the inside of its main element, each time that it has changed.
const (
	liveInterval = 3 * time.Second
	liveLife     = 10 * time.Minute // then the browser asks again, and is checked again
)

// How many pages are kept up to date at once; further ones stay as they were
// loaded. No key takes the places of all.
const (
	maxLive       = 256
	maxLiveForKey = 16
)

// places counts live pages. It is safe for concurrent use.
type places struct {
	mu    sync.Mutex
	taken int
	byKey map[string]int
}

func newPlaces() *places { return &places{byKey: make(map[string]int)} }

func (p *places) take(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == maxLive || p.byKey[key] == maxLiveForKey {
		return false
	}
	p.taken++
	p.byKey[key]++
	return true
}

func (p *places) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.byKey[key]--; p.byKey[key] == 0 {
		delete(p.byKey, key)
	}
}

// stream keeps a page up to date until the browser leaves. What it reads
// first is recorded, and that it was refused; what it reads again is not.
func (v *visit) stream(route route) {
	if !v.streams.take(v.session.KeyID) {
		v.fail(v.w, v.r, v, &fabric.Error{Kind: fabric.Throttled, Message: "Too many pages are kept up to date at once."})
		return
	}
	defer v.streams.leave(v.session.KeyID)
	control := http.NewResponseController(v.w)
	ticks := time.NewTicker(liveInterval)
	defer ticks.Stop()
	end := time.NewTimer(liveLife)
	defer end.Stop()
	var last []byte
	for {
		next, err := v.inside(route)
		if err != nil && last == nil { // an EventSource gives up on a refusal, and asks again after an empty answer
			v.fail(v.w, v.r, v, err)
			return
		}
		if err != nil {
			if !errors.Is(err, v.r.Context().Err()) {
				v.Log.DebugContext(v.r.Context(), "a live page ended", "path", v.r.URL.Path, "error", err)
			}
			return
		}
		if last == nil {
			v.by.Again = true // this read was recorded; those that follow are the same look
			v.w.Header().Set("Content-Type", "text/event-stream")
		}
		text := []byte(":\n\n") // a comment: the connection is alive
		if !bytes.Equal(next, last) {
			text = fmt.Appendf(nil, "data: %s\n\n", next)
		}
		last = next
		if err := errors.Join(control.SetWriteDeadline(time.Now().Add(time.Minute)), write(v.w, text), control.Flush()); err != nil {
			return
		}
		select {
		case <-v.r.Context().Done():
			return
		case <-end.C:
			return
		case <-v.ending:
			return
		case <-ticks.C:
		}
		if err := v.enter(route); err != nil { // signed out, or the key was revoked
			return
		}
	}
}

// inside is the main element of the page as one line of JSON.
func (v *visit) inside(route route) ([]byte, error) {
	result, err := route.do(v)
	if err != nil {
		return nil, err
	}
	result.live = true
	html, err := v.render(v.r, v, result, "main")
	if err != nil {
		return nil, err
	}
	return json.Marshal(string(html))
}

func write(w http.ResponseWriter, text []byte) error {
	_, err := w.Write(text)
	return err
}
