package main

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/connector/all"
	"selvedge/ocsf/ocsftest"
	"selvedge/simulator"
)

// TestNormalizeFindsTheStream: records of all streams of an application, one of
// each in turn, become the same events whether the stream is said or not.
func TestNormalizeFindsTheStream(t *testing.T) {
	t.Parallel()
	several := 0
	for _, app := range all.Apps() {
		if len(app.Streams) == 1 {
			continue
		}
		several++
		t.Run(app.Name, func(t *testing.T) {
			t.Parallel()
			const each = 20
			records := make(map[string][]string) // by stream
			for _, s := range app.Streams {
				records[s.Name] = simulated(t, app, s.Name, each)
			}
			var mixed, want []string
			for i := range each {
				for _, s := range app.Streams {
					mixed = append(mixed, records[s.Name][i])
				}
			}
			said := make(map[string][]string)
			for name, list := range records {
				said[name] = normalized(t, 0, "", list, "--app", app.Name, "--stream", name)
			}
			for i := range each {
				for _, s := range app.Streams {
					want = append(want, said[s.Name][i])
				}
			}
			if got := normalized(t, 0, "", mixed, "--app", app.Name); !slices.Equal(got, want) {
				t.Error("without --stream the events are others")
			}
			for i, line := range want {
				if strings.Contains(line, `"class_uid":0,`) {
					t.Errorf("a base event of %s", mixed[i])
				}
			}
		})
	}
	if several != 5 {
		t.Errorf("%d applications have several streams, want 5", several)
	}
}

// TestNormalizeOfNoStream: a record of none of the streams is a base event in its
// place, and the report has its number and the streams. That is no failure; what
// is no JSON is one.
func TestNormalizeOfNoStream(t *testing.T) {
	t.Parallel()
	sign := simulated(t, app(t, "ZOOM"), "activities", 1)[0]
	lines := normalized(t, 0, "line 2: encode: its members are those of no stream of ZOOM: activities, operation_logs (--stream", []string{sign, `{"x":1}`, sign}, "--app", "zoom")
	if !strings.Contains(lines[1], `"class_uid":0,`) || !strings.Contains(lines[1], `"raw_data":"{\"x\":1}"`) || lines[0] != lines[2] {
		t.Errorf("%q", lines)
	}
	normalized(t, 1, "line 1 is not JSON", []string{`{"x`, sign}, "--app", "ZOOM")
	normalized(t, 1, "ZOOM has no stream \"x\"; it has activities, operation_logs", nil, "--app", "ZOOM", "--stream", "x")
	// Of one stream there is nothing to find out.
	normalized(t, 0, "", []string{`{"x":1}`}, "--app", "OKTA")
}

func app(t *testing.T, name string) connector.App {
	t.Helper()
	for _, a := range all.Apps() {
		if a.Name == name {
			return a
		}
	}
	t.Fatalf("there is no %s", name)
	return connector.App{}
}

// simulated are records of a stream, as its simulated provider shows them.
func simulated(t *testing.T, app connector.App, stream string, n int) []string {
	t.Helper()
	server := simulator.New(simulator.Options{Seed: 7})
	feed := stream
	var emit func(string, int, time.Duration) ([]string, error)
	var shown func() map[string][]byte
	switch app.Name {
	case "CISCO":
		emit, shown = server.Cisco().EmitTo, server.Cisco().All
	case "GOOGLE":
		emit, shown = server.Google().EmitTo, server.Google().All
	case "M365":
		emit, shown = server.M365().EmitTo, server.M365().All
	case "M365AUDITLOGS":
		emit, shown = server.M365AuditLogs().EmitTo, server.M365AuditLogs().All
		feed = map[string]string{
			"azure_active_directory": "Audit.AzureActiveDirectory", "exchange": "Audit.Exchange", "sharepoint": "Audit.SharePoint",
			"general": "Audit.General", "dlp": "DLP.All",
		}[stream]
	case "ZOOM":
		emit, shown = server.Zoom().EmitTo, server.Zoom().All
		feed = map[string]string{"activities": "/v2/report/activities", "operation_logs": "/v2/report/operationlogs"}[stream]
	default:
		t.Fatalf("nobody knows how to simulate the streams of %s", app.Name)
	}
	ids, err := emit(feed, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	var records []string
	for _, id := range ids {
		records = append(records, strings.ReplaceAll(string(shown()[id]), "\n", " "))
	}
	return records
}

// normalized are the lines that the command writes, less when it ran. There is
// one for each that it reads, a valid event.
func normalized(t *testing.T, code int, says string, records []string, args ...string) []string {
	t.Helper()
	var in, out, report bytes.Buffer
	for _, r := range records {
		fmt.Fprintln(&in, r)
	}
	got := run(t.Context(), append([]string{"normalize"}, args...), world{stdin: &in, stdout: &out, stderr: &report})
	if got != code || !strings.Contains(report.String(), says) || says == "" && report.Len() > 0 {
		t.Errorf("%v: exit status %d, want %d; it says %q, want %q", args, got, code, report.String(), says)
	}
	lines := slices.Collect(strings.Lines(out.String()))
	if len(lines) != len(records) {
		t.Fatalf("%v: %d lines of %d", args, len(lines), len(records))
	}
	processed := regexp.MustCompile(`"(processed_time|time)":1[0-9]{12}`)
	for i, line := range lines {
		ocsftest.MustValidate(t, []byte(line))
		lines[i] = processed.ReplaceAllString(line, `"$1":0`)
	}
	return lines
}
