package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"selvedge/simulator"
)

// Of each kind some events are generated, and converted again and again up to as
// many bytes: generating takes longer than converting, and starting a process is
// little of this.
const (
	appEvents = 2_000
	appBytes  = 32 << 20
	appRounds = 3
)

// sample is records of one feed of a simulated application.
type sample struct {
	app, stream string
	feed        string // the simulator's name of the stream; empty: of the application's own choice
	from        emitter
}

// emitter is a simulated application.
type emitter interface {
	Emit(n int, late time.Duration) ([]string, error)
	EmitTo(stream string, n int, late time.Duration) ([]string, error)
	All() map[string][]byte
}

// samples are all applications, and of each every kind of record. OKTA, which the
// others are compared with, is the first.
func samples() []sample {
	server := func() *simulator.Server { return simulator.New(simulator.Options{Seed: corpusSeed}) }
	return []sample{
		{"OKTA", "system_log", "", server().Okta()},
		{"ASANA", "audit_log_events", "", server().Asana()},
		{"CISCO", "admin_audit", "admin_audit", server().Cisco()},
		{"CISCO", "security_audit", "security_audit", server().Cisco()},
		{"CISCO", "memberships", "memberships", server().Cisco()},
		{"DROPBOX", "team_events", "", server().Dropbox()},
		{"GOOGLE", "login", "login", server().Google()},
		{"GOOGLE", "admin", "admin", server().Google()},
		{"GOOGLE", "drive", "drive", server().Google()},
		{"JIRA", "audit_records", "", server().Jira()},
		{"M365", "directory_audits", "directory_audits", server().M365()},
		{"M365", "sign_ins", "sign_ins", server().M365()},
		{"M365AUDITLOGS", "general", "", server().M365AuditLogs()},
		{"SLACK", "audit", "", server().Slack()},
		{"SMARTSHEET", "events", "", server().Smartsheet()},
		{"TERRAFORMCLOUD", "audit_trail", "", server().TerraformCloud()},
		{"ZENDESK", "audit_logs", "", server().Zendesk()},
		{"ZOOM", "activities", "/v2/report/activities", server().Zoom()},
		{"ZOOM", "operation_logs", "/v2/report/operationlogs", server().Zoom()},
	}
}

// file writes events of the sample, one a line, and all of them again up to a size. Of those that are the same to the
// byte and have no identifier, the simulator tells one.
func (s sample) file(dir string, events, size int) (corpus, error) {
	var err error
	if s.feed == "" {
		_, err = s.from.Emit(events, 0)
	} else {
		_, err = s.from.EmitTo(s.feed, events, 0)
	}
	if err != nil {
		return corpus{}, err
	}
	all := s.from.All()
	var text bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(all)) {
		if err := json.Compact(&text, all[id]); err != nil {
			return corpus{}, err
		}
		text.WriteByte('\n')
	}
	times := max(1, size/text.Len())
	c := corpus{path: filepath.Join(dir, s.app+"-"+s.stream+".ndjson"), events: times * len(all), bytes: int64(times * text.Len())}
	return c, os.WriteFile(c.path, bytes.Repeat(text.Bytes(), times), 0o600)
}

// apps measures how fast the records of each application become lines.
func apps(ctx context.Context, b *bench) ([]row, error) {
	list := samples()
	files := make([]corpus, len(list))
	for i, s := range list {
		var err error
		if files[i], err = s.file(b.dir, appEvents, appBytes); err != nil {
			return nil, fmt.Errorf("%s %s: %w", s.app, s.stream, err)
		}
	}
	costs := make([][]cost, len(list))
	for round := range appRounds {
		b.say("apps: round %d of %d", round+1, appRounds)
		for i, s := range list {
			c, err := filter(ctx, files[i], b.binary, "normalize", "--app", s.app, "--stream", s.stream)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", s.app, s.stream, err)
			}
			costs[i] = append(costs[i], c)
		}
	}
	return appRows(list, files, costs), nil
}

// appRows is the report: of each, events, and bytes beside those of the first.
func appRows(list []sample, files []corpus, costs [][]cost) []row {
	var rows []row
	var okta series
	for i, s := range list {
		var events, megabytes series
		for _, c := range costs[i] {
			events = append(events, c.perCPU())
			megabytes = append(megabytes, float64(c.bytes)/1e6/c.cpu.Seconds())
		}
		name := s.app + " " + s.stream
		rows = append(rows, row{name: name, unit: "events/CPU-s", values: events, note: fmt.Sprintf("%d bytes an event", files[i].bytes/int64(files[i].events))})
		if i == 0 {
			okta = megabytes
			rows = append(rows, row{name: name, unit: "MB/CPU-s of input", values: megabytes})
			continue
		}
		rows = append(rows, row{
			name: name, unit: "MB/CPU-s of input", values: megabytes, peer: "OKTA", peerValues: okta,
		}, row{name: name, unit: "times OKTA, by bytes", values: megabytes.ratios(okta), target: atLeast(1.0 / 3)})
	}
	return rows
}
