package main

import (
	"slices"
	"strings"
	"testing"

	"selvedge/internal/outbound"
	"selvedge/simulator"
)

// TestDemoApps: names in any case, each once, behind the one that it requires.
func TestDemoApps(t *testing.T) {
	t.Parallel()
	sim := simulator.New(simulator.Options{})
	for _, test := range []struct {
		names string
		want  string // the names; empty: an error that lists the known ones
	}{
		{"OKTA,TERRAFORMCLOUD", "OKTA TERRAFORMCLOUD"},
		{"terraformcloud, Okta,OKTA", "TERRAFORMCLOUD OKTA"},
		{"M365AUDITLOGS", "M365 M365AUDITLOGS"},
		{"M365AUDITLOGS,M365", "M365 M365AUDITLOGS"},
		{"all", strings.Join(sim.Names(), " ")},
		{"OKTA,NOPE", ""},
		{"OKTA,all", ""},
	} {
		apps, err := demoApps(sim, strings.Split(test.names, ","))
		var got []string
		for _, app := range apps {
			got = append(got, app.App)
			if (app.credential().APIKey == "") == (app.credential().ClientID == "") || len(app.schemas) == 0 {
				t.Errorf("%s: %+v", app.App, app)
			}
		}
		if test.want == "" {
			if err == nil || !strings.Contains(err.Error(), "TERRAFORMCLOUD") {
				t.Errorf("%s: %v, want an error that names the known ones", test.names, err)
			}
			continue
		}
		if err != nil || strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, %v; want %s", test.names, got, err, test.want)
		}
	}
}

// TestSimulationOrigins: every origin of every application is led to the
// simulation, once.
func TestSimulationOrigins(t *testing.T) {
	t.Parallel()
	s := &simulation{server: simulator.New(simulator.Options{}), port: "9000"}
	setting, err := s.origins()
	if err != nil {
		t.Fatal(err)
	}
	origins, err := outbound.ParseOrigins(setting)
	if err != nil {
		t.Fatalf("%v in %s", err, setting)
	}
	accounts, err := s.accounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts {
		for _, from := range a.Origins {
			if !slices.ContainsFunc(origins, func(o outbound.Origin) bool { return o.From == from && strings.HasSuffix(o.To, ".localhost:9000") }) {
				t.Errorf("%s: %s is led nowhere by %s", a.App, from, setting)
			}
		}
	}
}
