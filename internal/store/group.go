package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	sqlite3 "modernc.org/sqlite"
)

// maxGroup bounds how many transactions share a commit, and with it how long the
// first of them waits.
const maxGroup = 64

// group lets the transactions that wait for SQLite's one writer share a commit:
// what takes long is waiting for the disk, and that is done once for all of them.
// Each is a savepoint. One that fails leaves no trace and does not touch the
// others; nobody is told of success before the commit.
//
// There is no goroutine: of those that wait, one leads. It runs all others with
// its own and gives the lead to one that came meanwhile.
type group struct {
	db *sql.DB

	mu      sync.Mutex
	leading bool
	waiting []*member
	commits atomic.Int64
}

// member is one transaction of a group.
type member struct {
	ctx   context.Context //nolint:containedctx // the call's own, which another goroutine works for
	op    string
	run   func(*sql.Tx) error
	err   error
	panic any
	again bool          // stopped by what was done to another: to be run alone
	turn  chan struct{} // closed when it has run, or is to lead
	lead  bool          // it has not run: it leads those that wait now
}

// transact runs f in a transaction that is committed when it returns nil.
func (g *group) transact(ctx context.Context, op string, f func(*sql.Tx) error) error {
	m := &member{ctx: ctx, op: op, run: f, turn: make(chan struct{})}
	g.mu.Lock()
	waits := g.leading
	if waits {
		g.waiting = append(g.waiting, m)
	}
	g.leading = true
	g.mu.Unlock()
	if waits {
		select {
		case <-m.turn:
		case <-ctx.Done():
			if g.withdraw(m) {
				return fmt.Errorf("store: %s: begin: %w", op, ctx.Err())
			}
			<-m.turn
		}
	}
	if !waits || m.lead {
		g.leadWith(m)
	}
	if m.panic != nil {
		panic(m.panic) // the work's own, which another goroutine did
	}
	return m.err
}

// withdraw takes m back, unless it is its turn already.
func (g *group) withdraw(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, m)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// leadWith runs m and those that wait, and gives the lead on.
func (g *group) leadWith(m *member) {
	g.mu.Lock()
	n := min(len(g.waiting), maxGroup-1)
	all := append([]*member{m}, g.waiting[:n]...)
	g.waiting = slices.Clone(g.waiting[n:])
	g.mu.Unlock()
	g.runAll(all)
	g.mu.Lock()
	g.leading = len(g.waiting) > 0
	if g.leading {
		next := g.waiting[0]
		g.waiting = g.waiting[1:]
		next.lead = true
		close(next.turn)
	}
	g.mu.Unlock()
	for _, other := range all[1:] {
		close(other.turn)
	}
}

func (g *group) runAll(all []*member) {
	if len(all) > 1 {
		g.together(all)
	} else {
		all[0].again = true
	}
	for _, m := range all {
		if m.again {
			m.err = g.alone(m)
		}
	}
}

// alone runs one transaction by itself.
func (g *group) alone(m *member) error {
	tx, err := g.db.BeginTx(m.ctx, nil)
	if err != nil {
		return fmt.Errorf("store: %s: begin: %w", m.op, err)
	}
	if err := m.guarded(tx); err != nil {
		return errors.Join(fmt.Errorf("store: %s: %w", m.op, err), ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("store: %s: commit: %w", m.op, err)
	}
	g.commits.Add(1)
	return nil
}

// together runs the members as savepoints of one transaction. Where SQLite gave
// the whole of it up, as it does when a write is interrupted, those that are not
// to blame are to run again.
func (g *group) together(all []*member) {
	tx, err := g.db.BeginTx(context.WithoutCancel(all[0].ctx), nil)
	if err != nil {
		for _, m := range all {
			m.err = fmt.Errorf("store: %s: begin: %w", m.op, err)
		}
		return
	}
	for _, m := range all {
		if err = m.within(tx); err != nil {
			break
		}
	}
	if err == nil {
		err = tx.Commit()
		g.commits.Add(1)
		for _, m := range all {
			if err != nil && m.err == nil {
				m.err = fmt.Errorf("store: %s: commit: %w", m.op, err)
			}
		}
		return
	}
	_ = tx.Rollback() // of a transaction that is no more
	for _, m := range all {
		m.again = m.again || m.err == nil && m.panic == nil
	}
}

// within runs m as a savepoint. The error is of the transaction around it; m's
// own is in m.
func (m *member) within(tx *sql.Tx) error {
	if err := m.ctx.Err(); err != nil {
		m.err = fmt.Errorf("store: %s: begin: %w", m.op, err)
		return nil
	}
	ctx := context.WithoutCancel(m.ctx)
	if _, err := tx.ExecContext(ctx, `SAVEPOINT member`); err != nil {
		return err
	}
	err := m.guarded(tx)
	if err == nil {
		_, err = tx.ExecContext(ctx, `RELEASE member`)
		return err
	}
	// An interruption that was meant for the one before is no failure of this.
	m.again = m.ctx.Err() == nil && interrupted(err)
	if !m.again {
		m.err = fmt.Errorf("store: %s: %w", m.op, err)
	}
	if _, err := tx.ExecContext(ctx, `ROLLBACK TO member`); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `RELEASE member`)
	return err
}

// errPanicked stands for a panic on its way to whoever asked for the work.
var errPanicked = errors.New("panic")

// guarded runs the member's work; a panic is kept for its own caller.
func (m *member) guarded(tx *sql.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			m.panic, err = p, errPanicked
		}
	}()
	return m.run(tx)
}

// interrupted says whether SQLite was told to stop.
func interrupted(err error) bool {
	const sqliteInterrupt = 9
	e, ok := errors.AsType[*sqlite3.Error](err)
	return ok && e.Code() == sqliteInterrupt
}
