package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/internal/config"
	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/simulator"
)

// demoCmd runs the server with simulated applications.
type demoCmd struct {
	config.Flags
	Apps []string `default:"OKTA,TERRAFORMCLOUD" help:"Simulated applications to connect, by their names between commas; or all." placeholder:"APP,..."`
	Once bool     `help:"Stop after the first events are delivered."`
}

// The demonstration.
const (
	demoRegion   = "us-east-1"
	demoBucket   = "demo-audit-logs"
	demoEvents   = 200              // that each application has at the start
	demoInterval = 2 * time.Second  // between polls, where nothing else is set
	demoPatience = 60 * time.Second // for a connection, and for the first objects
)

// Run serves, connects the simulated applications through the same calls that
// the API makes, and shows where the events are.
func (c demoCmd) Run(ctx context.Context, w world) error {
	s, warnings, err := settings(c.Flags, w)
	if err != nil {
		return err
	}
	if c.PollInterval == nil {
		s.PollInterval = demoInterval
	}
	if s.BucketsS3 {
		return errors.New("demo shows files: leave --buckets-url out, or set it to file:// and a folder")
	}
	log := logger(w.stderr, s)
	for _, warning := range warnings {
		log.Warn(warning)
	}
	sim, err := startSimulator(ctx, "127.0.0.1:0", simulator.Options{
		Seed: rand.Uint64(), // a second run over the same data shows records of its own
		Log:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	apps, err := demoApps(sim.server, c.Apps)
	if err != nil {
		return errors.Join(err, sim.close())
	}
	setting, err := sim.origins()
	if err != nil {
		return errors.Join(err, sim.close())
	}
	origins, err := outbound.ParseOrigins(setting)
	if err != nil {
		return errors.Join(err, sim.close())
	}
	s.Origins = append(origins, s.Origins...)
	v, err := newServer(ctx, s, log)
	if err != nil {
		return errors.Join(err, sim.close())
	}
	d := &demo{v: v, sim: sim, apps: apps, started: time.Now(), caller: fabric.Caller{
		Account: s.AccountID, Region: demoRegion, AccessKeyID: v.root.ID,
	}}
	rested := d.rest(ctx) // looked at below, where all is stopped
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- v.run(ctx) }()
	if err = rested; err == nil {
		err = c.show(ctx, w.stdout, d)
	}
	if err != nil || c.Once {
		stop()
	}
	return errors.Join(err, <-ended, sim.close())
}

// show runs the demonstration and prints it.
func (c demoCmd) show(ctx context.Context, out io.Writer, d *demo) error {
	if !c.Once {
		if err := greet(out, d.v); err != nil {
			return err
		}
	}
	bundle, err := d.bundle(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "App bundle      %s\n", bundle.ARN())
	ingestions := make(map[string]fabric.Ingestion)
	for _, app := range d.apps {
		ing, err := d.collect(ctx, bundle, app)
		if err != nil {
			return fmt.Errorf("demo: %s: %w", app.App, err)
		}
		ingestions[app.App] = ing
		fmt.Fprintf(out, "%-15s connected and collecting: %s\n", app.App, ing.ARN())
	}
	for _, app := range d.apps {
		files, err := d.delivered(ctx, ingestions[app.App], len(app.schemas))
		if err != nil {
			return fmt.Errorf("demo: %s: %w", app.App, err)
		}
		for _, f := range files {
			fmt.Fprintf(out, "%-15s %s\n", app.App, f)
		}
	}
	if !c.Once {
		fmt.Fprintf(out, "\nThe server goes on serving; the simulated applications get new events every few seconds. Stop it with Ctrl-C.\n"+
			"Look at them in the console, %s: sign in with the access key in %s\n", d.v.consoleURL(), credentialsFile(d.v.settings))
		for _, app := range d.apps {
			if err := d.sim.server.Trickle(app.App, liveliness); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
		}
	}
	return nil
}

// demo is a demonstration under way.
type demo struct {
	v       *server
	sim     *simulation
	apps    []demoApp
	caller  fabric.Caller
	started time.Time
}

// demoApp is one simulated application, and what is delivered of it.
type demoApp struct {
	simulator.Account
	schemas []fabric.Schema
}

// demoApps finds the applications by their names, "all" for all of them, each
// behind the one that it requires. What has no mapping is delivered raw.
func demoApps(sim *simulator.Server, names []string) ([]demoApp, error) {
	known := make(map[string]connector.App)
	for _, app := range all.Apps() {
		if slices.Contains(sim.Names(), app.Name) && app.HasConnector() {
			known[app.Name] = app
		}
	}
	if len(names) == 1 && strings.EqualFold(names[0], "all") {
		names = slices.Sorted(maps.Keys(known))
	}
	var apps []demoApp
	for _, name := range names {
		app, ok := known[strings.ToUpper(strings.TrimSpace(name))]
		if !ok {
			return nil, fmt.Errorf("demo: --apps: no simulated application is called %q: want all, or of %s",
				name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		for _, name := range []string{app.Requires, app.Name} {
			if name == "" || slices.ContainsFunc(apps, func(a demoApp) bool { return a.App == name }) {
				continue
			}
			account, err := sim.Account(name)
			if err != nil {
				return nil, fmt.Errorf("demo: %w", err)
			}
			schemas := []fabric.Schema{fabric.SchemaRaw}
			if known[name].HasMapping() {
				schemas = []fabric.Schema{fabric.SchemaOCSF, fabric.SchemaRaw}
			}
			apps = append(apps, demoApp{account, schemas})
		}
	}
	return apps, nil
}

// credential is what the application is connected with.
func (a demoApp) credential() fabric.Credential {
	if a.APIKey != "" {
		return fabric.Credential{APIKey: fabric.Secret(a.APIKey)}
	}
	return fabric.Credential{ClientID: a.ClientID, ClientSecret: fabric.Secret(a.ClientSecret)}
}

// bundle returns the first bundle, made where there is none: a demonstration
// may be run again over the same data directory.
func (d *demo) bundle(ctx context.Context) (fabric.AppBundle, error) {
	page, err := d.v.control.ListAppBundles(ctx, d.caller, control.Paging{})
	if err != nil || len(page.Items) > 0 {
		return first(page.Items), err
	}
	return d.v.control.CreateAppBundle(ctx, d.caller, control.CreateAppBundleInput{})
}

// rest stops what an earlier run left collecting: the simulated applications were
// started anew and know nothing of its grants, so that until each is connected again
// its calls would be refused, and take the turns of those that connect it.
func (d *demo) rest(ctx context.Context) error {
	b, err := d.bundle(ctx)
	if err != nil {
		return err
	}
	page, err := d.v.control.ListIngestions(ctx, d.caller, b.ID, control.Paging{})
	for _, i := range page.Items {
		if i.State == fabric.Enabled && slices.ContainsFunc(d.apps, func(a demoApp) bool { return a.App == i.App }) {
			err = errors.Join(err, d.v.control.StopIngestion(ctx, d.caller, b.ID, i.ID))
		}
	}
	return err
}

func first[T any](items []T) (zero T) {
	if len(items) > 0 {
		return items[0]
	}
	return zero
}

// collect makes and connects an authorization, and an ingestion with a
// destination of each schema.
func (d *demo) collect(ctx context.Context, b fabric.AppBundle, app demoApp) (fabric.Ingestion, error) {
	if _, err := d.sim.server.Emit(app.App, demoEvents, 0); err != nil {
		return fabric.Ingestion{}, err
	}
	auth, err := d.authorization(ctx, b, app)
	if err != nil {
		return fabric.Ingestion{}, err
	}
	if err := d.connect(ctx, auth, app); err != nil {
		return fabric.Ingestion{}, err
	}
	ing, made, err := d.ingestion(ctx, b, app)
	if err == nil && !made && ing.State == fabric.Disabled {
		err = d.v.control.StartIngestion(ctx, d.caller, b.ID, ing.ID)
	}
	if err != nil || !made {
		return ing, err
	}
	for _, schema := range app.schemas {
		_, err := d.v.control.CreateIngestionDestination(ctx, d.caller, control.CreateIngestionDestinationInput{
			Bundle: b.ID, Ingestion: ing.ID,
			Processing: fabric.Processing{Schema: schema, Format: fabric.FormatJSON},
			Place:      fabric.Place{Bucket: demoBucket, Prefix: string(schema)},
		})
		if err != nil {
			return ing, err
		}
	}
	return ing, nil
}

func (d *demo) authorization(ctx context.Context, b fabric.AppBundle, app demoApp) (fabric.AppAuthorization, error) {
	page, err := d.v.control.ListAppAuthorizations(ctx, d.caller, b.ID, control.Paging{})
	if err != nil {
		return fabric.AppAuthorization{}, err
	}
	credential := app.credential()
	for _, a := range page.Items {
		if a.App != app.App {
			continue
		}
		// The simulated application was started anew and knows nothing of the
		// old grant: the same credential is given again.
		return d.v.control.UpdateAppAuthorization(ctx, d.caller, control.UpdateAppAuthorizationInput{
			Bundle: b.ID, Authorization: a.ID, Credential: &credential,
		})
	}
	return d.v.control.CreateAppAuthorization(ctx, d.caller, control.CreateAppAuthorizationInput{
		Bundle: b.ID, App: app.App, Tenant: fabric.Tenant{Identifier: app.Tenant, DisplayName: "Demo"},
		AuthType: credential.Type(), Credential: credential,
	})
}

// connect consents as a person would: in a browser, over HTTP, back to this
// server's own callback.
func (d *demo) connect(ctx context.Context, a fabric.AppAuthorization, app demoApp) error {
	if app.Consent {
		client := simulator.Client()
		back, err := d.sim.server.Approve(ctx, app.App, client, a.AuthURL)
		if err != nil {
			return err
		}
		if err := visit(ctx, client, back); err != nil {
			return err
		}
	} else if _, err := d.v.control.ConnectAppAuthorization(ctx, d.caller, control.ConnectInput{Bundle: a.BundleID, Authorization: a.ID}); err != nil {
		return err
	}
	return d.connected(ctx, a)
}

// connected waits for a connection. One may go on for a while after its call: over an
// older data directory its turn at the provider is behind the calls of the last run.
func (d *demo) connected(ctx context.Context, a fabric.AppAuthorization) error {
	return patiently(ctx, func(ctx context.Context) (bool, error) {
		now, err := d.v.control.GetAppAuthorization(ctx, d.caller, a.BundleID, a.ID)
		if err == nil && now.Status != fabric.Connected {
			return false, fmt.Errorf("the authorization is %s: %s", now.Status, now.Reason)
		}
		return err == nil, err
	})
}

// patiently repeats a look until it sees what it waits for. When patience ends, it is
// with what the last look did not like.
func patiently(ctx context.Context, look func(context.Context) (bool, error)) error {
	over := time.NewTimer(demoPatience)
	defer over.Stop()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		seen, err := look(ctx)
		if seen {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-over.C:
			return errors.Join(err, fmt.Errorf("nothing more within %v: the log has more", demoPatience))
		case <-again.C:
		}
	}
}

func visit(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return errors.Join(err, res.Body.Close())
}

func (d *demo) ingestion(ctx context.Context, b fabric.AppBundle, app demoApp) (ing fabric.Ingestion, made bool, err error) {
	page, err := d.v.control.ListIngestions(ctx, d.caller, b.ID, control.Paging{})
	if err != nil {
		return fabric.Ingestion{}, false, err
	}
	for _, i := range page.Items {
		if i.App == app.App {
			return i, false, nil
		}
	}
	ing, err = d.v.control.CreateIngestion(ctx, d.caller, control.CreateIngestionInput{
		Bundle: b.ID, App: app.App, TenantID: app.Tenant, Type: fabric.IngestionTypeAuditLog,
	})
	return ing, true, err
}

// delivered waits until all destinations of an ingestion have an object, and
// returns the newest of each.
func (d *demo) delivered(ctx context.Context, ing fabric.Ingestion, destinations int) ([]string, error) {
	var files []string
	err := patiently(ctx, func(context.Context) (seen bool, err error) {
		files, err = objects(filepath.Join(d.v.settings.BucketsDir, demoBucket), ing.ID, d.started)
		if err == nil && len(files) < destinations {
			err = fmt.Errorf("%d of %d destinations have an object", len(files), destinations)
		}
		return err == nil, err
	})
	return files, err
}

// objects returns the newest object of each schema that an ingestion delivered
// since the given time.
func objects(root, ingestionID string, since time.Time) ([]string, error) {
	newest := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(e.Name(), ".") || !strings.Contains(path, ingestionID) {
			return err
		}
		if info, err := e.Info(); err != nil || info.ModTime().Before(since) {
			return err
		}
		schema, _, _ := strings.Cut(strings.TrimPrefix(path, root+string(filepath.Separator)), string(filepath.Separator))
		newest[schema] = max(newest[schema], path)
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var files []string
	for _, schema := range []fabric.Schema{fabric.SchemaOCSF, fabric.SchemaRaw} {
		if f := newest[string(schema)]; f != "" {
			files = append(files, f)
		}
	}
	return files, err
}
