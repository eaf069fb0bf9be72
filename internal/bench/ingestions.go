package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"

	"selvedge/simulator"
)

// ingestionsEvents is what all ingestions of a measure deliver together, so that
// the measures differ in nothing but their number.
const ingestionsEvents = 50_000

// ingestions collects the same number of events through more and more
// ingestions, each of a tenant of its own.
func ingestions(ctx context.Context, b *bench) ([]row, error) {
	var rows []row
	for _, n := range []int{1, 10, 50, 100, 1_000} {
		more, err := b.ingest(ctx, "SQLite", nil, n)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	on, err := b.withPostgreSQL(ctx, func(ctx context.Context, p postgres) ([]row, error) {
		return b.ingest(ctx, "PostgreSQL", p.env(), 50)
	})
	return append(rows, on...), err
}

// ingest measures n ingestions on a server of their own, from the first
// destination that is made until each event is in a file of each ingestion.
func (b *bench) ingest(ctx context.Context, database string, env []string, n int) ([]row, error) {
	sim, _, err := simulated(ingestionsEvents / n)
	if err != nil {
		return nil, err
	}
	origins, stop, err := listen(ctx, sim)
	if err != nil {
		return nil, err
	}
	defer stop()
	s, err := b.serveWith(ctx, b.folder(), env, "--origins", "https://*.okta.com="+origins)
	if err != nil {
		return nil, err
	}
	b.say("ingestions: %s, connecting %d", database, n)
	f := fleet{client: s.client(), sim: sim, arns: make([]*string, n)}
	if err := f.connect(ctx); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	b.say("ingestions: %s, %d collect %d events", database, n, ingestionsEvents)
	cpu, began := cpuSeconds(s.cmd.Process.Pid), time.Now()
	err = f.each(ctx, func(ctx context.Context, i int) error {
		return destine(ctx, f.client, f.bundle, f.arns[i], types.SchemaOcsf)
	})
	if err == nil {
		err = delivered(ctx, ingestionsEvents, newTally(filepath.Join(s.dir, "buckets", pipelineBucket, "ocsf")))
	}
	if err != nil {
		return nil, errors.Join(err, s.kill())
	}
	took := time.Since(began)
	cpu = cpuSeconds(s.cmd.Process.Pid) - cpu
	name := fmt.Sprintf("%s, %s", database, group(fmt.Sprint(n)))
	rows := []row{
		{name: name, unit: "events/s", values: series{rate(ingestionsEvents, took)}},
		{name: name, unit: "CPU-s of the server per 1,000 events", values: series{cpu / ingestionsEvents * 1000}},
		{name: name, unit: "MiB, peak memory", values: s.peakMemory()},
	}
	return rows, s.stop()
}

// fleet is ingestions of one bundle.
type fleet struct {
	client *appfabric.Client
	sim    *simulator.Server
	bundle *string
	arns   []*string // of the ingestions
}

// connect makes the bundle, and an authorization and an ingestion of each tenant.
func (f *fleet) connect(ctx context.Context) (err error) {
	if f.bundle, err = bundleOf(ctx, f.client); err != nil {
		return err
	}
	return f.each(ctx, func(ctx context.Context, i int) error {
		tenant := fmt.Sprintf("tenant-%d.okta.com", i)
		if err := connect(ctx, f.client, f.sim, f.bundle, tenant); err != nil {
			return err
		}
		var err error
		f.arns[i], err = ingestionOf(ctx, f.client, f.bundle, tenant)
		return err
	})
}

// each does something for each ingestion, some of them at once.
func (f *fleet) each(ctx context.Context, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var next atomic.Int64
	errs := make([]error, apiClients)
	var wait sync.WaitGroup
	for w := range errs {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(f.arns)) && errs[w] == nil; i = next.Add(1) - 1 {
				if errs[w] = do(ctx, int(i)); errs[w] != nil {
					cancel()
				}
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// ingestionOf makes a tenant's ingestion.
func ingestionOf(ctx context.Context, c *appfabric.Client, bundle *string, tenant string) (*string, error) {
	made, err := c.CreateIngestion(ctx, &appfabric.CreateIngestionInput{
		AppBundleIdentifier: bundle, App: aws.String("OKTA"), TenantId: aws.String(tenant), IngestionType: types.IngestionTypeAuditLog,
	})
	if err != nil {
		return nil, err
	}
	return made.Ingestion.Arn, nil
}
