package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/audit"
	"selvedge/internal/fabric"
)

func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// open makes a trail in a new folder and returns it with the path of its
// newest file.
func open(t *testing.T, o audit.Options) (*audit.Trail, string) {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "trail", "trail.ndjson")
	}
	trail, err := audit.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trail.Close() })
	return trail, o.Path
}

// numbered is a call whose request id is a number.
func numbered(n int) audit.Call {
	return audit.Call{
		RequestID: fmt.Sprint(n), Time: noon(), Source: "appfabric.amazonaws.com", Operation: "GetAppBundle",
		Caller: fabric.Caller{Account: "111111111111", Region: "us-east-1", AccessKeyID: "AKIDA"},
	}
}

func record(t *testing.T, trail *audit.Trail, calls ...audit.Call) {
	t.Helper()
	for _, c := range calls {
		if err := trail.Record(c); err != nil {
			t.Fatal(err)
		}
	}
}

// ids are the request ids of records.
func ids(t *testing.T, lines []json.RawMessage) []string {
	t.Helper()
	var all []string
	for _, line := range lines {
		all = append(all, member(t, line, "requestID"))
	}
	return all
}

func member(t *testing.T, line json.RawMessage, name string) string {
	t.Helper()
	var r map[string]any
	if err := json.Unmarshal(line, &r); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	text, _ := r[name].(string)
	return text
}

// tail returns the request ids of the last n records.
func tail(t *testing.T, trail *audit.Trail, n int, f audit.Filter) []string {
	t.Helper()
	lines, err := trail.Tail(t.Context(), n, f)
	if err != nil {
		t.Fatal(err)
	}
	return ids(t, lines)
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// The records have CloudTrail's members, and null where there is nothing.
func TestRecords(t *testing.T) {
	t.Parallel()
	caller := fabric.Caller{Account: "111111111111", Region: "cn-north-1", AccessKeyID: "AKIDA"}
	const fixed = `"eventVersion":"1.08","eventTime":"2026-11-22T12:00:00Z","eventSource":"appfabric.amazonaws.com",` +
		`"requestID":"r","eventID":"-","eventType":"AwsApiCall","managementEvent":true,"eventCategory":"Management",`
	tests := []struct {
		name string
		call audit.Call
		want string
	}{
		{
			"root", audit.Call{
				Operation: "CreateAppBundle", Caller: caller, SourceIP: "[::1]:5000", UserAgent: "aws-cli",
				Parameters: map[string]any{"clientToken": "<t>"}, Elements: map[string]any{"appBundle": map[string]any{"arn": "a"}},
			},
			`"userIdentity":{"type":"Root","principalId":"111111111111","arn":"arn:aws-cn:iam::111111111111:root","accountId":"111111111111","accessKeyId":"AKIDA"},` +
				`"eventName":"CreateAppBundle","awsRegion":"cn-north-1","sourceIPAddress":"::1","userAgent":"aws-cli",` +
				`"requestParameters":{"clientToken":"<t>"},"responseElements":{"appBundle":{"arn":"a"}},"readOnly":false,"recipientAccountId":"111111111111"`,
		},
		{
			"user, refused", audit.Call{
				Operation: "GetAppBundle", ReadOnly: true, Caller: caller, User: "eve", SourceIP: "192.0.2.1",
				ErrorCode: "AccessDeniedException", ErrorMessage: "no",
			},
			`"userIdentity":{"type":"IAMUser","principalId":"eve","arn":"arn:aws-cn:iam::111111111111:user/eve","accountId":"111111111111","accessKeyId":"AKIDA","userName":"eve"},` +
				`"eventName":"GetAppBundle","awsRegion":"cn-north-1","sourceIPAddress":"192.0.2.1","userAgent":"","errorCode":"AccessDeniedException","errorMessage":"no",` +
				`"requestParameters":null,"responseElements":null,"readOnly":true,"recipientAccountId":"111111111111"`,
		},
		{
			"not authenticated", audit.Call{Operation: "GetAppBundle", SourceIP: "192.0.2.1:1", ErrorCode: "InvalidSignatureException", ErrorMessage: "no"},
			`"userIdentity":{"type":"Unknown"},"eventName":"GetAppBundle","awsRegion":"","sourceIPAddress":"192.0.2.1","userAgent":"",` +
				`"errorCode":"InvalidSignatureException","errorMessage":"no","requestParameters":null,"responseElements":null,"readOnly":false`,
		},
		{
			"too large", audit.Call{
				Operation: "TagResource", Caller: caller, UserAgent: strings.Repeat("é", 600),
				Parameters: map[string]any{"tags": strings.Repeat("x", 200<<10)},
			},
			`"userIdentity":{"type":"Root","principalId":"111111111111","arn":"arn:aws-cn:iam::111111111111:root","accountId":"111111111111","accessKeyId":"AKIDA"},` +
				`"eventName":"TagResource","awsRegion":"cn-north-1","sourceIPAddress":"","userAgent":"` + strings.Repeat("é", 512) + `...",` +
				`"requestParameters":{"omitted":true,"originalSize":204811,"reason":"the value is larger than 100 KiB"},` +
				`"responseElements":null,"readOnly":false,"recipientAccountId":"111111111111"`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			trail, path := open(t, audit.Options{})
			tt.call.RequestID, tt.call.Time, tt.call.Source = "r", noon(), "appfabric.amazonaws.com"
			record(t, trail, tt.call)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := errors.Join(json.Unmarshal(text, &got), json.Unmarshal([]byte("{"+fixed+tt.want+"}"), &want)); err != nil {
				t.Fatal(err)
			}
			if id, _ := got["eventID"].(string); !fabric.IsUUID(id) {
				t.Errorf("eventID %q", id)
			}
			got["eventID"] = "-"
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	trail, _ := open(t, audit.Options{})
	calls := make([]audit.Call, 6)
	for i := range calls {
		calls[i] = numbered(i)
	}
	calls[1].Operation = "DeleteAppBundle"
	calls[2].ErrorCode = "ThrottlingException"
	calls[3].Caller.AccessKeyID = "AKIDB"
	calls[4].Caller.Account = "222222222222"
	calls[5].Caller = fabric.Caller{}
	calls[5].Time = noon().Add(time.Minute)
	record(t, trail, calls...)
	tests := []struct {
		n      int
		filter audit.Filter
		want   []string
	}{
		{9, audit.Filter{}, []string{"0", "1", "2", "3", "4", "5"}},
		{2, audit.Filter{}, []string{"4", "5"}},
		{0, audit.Filter{}, nil},
		{9, audit.Filter{Account: "111111111111"}, []string{"0", "1", "2", "3"}},
		{9, audit.Filter{Operation: "DeleteAppBundle"}, []string{"1"}},
		{9, audit.Filter{ErrorCode: "ThrottlingException"}, []string{"2"}},
		{9, audit.Filter{AccessKeyID: "AKIDB"}, []string{"3"}},
		{1, audit.Filter{Account: "111111111111", Operation: "GetAppBundle", AccessKeyID: "AKIDA"}, []string{"2"}},
		{9, audit.Filter{Since: noon().Add(time.Second)}, []string{"5"}},
		{9, audit.Filter{Account: "333333333333"}, nil},
	}
	for _, tt := range tests {
		same(t, fmt.Sprintf("%d of %+v", tt.n, tt.filter), tail(t, trail, tt.n, tt.filter), tt.want...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := trail.Tail(ctx, 1, audit.Filter{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Anybody can send what is not authenticated: it does not fill the trail.
func TestUnauthenticatedCallsAreBounded(t *testing.T) {
	t.Parallel()
	trail, path := open(t, audit.Options{})
	stranger := audit.Call{RequestID: "s", Time: noon()}
	for range 1000 {
		record(t, trail, stranger)
	}
	record(t, trail, numbered(1))
	if got := len(tail(t, trail, 5000, audit.Filter{})); got != 101 {
		t.Errorf("%d records, want 100 and the one that is authenticated", got)
	}
	stranger.RequestID, stranger.Time = "later", noon().Add(time.Minute)
	record(t, trail, stranger, stranger)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 103 || !strings.Contains(lines[101], `"additionalEventData":{"unauthenticatedCallsNotRecorded":900}`) ||
		strings.Contains(lines[102], "additionalEventData") {
		t.Errorf("%d lines, the last of them: %q", len(lines), lines[len(lines)-2:])
	}
}
