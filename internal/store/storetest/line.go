package storetest

import (
	"net"
	"net/url"
	"sync"
	"testing"
)

// Line is a TCP proxy to a database, which can be cut and can hang.
type Line struct {
	URL    string // of the database, through the line
	Direct string // of the same, without it

	mu    sync.Mutex
	state lineState
	conns []net.Conn
}

type lineState int

const (
	works lineState = iota
	isCut
	hangs
)

// PostgreSQLBehindLine is PostgreSQL with a line to it that works.
func PostgreSQLBehindLine(tb testing.TB) *Line {
	tb.Helper()
	direct := PostgreSQL(tb)
	u, err := url.Parse(direct)
	if err != nil {
		tb.Fatal(err)
	}
	database := u.Host
	if u.Port() == "" {
		database = net.JoinHostPort(u.Hostname(), "5432")
	}
	listener, err := (&net.ListenConfig{}).Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	u.Host = listener.Addr().String()
	l := &Line{URL: u.String(), Direct: direct}
	tb.Cleanup(func() {
		_ = listener.Close()
		l.Cut()
	})
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			l.take(c, database)
		}
	}()
	return l
}

// Cut ends every connection, and refuses others.
func (l *Line) Cut() { l.set(isCut) }

// Hang lets nothing pass, and says so to nobody: what is sent is swallowed.
func (l *Line) Hang() { l.set(hangs) }

// Mend lets new connections pass. Those there were end: bytes of theirs are gone.
func (l *Line) Mend() { l.set(works) }

func (l *Line) set(state lineState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state = state; state == hangs {
		return
	}
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *Line) take(c net.Conn, database string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.state {
	case isCut:
		_ = c.Close()
		return
	case hangs:
		l.conns = append(l.conns, c)
		return
	}
	d, err := net.Dial("tcp", database)
	if err != nil {
		_ = c.Close()
		return
	}
	l.conns = append(l.conns, c, d)
	go l.pass(c, d)
	go l.pass(d, c)
}

// pass copies what comes while the line works, and swallows the rest.
func (l *Line) pass(to, from net.Conn) {
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		l.mu.Lock()
		swallow := l.state == hangs
		l.mu.Unlock()
		if err != nil {
			return
		}
		if swallow {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}
