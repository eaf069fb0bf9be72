package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	fmt.Fprintf(w.stdout, "The simulated applications are at %s. Start the server with\n\n  selvedge serve --origins '%s'\n\n", sim.url, sim.origins())
	if err := sim.enliven(); err != nil {
		return errors.Join(err, sim.close())
	}
	id, secret := sim.server.Okta().Client()
	fmt.Fprintf(w.stdout, "OKTA: tenant %s, client id %s, client secret %s\n", demoOktaTenant, id, secret)
	fmt.Fprintf(w.stdout, "TERRAFORMCLOUD: tenant %s, service account token %s\n", demoTerraformTenant, sim.server.TerraformCloud().Token())
	fmt.Fprintf(w.stdout, "Each has %d events, and a new one every %v. More of them, and faults, on demand: %s/simulator/v1/ (see the package simulator)\n", demoEvents, liveliness, sim.url)
	<-ctx.Done()
	return sim.close()
}

// The tenants that the simulated applications stand for.
const (
	demoOktaTenant      = "demo.okta.com"
	demoTerraformTenant = "https://app.terraform.io/app/example-org"
)

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

// enliven gives the simulated applications events, and lets new ones come.
func (s *simulation) enliven() error {
	okta, tfc := s.server.Okta(), s.server.TerraformCloud()
	_, oerr := okta.Emit(demoEvents, 0)
	_, terr := tfc.Emit(demoEvents, 0)
	okta.Trickle(liveliness)
	tfc.Trickle(liveliness)
	return errors.Join(oerr, terr)
}

// origins is the --origins setting that leads a server to the simulation.
func (s *simulation) origins() string {
	return "https://" + demoOktaTenant + "=http://okta.localhost:" + s.port +
		",https://app.terraform.io=http://terraformcloud.localhost:" + s.port
}

// close ends the simulation; requests that hang on purpose are cut off.
func (s *simulation) close() error {
	if err := s.http.Close(); err != nil {
		return fmt.Errorf("simulate: close: %w", err)
	}
	return nil
}
