package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"selvedge/simulator"
)

// simulateCmd runs the simulated applications.
type simulateCmd struct {
	Listen string `default:"127.0.0.1:9000" help:"Address to listen at; port 0 takes a free one." placeholder:"HOST:PORT"`
	Seed   uint64 `default:"1" help:"The same seed gives the same records."`
}

// Run serves until it is stopped.
func (c simulateCmd) Run(ctx context.Context, w world) error {
	log := slog.New(slog.NewTextHandler(w.stderr, nil))
	sim, err := startSimulator(ctx, c.Listen, simulator.Options{Seed: c.Seed, Log: log})
	if err != nil {
		return err
	}
	origins, err := sim.origins()
	if err != nil {
		return errors.Join(err, sim.close())
	}
	fmt.Fprintf(w.stdout, "The simulated applications are at %s. Start the server with\n\n  selvedge serve --origins '%s'\n\n", sim.url, origins)
	if err := sim.enliven(); err != nil {
		return errors.Join(err, sim.close())
	}
	accounts, err := sim.accounts()
	if err != nil {
		return errors.Join(err, sim.close())
	}
	for _, a := range accounts {
		credential := "client id " + a.ClientID + ", client secret " + a.ClientSecret
		if a.APIKey != "" {
			credential = "service account token " + a.APIKey
		}
		fmt.Fprintf(w.stdout, "%s: tenant %s, %s\n", a.App, a.Tenant, credential)
	}
	fmt.Fprintf(w.stdout, "Each has %d events, and a new one every %v. More of them, and faults, on demand: %s/simulator/v1/ (see the package simulator)\n", demoEvents, liveliness, sim.url)
	<-ctx.Done()
	return sim.close()
}

// simulation is a simulator that listens.
type simulation struct {
	server *simulator.Server
	http   *http.Server
	url    string
	port   string
}

func startSimulator(ctx context.Context, listen string, o simulator.Options) (*simulation, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("simulate: %w", err)
	}
	sim := simulator.New(o)
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("simulate: %w", err), l.Close())
	}
	s := &simulation{
		server: sim, url: "http://" + l.Addr().String(), port: port,
		http: &http.Server{Handler: sim, ReadHeaderTimeout: 10 * time.Second},
	}
	go func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			o.Log.Error("the simulator stopped", "error", err)
		}
	}()
	return s, nil
}

// liveliness is how often each simulated application has a new event.
const liveliness = 3 * time.Second

// accounts is how each simulated application is connected to, in the order of
// their names.
func (s *simulation) accounts() ([]simulator.Account, error) {
	var accounts []simulator.Account
	for _, name := range s.server.Names() {
		account, err := s.server.Account(name)
		if err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		accounts = append(accounts, account)
	}
	return accounts, nil
}

// enliven gives the simulated applications events, and lets new ones come.
func (s *simulation) enliven() error {
	var errs []error
	for _, name := range s.server.Names() {
		_, err := s.server.Emit(name, demoEvents, 0)
		errs = append(errs, err, s.server.Trickle(name, liveliness))
	}
	return errors.Join(errs...)
}

// origins is the --origins setting that leads a server to the simulation. What
// several applications share, such as a sign-in server, leads to a host of none:
// there the simulation goes by what is asked for.
func (s *simulation) origins() (string, error) {
	accounts, err := s.accounts()
	if err != nil {
		return "", err
	}
	hosts := make(map[string]string)
	for _, a := range accounts {
		host, err := s.server.Host(a.App)
		if err != nil {
			return "", fmt.Errorf("simulate: %w", err)
		}
		for _, origin := range a.Origins {
			if _, shared := hosts[origin]; shared {
				hosts[origin] = "simulated.localhost"
				continue
			}
			hosts[origin] = host
		}
	}
	settings := make([]string, 0, len(hosts))
	for _, origin := range slices.Sorted(maps.Keys(hosts)) {
		settings = append(settings, origin+"=http://"+hosts[origin]+":"+s.port)
	}
	return strings.Join(settings, ","), nil
}

// close ends the simulation; requests that hang on purpose are cut off.
func (s *simulation) close() error {
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("simulate: close: %w", err)
	}
	return nil
}
