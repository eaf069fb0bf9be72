// Package certificate keeps the server's certificate and key as two files have
// them, and takes new ones while the server runs: whoever renews them replaces
// the files, and nothing has to be restarted or told.
//
// The files are looked at when a connection is made, once a second at the most.
// They are replaced one after the other, so for a moment they may not belong
// together: a pair that cannot be used changes nothing and is logged once. The
// next change of either file is tried again.
package certificate

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookEvery is how long what the files had is good for.
const lookEvery = time.Second

// Options says where the certificate is. All members are required.
type Options struct {
	Cert string // file of the certificate and of those between it and the root, PEM
	Key  string // file of its key, PEM
	Now  func() time.Time
	Log  *slog.Logger
}

// Pair is a certificate and its key. It is safe for concurrent use.
type Pair struct {
	Options

	mu     sync.Mutex
	used   *tls.Certificate
	seen   [2]stamp // of the files, when they were last loaded
	looked time.Time
}

// stamp tells one state of a file from another. The file itself counts too: one
// that takes its place may have been made in the same tick.
type stamp struct {
	info fs.FileInfo // nil: there was none
	why  string
}

func (s stamp) same(o stamp) bool {
	if s.info == nil || o.info == nil {
		return s.info == nil && o.info == nil && s.why == o.why
	}
	return os.SameFile(s.info, o.info) && s.info.Size() == o.info.Size() && s.info.ModTime().Equal(o.info.ModTime())
}

// Open loads the pair. It fails where that cannot be used.
func Open(o Options) (*Pair, error) {
	p := &Pair{Options: o, looked: o.Now()}
	p.seen = p.stamps()
	var err error
	p.used, err = p.load()
	return p, err
}

func (p *Pair) load() (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(p.Cert, p.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate: load %s and %s: %w", p.Cert, p.Key, err)
	}
	return &c, nil
}

func (p *Pair) stamps() [2]stamp { return [2]stamp{stampOf(p.Cert), stampOf(p.Key)} }

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{why: err.Error()}
	}
	return stamp{info: info}
}

// Config is that of a server of HTTP/2 and HTTP/1.1 which shows the pair.
func (p *Pair) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current(), nil },
	}
}

// current is the pair to show now.
func (p *Pair) current() *tls.Certificate {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Now()
	if since := now.Sub(p.looked); since >= 0 && since < lookEvery {
		return p.used
	}
	p.looked = now
	stamps := p.stamps()
	if stamps[0].same(p.seen[0]) && stamps[1].same(p.seen[1]) {
		return p.used
	}
	p.seen = stamps // those before it is read: a change meanwhile is one more
	next, err := p.load()
	if err != nil {
		p.Log.Error("the new TLS certificate cannot be used; the one before it stays in use", "error", err)
		return p.used
	}
	p.used = next
	p.Log.Info("a new TLS certificate is in use", "not_after", next.Leaf.NotAfter)
	return p.used
}
