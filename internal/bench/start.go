package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// starts is how often each kind of start is measured.
const starts = 9

// started is one start, in milliseconds from the start of the process.
type started struct {
	health float64 // until /healthz was answered
	list   float64 // until an API request was answered, sent when /healthz had been
	cpu    float64 // of the process's whole life, its end included
}

// start measures first and second starts in turn.
func start(ctx context.Context, b *bench) ([]row, error) {
	var first, second []started
	var synced series
	for i := range starts {
		dir := filepath.Join(b.dir, fmt.Sprintf("start-%d", i))
		for _, kind := range []*[]started{&first, &second} {
			s, err := b.startOnce(ctx, dir)
			if err != nil {
				return nil, fmt.Errorf("start %d: %w", i, err)
			}
			*kind = append(*kind, s)
		}
		s, err := syncTime(b.dir)
		if err != nil {
			return nil, err
		}
		synced = append(synced, s)
	}
	rows := append(startRows("first start", first), startRows("second start", second)...)
	rows[0].note = "an empty data directory: database, master key and access key are made; the target is the goal, the limit is 100 ms"
	rows[2].note = "of all CPUs until the process has ended; tells a slow start from a busy machine"
	return append(rows, row{name: "one fsync of this disk", unit: "ms", values: synced, note: "4 KiB appended and synced; a first start waits for about twenty"}), nil
}

func startRows(name string, all []started) []row {
	var health, list, cpu series
	for _, s := range all {
		health, list, cpu = append(health, s.health), append(list, s.list), append(cpu, s.cpu)
	}
	return []row{
		{name: name + ", /healthz", unit: "ms", values: health, target: atMost(60)},
		{name: name + ", ListAppBundles", unit: "ms", values: list, target: atMost(60)},
		{name: name + ", CPU", unit: "ms", values: cpu},
	}
}

// startOnce starts a server over a data directory, asks it and stops it.
func (b *bench) startOnce(ctx context.Context, dir string) (started, error) {
	s, err := b.serve(ctx, dir)
	if err != nil {
		return started{}, err
	}
	if err := listOnce(ctx, s); err != nil {
		return started{}, errors.Join(err, s.kill())
	}
	answered := time.Since(s.began)
	if err := s.stop(); err != nil {
		return started{}, err
	}
	return started{millis(s.healthy), millis(answered), millis(cpuOf(s.cmd.ProcessState))}, nil
}

func listOnce(ctx context.Context, s *server) error {
	c, err := newCall(ctx, s.key, http.MethodGet, s.url+"/appbundles", nil)
	if err != nil {
		return err
	}
	req, err := c.request(ctx, c.url)
	if err != nil {
		return err
	}
	_, err = do(&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, req)
	return err
}

// syncTime is the median time, in milliseconds, that the disk takes to keep
// 4 KiB more of a file.
func syncTime(dir string) (float64, error) {
	f, err := os.CreateTemp(dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var times series
	page := make([]byte, 4096)
	for range 15 {
		began := time.Now()
		if _, err := f.Write(page); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		times = append(times, millis(time.Since(began)))
	}
	return times.median(), nil
}
