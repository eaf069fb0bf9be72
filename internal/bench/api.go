package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The load.
const (
	apiRounds  = 3
	apiTime    = 1200 * time.Millisecond // of one measure
	apiClients = 16                      // connections, each with one request under way
	apiPage    = 100
	apiReads   = 1_000  // different authorizations that are read
	apiCreates = 10_000 // signed for one measure; it ends when they are used up
)

// loadResult is what one measure gave.
type loadResult struct {
	requests, perSecond float64
	p50, p99            float64 // milliseconds
	cpu                 float64 // milliseconds of the server's for each request; NaN where the system does not tell
}

// api measures while the database grows to the number that the targets are
// about.
func api(ctx context.Context, b *bench) ([]row, error) {
	return b.databases(ctx, []int{10, 1_000, 10_000}, true)
}

// scale goes on to a number that takes minutes to create.
func scale(ctx context.Context, b *bench) ([]row, error) {
	return b.databases(ctx, []int{10, 1_000, 100_000}, false)
}

// databases measures on each database, at each number of authorizations.
func (b *bench) databases(ctx context.Context, sizes []int, create bool) ([]row, error) {
	hello, err := b.hello(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := b.onSQLite(ctx, hello, sizes, create)
	if err == nil {
		var more []row
		more, err = b.onPostgreSQL(ctx, hello, sizes, create)
		rows = append(rows, more...)
	}
	return rows, errors.Join(err, hello.stop())
}

func (b *bench) onSQLite(ctx context.Context, hello *helloServer, sizes []int, create bool) ([]row, error) {
	s, err := b.serve(ctx, b.folder())
	if err != nil {
		return nil, err
	}
	l := &loads{b: b, s: s, database: "SQLite", hello: hello}
	if err := l.grow(ctx, sizes, create); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return l.rows, s.stop()
}

// loads is the measures of one server.
type loads struct {
	b        *bench
	s        *server
	hello    *helloServer
	database string
	settle   func(context.Context) error // brings the database to where it will be in a while; nil: it is
	bundle   string
	ids      []string // of its authorizations
	rows     []row
}

// grow creates authorizations through the API until there are as many as each
// size says, and measures reading there; at the last size creating too.
func (l *loads) grow(ctx context.Context, sizes []int, create bool) error {
	var err error
	if l.bundle, err = newBundle(ctx, l.s); err != nil {
		return fmt.Errorf("CreateAppBundle: %w", err)
	}
	for i, size := range sizes {
		l.b.say("%s: creating %d authorizations", l.database, size-len(l.ids))
		if err := l.fill(ctx, size); err != nil {
			return fmt.Errorf("CreateAppAuthorization: %w", err)
		}
		if l.settle != nil {
			if err := l.settle(ctx); err != nil {
				return err
			}
		}
		if err := l.measure(ctx, create && i == len(sizes)-1); err != nil {
			return err
		}
	}
	return nil
}

// operation is what one measure sends.
type operation struct {
	name   string
	base   string // of the server that it is sent to
	calls  []call
	once   bool
	target float64
	note   string
}

// measure sends each operation in turn, and the bare server the same reads.
func (l *loads) measure(ctx context.Context, create bool) error {
	gets, err := l.gets(ctx)
	if err != nil {
		return err
	}
	pages, err := l.pages(ctx)
	if err != nil {
		return fmt.Errorf("ListAppAuthorizations: %w", err)
	}
	var operations []operation
	results := map[string][]loadResult{}
	for round := range apiRounds {
		operations = []operation{
			{name: bare, base: l.hello.url, calls: gets},
			{name: "GetAppAuthorization", base: l.s.url, calls: gets, target: 8_000, note: "with a fresh authUrl; anchor: PocketBase 0.36.8, no signatures, idle machine: 4,890"},
			{
				name: "ListAppAuthorizations", base: l.s.url, calls: pages, target: 2_800,
				note: fmt.Sprintf("pages of up to %d, each in its turn; anchor: PocketBase 684", apiPage),
			},
		}
		if create {
			calls, err := l.creates(ctx, round)
			if err != nil {
				return err
			}
			operations = append(operations, operation{
				name: "CreateAppAuthorization", base: l.s.url, calls: calls, once: true, target: 3_200,
				note: "sealed, and on the disk when it answers; anchors: PocketBase 3,130 (not synced), moto 230",
			})
		}
		for _, op := range operations {
			l.b.say("%s, %s authorizations: round %d of %d: %s", l.database, number(float64(len(l.ids))), round+1, apiRounds, op.name)
			r, err := l.load(ctx, op)
			if err != nil {
				return fmt.Errorf("%s: %w", op.name, err)
			}
			results[op.name] = append(results[op.name], r)
		}
	}
	l.rows = append(l.rows, apiRows(l.database, len(l.ids), operations[1:], results)...)
	return nil
}

// load is one measure of one operation.
func (l *loads) load(ctx context.Context, op operation) (loadResult, error) {
	process := l.s.cmd.Process.Pid
	if op.base == l.hello.url {
		process = l.hello.cmd.Process.Pid
	}
	before := cpuSeconds(process)
	r, err := loadOnce(ctx, op.calls, l.s.url, op.base, op.once)
	r.cpu = (cpuSeconds(process) - before) * 1000 / r.requests
	return r, err
}

// bare is the peer of all operations.
const bare = "bare"

// apiRows are the figures at one size. The targets are about databases that are not small.
func apiRows(database string, size int, operations []operation, results map[string][]loadResult) []row {
	of := func(name string, figure func(loadResult) float64) series {
		var s series
		for _, r := range results[name] {
			s = append(s, figure(r))
		}
		return s
	}
	perSecond := func(r loadResult) float64 { return r.perSecond }
	cpu := func(r loadResult) float64 { return r.cpu }
	var rows []row
	for _, op := range operations {
		name := fmt.Sprintf("%s, %s: %s", database, number(float64(size)), op.name)
		first := row{name: name, unit: "requests/s", values: of(op.name, perSecond), peer: bare, peerValues: of(bare, perSecond)}
		if size >= 10_000 {
			first.target, first.note = atLeast(op.target), op.note
		}
		rows = append(rows, first,
			row{name: name + ", p50", unit: "ms", values: of(op.name, func(r loadResult) float64 { return r.p50 })},
			row{name: name + ", p99", unit: "ms", values: of(op.name, func(r loadResult) float64 { return r.p99 })},
			row{name: name + ", CPU", unit: "ms", values: of(op.name, cpu), peer: bare, peerValues: of(bare, cpu)},
		)
	}
	return rows
}

// loadOnce sends calls made for one server to it or to another, until the time
// is up, or once each.
func loadOnce(ctx context.Context, calls []call, from, to string, once bool) (loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	times, errs := make([]series, apiClients), make([]error, apiClients)
	began := time.Now()
	send := func() (float64, bool, error) {
		n := int(next.Add(1)) - 1
		if time.Since(began) >= apiTime || once && n >= len(calls) {
			return 0, false, nil
		}
		c := calls[n%len(calls)]
		req, err := c.request(ctx, to+strings.TrimPrefix(c.url, from))
		if err != nil {
			return 0, false, err
		}
		sent := time.Now()
		_, err = do(client, req)
		return millis(time.Since(sent)), true, err
	}
	var wait sync.WaitGroup
	for i := range apiClients {
		wait.Go(func() {
			for {
				took, more, err := send()
				if !more || err != nil {
					errs[i] = err
					return
				}
				times[i] = append(times[i], took)
			}
		})
	}
	wait.Wait()
	elapsed := time.Since(began)
	var all series
	for _, t := range times {
		all = append(all, t...)
	}
	return loadResult{
		requests: float64(len(all)), perSecond: rate(len(all), elapsed), p50: all.percentile(50), p99: all.percentile(99),
	}, errors.Join(errs...)
}
