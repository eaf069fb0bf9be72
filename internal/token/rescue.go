package token

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// rescued is a sealed answer on its way into the database.
type rescued struct {
	Authorization string `json:"authorization"`
	Key           string `json:"key"`
	Sealed        []byte `json:"sealed"`
}

const rescueSuffix = ".answer"

// rescue keeps a sealed answer in a file, on disk when it returns.
func (m *Manager) rescue(authorizationID, key string, sealed []byte) error {
	if m.o.Dir == "" {
		return errors.New("token: there is no folder to keep an answer in")
	}
	doc, err := json.Marshal(rescued{authorizationID, key, sealed})
	if err != nil {
		return fmt.Errorf("token: keep answer: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := writeDurably(m.o.Dir, authorizationID+rescueSuffix, doc); err != nil {
		return fmt.Errorf("token: keep answer: %w", err)
	}
	if !m.closing {
		m.rescues.Go(func() { m.bring(authorizationID) })
	}
	return nil
}

// How often an answer in a file is offered to the database. Once that is back,
// the answer is there before resendGrace has passed.
const (
	firstOffer = 200 * time.Millisecond
	nextOffer  = 500 * time.Millisecond
	offerTime  = 1500 * time.Millisecond
)

// bring offers the answer in a file to the database until it takes it, or has no
// use for it. After Close the file is left to the next start.
func (m *Manager) bring(authorizationID string) {
	for wait := firstOffer; ; wait = nextOffer {
		timer := time.NewTimer(wait)
		select {
		case <-m.rescuing.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		ctx, cancel := context.WithTimeout(m.rescuing, offerTime)
		took, err := m.adopt(ctx, authorizationID)
		cancel()
		if err != nil {
			continue
		}
		if took {
			m.o.Log.InfoContext(m.rescuing, "the database took an answer that was kept in a file", "authorization", authorizationID)
			m.o.Wake()
		}
		return
	}
}

func writeDurably(dir, name string, data []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".answer-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Replay takes the answers that were kept in files into the database. It is to
// be called before this replica takes work.
func (m *Manager) Replay(ctx context.Context) error {
	if m.o.Dir == "" {
		return nil
	}
	entries, err := os.ReadDir(m.o.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("token: replay answers: %w", err)
	}
	var errs []error
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), rescueSuffix)
		if !ok || !fabric.IsUUID(id) {
			continue
		}
		_, err := m.adopt(ctx, id)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// adopt takes the answer for an authorization from its file, if there is one
// and the journal still misses it. The file is removed once it is of no use.
func (m *Manager) adopt(ctx context.Context, authorizationID string) (bool, error) {
	if m.o.Dir == "" {
		return false, nil
	}
	path := filepath.Join(m.o.Dir, authorizationID+rescueSuffix)
	data, err := os.ReadFile(filepath.Clean(path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	var doc rescued
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil {
		return false, fmt.Errorf("token: adopt answer: %w", err)
	}
	took, err := m.o.Store.AdoptAnswer(ctx, authorizationID, doc.Key, doc.Sealed)
	if err != nil {
		return false, fmt.Errorf("token: adopt answer: %w", err)
	}
	if err := m.discard(path, data); err != nil {
		return took, fmt.Errorf("token: adopt answer: %w", err)
	}
	return took, nil
}

// discard removes a file, unless another answer is in it by now.
func (m *Manager) discard(path string, data []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, err := os.ReadFile(filepath.Clean(path))
	if err == nil && bytes.Equal(now, data) {
		err = os.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
