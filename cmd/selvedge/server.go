package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"selvedge/connector/all"
	"selvedge/internal/audit"
	"selvedge/internal/certificate"
	"selvedge/internal/config"
	"selvedge/internal/console"
	"selvedge/internal/control"
	"selvedge/internal/doctor"
	"selvedge/internal/job"
	"selvedge/internal/metric"
	"selvedge/internal/outbound"
	"selvedge/internal/pipeline"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/store"
	"selvedge/internal/token"
	"selvedge/internal/wire"
)

// The times of a server's life.
const (
	lease     = 5 * time.Second  // of duties: how long they outlive a killed process
	stopGrace = 30 * time.Second // for requests and duties under way; a connection takes up to 25
)

// server is everything that serve runs.
type server struct {
	settings   config.Settings
	log        *slog.Logger
	store      *store.Store
	metrics    *metric.Metrics
	trail      *audit.Trail // nil: none is kept
	tokens     *token.Manager
	control    *control.Control
	dispatcher *job.Dispatcher
	pair       *certificate.Pair // nil: no TLS
	listener   net.Listener
	scrapes    *scrapes // nil: the metrics are at listener too
	http       *http.Server
	root       sigv4.Key
	url        string // public, without a slash at the end
	instance   string // name of the installation, which answers of /healthz have
}

// newServer takes the data directory and the port. Nothing is served yet.
func newServer(ctx context.Context, s config.Settings, log *slog.Logger) (*server, error) {
	if err := dataDir(s.DataDir); err != nil {
		return nil, err
	}
	v := &server{settings: s, log: log, metrics: metric.New()}
	if err := v.open(ctx); err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

func (v *server) open(ctx context.Context) error {
	var err error
	v.store, err = store.Open(ctx, store.Options{
		URL: v.settings.DatabaseURL.Reveal(), Path: filepath.Join(v.settings.DataDir, "selvedge.db"),
	})
	if err != nil {
		return err
	}
	if v.trail, err = openTrail(v.settings.TrailFile); err != nil {
		return err
	}
	keys, seed, err := v.keys(ctx)
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	if v.settings.TLSCert != "" {
		v.pair, err = certificate.Open(certificate.Options{Cert: v.settings.TLSCert, Key: v.settings.TLSKey, Now: time.Now, Log: v.log})
		if err != nil {
			return err
		}
	}
	if v.listener, err = lc.Listen(ctx, "tcp", v.settings.Listen); err != nil {
		return fmt.Errorf("%w: choose another address with --listen", err)
	}
	if v.scrapes, err = listenForScrapes(ctx, v.settings.MetricsListen, v.metrics, v.log); err != nil {
		return err
	}
	v.url = v.settings.PublicURLAt(v.listener.Addr())
	to, err := openPlaces(ctx, v.settings, v.log)
	if err != nil {
		return err
	}
	if err := v.wire(keys, seed, to); err != nil {
		return err
	}
	if err := v.restored(ctx); err != nil {
		return err
	}
	return v.tokens.Replay(ctx)
}

// restored tells, at the first start over a backup, what the server cannot know.
func (v *server) restored(ctx context.Context) error {
	m, ok, err := v.store.Restored(ctx)
	if ok {
		v.log.WarnContext(ctx, "the database is a backup: what was collected since is collected again, as far as the providers still have it. "+
			"Objects in buckets with a later time in their names than the newest will be there twice unless they are moved away; "+
			"authorizations whose tokens were refreshed since may have to be connected again (docs/running.md)", "as_of", m.At, "newest", m.Newest)
	}
	return err
}

// keys finds the master keys and the root key, or makes them at the first start.
// Beside a database that replicas share nothing is invented: each of them would
// have its own. The root key is written before the database is marked as in use,
// so that a start that is cut off is a first start again.
func (v *server) keys(ctx context.Context) (*secret.Keyring, secret.Seed, error) {
	check, err := v.store.Meta(ctx, store.MetaMasterCheck)
	fresh := errors.Is(err, store.ErrNotFound)
	if err != nil && !fresh {
		return nil, secret.Seed{}, err
	}
	masters, made, err := masterKeys(v.settings, check)
	if err != nil {
		return nil, secret.Seed{}, err
	}
	if v.root, err = rootKey(v.settings, fresh || v.settings.DatabaseURL == ""); err != nil {
		return nil, secret.Seed{}, err
	}
	keys, seed, err := v.keyring(ctx, masters, fresh)
	if made && errors.Is(err, secret.ErrWrongMaster) { // another replica was first, just now; nothing was sealed with ours
		err = errors.Join(err, os.Remove(v.settings.MasterKeyFile))
	}
	if err != nil {
		return nil, secret.Seed{}, fmt.Errorf("open the database's keys with %s: %w", v.settings.MasterKeyFile, err)
	}
	return keys, seed, nil
}

// wire makes the parts and gives each what it needs.
func (v *server) wire(keys *secret.Keyring, seed secret.Seed, to places) error {
	owner := owner()
	v.instance = doctor.Instance(seed)
	v.tokens = token.New(token.Options{
		Store: v.store, Keys: keys, Apps: all.Apps(), Derive: seed.Derive, PublicURL: v.url,
		Transport: outbound.New(outbound.Options{Origins: v.settings.Origins, ProxyURL: v.settings.ProxyURL, Log: v.log}),
		Pacer: outbound.NewPacer(outbound.PacerOptions{
			Store: v.store, Now: time.Now, Log: v.log,
			Observe: func(app string, why outbound.Cause) { v.metrics.ProviderWaited(app, string(why)) },
		}),
		Now: time.Now, Log: v.log, Owner: owner + "/connect", Dir: filepath.Join(v.settings.DataDir, "custody"), Wake: v.wake,
		Observe: func(app string, what store.EventKind) { v.metrics.Granted(app, string(what)) },
	})
	var err error
	v.control, err = control.New(control.Options{
		Store: v.store, Apps: all.Apps(), Grants: v.tokens, Keys: keys, Places: to,
		Derive: seed.Derive, Now: time.Now, Log: v.log, Wake: v.wake, Quotas: control.Quotas(v.settings.Quotas),
		Trail:   v.trail,
		Secrets: keys, Rewrap: keys, Root: v.root,
	})
	if err != nil {
		return err
	}
	kinds, err := v.duties(keys, to)
	if err != nil {
		return err
	}
	v.dispatcher = job.New(job.Options{
		Store: v.store, Kinds: kinds, Owner: owner, Lease: lease, Grace: stopGrace,
		Now: time.Now, Log: v.log, Observer: dutyObserver{v.metrics},
	})
	v.watchStates()
	handler, pages, err := v.handler(seed)
	if err != nil {
		return err
	}
	v.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(v.log.Handler(), slog.LevelDebug),
	}
	v.http.RegisterOnShutdown(pages.End)
	return nil
}

// wake is safe to call before there is a dispatcher.
func (v *server) wake() {
	if v.dispatcher != nil {
		v.dispatcher.Wake()
	}
}

func (v *server) duties(keys *secret.Keyring, to places) ([]job.Kind, error) {
	o := pipeline.Options{
		Store: v.store, Keys: keys, Apps: all.Apps(), Grants: v.tokens, Buckets: to.buckets, Streams: to.streams,
		Interval: v.settings.PollInterval, KeepRaw: v.settings.KeepRaw, Now: time.Now, Log: v.log,
		Observer: v.metrics, Ledger: v.metrics, Wake: v.wake,
		RawLimit: v.settings.RawLimit, FreeFloor: v.settings.FreeDisk, SilenceAfter: v.settings.SilenceAfter,
	}
	if v.settings.DatabaseURL == "" {
		o.Free = func() (int64, error) { return freeDisk(v.settings.DataDir) }
	}
	poller, err := pipeline.NewPoller(o)
	if err != nil {
		return nil, err
	}
	deliverer, err := pipeline.NewDeliverer(o)
	if err != nil {
		return nil, err
	}
	return []job.Kind{
		{Duty: store.DutyRefresh, Workers: 32, Timeout: 2 * time.Minute, Run: v.tokens.Refresh},
		{Duty: store.DutyPoll, Workers: 32, Timeout: 10 * time.Minute, Run: poller.Run},
		{Duty: store.DutyDeliver, Workers: 8, Timeout: 10 * time.Minute, Run: deliverer.Run},
		{Duty: store.DutyUserAccess, Workers: 4, Timeout: 2 * time.Minute, Run: pipeline.NewUserAccess(o, v.metrics.UserAccessEnded).Run},
		{Duty: store.DutyBackfill, Workers: 4, Timeout: 10 * time.Minute, Run: pipeline.NewBackfiller(poller).Run},
		{Duty: store.DutyNotify, Workers: 4, Timeout: time.Minute, Run: v.notifier().Run},
		{Duty: store.DutySweep, Workers: 1, Timeout: 10 * time.Minute, Run: pipeline.NewSweeper(o).Run},
	}, nil
}

// handler gives each path to what serves it. It is no ServeMux, which would
// redirect paths that are the API's to refuse.
func (v *server) handler(seed secret.Seed) (http.Handler, *console.Console, error) {
	api := wire.New(wire.Options{
		Control: v.control, Authorize: v.control.Authorize,
		Verifier: sigv4.New("appfabric", v.control.LookupKey, time.Now), Log: v.log, Now: time.Now,
		Throttle: wire.Throttle(v.settings.Throttle),
		Recorder: v.record,
	})
	pages, err := console.New(console.Options{
		API: api, Keys: v.control.LookupKey, Apps: all.Apps(), Derive: seed.Derive, PublicURL: v.url, Now: time.Now, Log: v.log,
	})
	if err != nil {
		return nil, nil, err
	}
	exact := map[string]http.Handler{
		"/appfabric/oauth2": console.Callback(v.tokens, v.log),
		"/healthz":          http.HandlerFunc(v.healthy),
		"/readyz":           http.HandlerFunc(v.ready),
	}
	if v.scrapes == nil {
		exact["/metrics"] = v.metrics.Handler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch page, ok := exact[r.URL.Path]; {
		case ok:
			page.ServeHTTP(w, r)
		case r.URL.Path == "/console" || strings.HasPrefix(r.URL.Path, "/console/"):
			pages.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	}), pages, nil
}

// healthy says that the process answers, and of which installation it is.
func (v *server) healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(doctor.InstanceHeader, v.instance)
	writeText(w, http.StatusOK, "ok")
}

// ready says whether the database answers.
func (v *server) ready(w http.ResponseWriter, r *http.Request) {
	if err := v.store.Ping(r.Context()); err != nil {
		v.log.ErrorContext(r.Context(), "not ready", "error", err)
		writeText(w, http.StatusServiceUnavailable, "the database does not answer")
		return
	}
	writeText(w, http.StatusOK, "ok")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}

// run serves and works until ctx ends, then drains: requests and duties under
// way end first, and no lease stays behind.
func (v *server) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	failed := make(chan error, 2)
	go func() {
		err := v.serve()
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		cancel()
		failed <- err
	}()
	go func() {
		err := v.dispatcher.Run(ctx)
		cancel()
		failed <- err
	}()
	go v.scrapes.serve(v.log)
	<-ctx.Done()
	v.log.Info("stopping")
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), stopGrace)
	defer done()
	var ends sync.WaitGroup
	for what, end := range map[string]func(context.Context) error{"requests": v.http.Shutdown, "connections": v.tokens.Close} {
		ends.Go(func() { // each has all of the time
			if err := end(stop); err != nil {
				v.log.Warn("did not end in time; what matters of them is in the store", "what", what, "error", err)
			}
		})
	}
	ends.Wait()
	err := errors.Join(<-failed, <-failed)
	v.control.Wait()
	return errors.Join(err, v.close())
}

// serve answers requests until the server is shut down.
func (v *server) serve() error {
	if v.pair == nil {
		return v.http.Serve(v.listener)
	}
	v.http.TLSConfig = v.pair.Config()
	return v.http.ServeTLS(v.listener, "", "")
}

// close gives up what open took.
func (v *server) close() error {
	var errs []error
	if v.listener != nil {
		if err := v.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	errs = append(errs, v.scrapes.close())
	if v.store != nil {
		errs = append(errs, v.store.Close())
	}
	if v.trail != nil {
		errs = append(errs, v.trail.Close())
	}
	return errors.Join(errs...)
}

// owner names this process in leases.
func owner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}
