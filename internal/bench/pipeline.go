package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"

	"selvedge/simulator"
)

// The load of the pipeline. The simulator publishes four events a second and a
// new ingestion reaches back 6 hours, so they are made in parts of 3.5 hours
// that overlap.
const (
	pipelineEvents   = 100_000
	pipelinePart     = 50_000
	pipelinePatience = 2 * time.Minute
	pipelineTenant   = "acme.okta.com"
	pipelineBucket   = "audit-logs"
)

// pipeline lets the real server collect what the simulated provider has, until
// every event is in a raw and in an OCSF file.
func pipeline(ctx context.Context, b *bench) ([]row, error) {
	b.say("pipeline: generating %d events", pipelineEvents)
	sim, size, err := simulated(pipelineEvents)
	if err != nil {
		return nil, err
	}
	origins, stop, err := listen(ctx, sim)
	if err != nil {
		return nil, err
	}
	defer stop()
	s, err := b.serve(ctx, filepath.Join(b.dir, "pipeline"), "--origins", "https://"+pipelineTenant+"="+origins, "--poll-interval", "1s")
	if err != nil {
		return nil, err
	}
	b.say("pipeline: collecting")
	took, err := collect(ctx, s, sim)
	if err != nil {
		return nil, errors.Join(err, s.kill())
	}
	memory := s.peakMemory()
	if err := s.stop(); err != nil {
		return nil, err
	}
	cpu := cpuOf(s.cmd.ProcessState)
	return []row{
		{
			name: "delivered", unit: "events/s", values: series{rate(pipelineEvents, took)},
			note: fmt.Sprintf("%d events, each into an OCSF and a raw file; the simulator takes its share of the same CPUs", pipelineEvents),
		},
		{name: "delivered", unit: "MB/s of input", values: series{float64(size) / 1e6 / took.Seconds()}},
		{name: "CPU of the server", unit: "s per 1,000 events", values: series{cpu.Seconds() / pipelineEvents * 1000}},
		{name: "delivered", unit: "events/CPU-s", values: series{rate(pipelineEvents, cpu)}},
		{name: "peak memory", unit: "MiB", values: memory, target: atMost(96)},
	}, nil
}

// simulated is applications that have published so many events of Okta's, of
// size bytes.
func simulated(events int) (sim *simulator.Server, size int64, err error) {
	sim = simulator.New(simulator.Options{Seed: corpusSeed, Okta: simulator.OktaOptions{PerMinute: -1}})
	for ; events > 0; events -= pipelinePart {
		var part []simulator.Event
		for _, record := range sim.Okta().Generate(min(events, pipelinePart)) {
			part = append(part, simulator.Event{Raw: record})
			size += int64(len(record))
		}
		if err := sim.Okta().Add(part...); err != nil {
			return nil, 0, err
		}
	}
	return sim, size, nil
}

// listen serves the simulated applications and returns the origin of the
// simulated Okta.
func listen(ctx context.Context, sim *simulator.Server) (origin string, stop func(), err error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	s := &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // ends with Close
	return "http://okta.localhost:" + port, func() { _ = s.Close() }, nil
}

// collect connects the provider, makes both destinations and returns the time
// from the first of them to the last event in its file.
func collect(ctx context.Context, s *server, sim *simulator.Server) (time.Duration, error) {
	c := s.client()
	bundle, err := bundleOf(ctx, c)
	if err != nil {
		return 0, err
	}
	if err := connect(ctx, c, sim, bundle, pipelineTenant); err != nil {
		return 0, err
	}
	ingestion, err := ingestionOf(ctx, c, bundle, pipelineTenant)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for _, schema := range []types.Schema{types.SchemaOcsf, types.SchemaRaw} {
		if err := destine(ctx, c, bundle, ingestion, schema); err != nil {
			return 0, err
		}
	}
	root := filepath.Join(s.dir, "buckets", pipelineBucket)
	err = delivered(ctx, pipelineEvents, newTally(filepath.Join(root, "ocsf")), newTally(filepath.Join(root, "raw")))
	return time.Since(began), err
}

// client calls the API as an SDK does.
func (s *server) client() *appfabric.Client {
	return appfabric.New(appfabric.Options{
		Region: region, BaseEndpoint: aws.String(s.url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return s.key, nil }),
	})
}

func bundleOf(ctx context.Context, c *appfabric.Client) (*string, error) {
	made, err := c.CreateAppBundle(ctx, &appfabric.CreateAppBundleInput{})
	if err != nil {
		return nil, err
	}
	return made.AppBundle.Arn, nil
}

// destine makes a destination of an ingestion in the folder of its schema.
func destine(ctx context.Context, c *appfabric.Client, bundle, ingestion *string, schema types.Schema) error {
	_, err := c.CreateIngestionDestination(ctx, &appfabric.CreateIngestionDestinationInput{
		AppBundleIdentifier: bundle, IngestionIdentifier: ingestion,
		ProcessingConfiguration: &types.ProcessingConfigurationMemberAuditLog{Value: types.AuditLogProcessingConfiguration{Schema: schema, Format: types.FormatJson}},
		DestinationConfiguration: &types.DestinationConfigurationMemberAuditLog{Value: types.AuditLogDestinationConfiguration{
			Destination: &types.DestinationMemberS3Bucket{Value: types.S3Bucket{BucketName: aws.String(pipelineBucket), Prefix: aws.String(string(schema))}},
		}},
	})
	return err
}

// connect makes a tenant's authorization and consents to it as a person would.
func connect(ctx context.Context, c *appfabric.Client, sim *simulator.Server, bundle *string, tenant string) error {
	id, secret := sim.Okta().Client()
	auth, err := c.CreateAppAuthorization(ctx, &appfabric.CreateAppAuthorizationInput{
		AppBundleIdentifier: bundle, App: aws.String("OKTA"), AuthType: types.AuthTypeOauth2,
		Credential: &types.CredentialMemberOauth2Credential{Value: types.Oauth2Credential{ClientId: &id, ClientSecret: &secret}},
		Tenant:     &types.Tenant{TenantIdentifier: &tenant, TenantDisplayName: aws.String("Acme")},
	})
	if err != nil {
		return err
	}
	back, err := sim.Okta().Approve(ctx, simulator.Client(), aws.ToString(auth.AppAuthorization.AuthUrl))
	if err != nil {
		return err
	}
	redirect, err := url.Parse(back)
	if err != nil {
		return err
	}
	connected, err := c.ConnectAppAuthorization(ctx, &appfabric.ConnectAppAuthorizationInput{
		AppBundleIdentifier: bundle, AppAuthorizationIdentifier: auth.AppAuthorization.AppAuthorizationArn,
		AuthRequest: &types.AuthRequest{
			RedirectUri: aws.String(redirect.Scheme + "://" + redirect.Host + redirect.Path), Code: aws.String(redirect.Query().Get("code")),
		},
	})
	if err != nil {
		return err
	}
	if status := connected.AppAuthorizationSummary.Status; status != types.AppAuthorizationStatusConnected {
		return fmt.Errorf("the authorization is %s", status)
	}
	return nil
}

// delivered waits until each tally has all events, and sees that none has more.
func delivered(ctx context.Context, events int, tallies ...*tally) error {
	ctx, cancel := context.WithTimeout(ctx, pipelinePatience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		complete := true
		for _, t := range tallies {
			if err := t.count(); err != nil {
				return err
			}
			if t.lines > events {
				return fmt.Errorf("%d lines below %s for %d events", t.lines, t.root, events)
			}
			complete = complete && t.lines == events
		}
		if complete {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d events are below %s: %w", tallies[0].lines, events, tallies[0].root, ctx.Err())
		}
	}
}

// tally counts the lines of the files below a folder, each file once: an object
// appears whole and does not change.
type tally struct {
	root  string
	seen  map[string]bool
	lines int
}

func newTally(root string) *tally { return &tally{root: root, seen: map[string]bool{}} }

func (t *tally) count() error {
	err := filepath.WalkDir(t.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || t.seen[path] || strings.HasPrefix(e.Name(), ".") {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		t.seen[path] = true
		t.lines += bytes.Count(body, []byte{'\n'})
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the first object, or an unfinished file that has its name now
	}
	return err
}
