package wire_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
)

// arns are the ARNs of a list's page.
func arns(r reply, noun string) []string {
	var all []string
	list, _ := r.body[noun].([]any)
	for _, v := range list {
		m := v.(map[string]any)
		for _, member := range []string{"arn", "appAuthorizationArn"} {
			if arn, ok := m[member].(string); ok {
				all = append(all, arn)
			}
		}
	}
	return all
}

func (s *server) mustSend(t testing.TB, status int, w who, method, target, body string) reply {
	t.Helper()
	r := s.send(t, w, method, target, body)
	if r.status != status {
		t.Fatalf("%s %s: got %s %s, want %d", method, target, r.line(), r.raw, status)
	}
	return r
}

// Following nextToken shows what exists throughout exactly once, whatever is
// made and deleted meanwhile.
func TestPaging(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	for range 25 {
		s.mustSend(t, 201, w, "POST", "/appbundles", "")
	}
	all := arns(s.mustSend(t, 200, w, "GET", "/appbundles", ""), "appBundleSummaryList")
	if len(all) != 25 {
		t.Fatalf("%d bundles, want 25", len(all))
	}
	var seen []string
	next := ""
	gone := map[string]bool{}
	for page := 0; ; page++ {
		r := s.mustSend(t, 200, w, "GET", "/appbundles?maxResults=4"+next, "")
		got := arns(r, "appBundleSummaryList")
		seen = append(seen, got...)
		if r.text("nextToken") == "" {
			break
		}
		if len(got) != 4 {
			t.Errorf("page %d has %d", page, len(got))
		}
		next = "&nextToken=" + r.text("nextToken")
		// The row that the token stands at goes, one that is shown, one that is
		// not; and a new one comes.
		for _, arn := range []string{got[3], got[0], all[24-page]} {
			gone[arn] = true
			s.mustSend(t, 204, w, "DELETE", "/appbundles/"+last(arn), "")
		}
		s.mustSend(t, 201, w, "POST", "/appbundles", "")
	}
	for _, arn := range all {
		n := len(slices.DeleteFunc(slices.Clone(seen), func(x string) bool { return x != arn }))
		if n > 1 || n == 0 && !gone[arn] {
			t.Errorf("%s was shown %d times", arn, n)
		}
	}
}

// A nextToken is good for its caller, operation and parent, for 24 hours.
func TestNextTokenIsBound(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	for range 2 {
		s.mustSend(t, 201, w, "POST", "/appbundles", "")
	}
	bundles := arns(s.mustSend(t, 200, w, "GET", "/appbundles", ""), "appBundleSummaryList")
	base := "/appbundles/" + last(bundles[0])
	for i := range 2 {
		s.mustSend(t, 201, w, "POST", base+"/appauthorizations", strings.ReplaceAll(okta, "acme.okta.com", fmt.Sprint("t", i)))
	}
	list := base + "/appauthorizations?maxResults=1&nextToken="
	token := s.mustSend(t, 200, w, "GET", base+"/appauthorizations?maxResults=1", "").text("nextToken")
	if token == "" {
		t.Fatal("no nextToken")
	}
	s.mustSend(t, 200, w, "GET", list+token, "")
	s.mustSend(t, 200, w, "GET", "/appbundles/"+strings.ReplaceAll(bundles[0], "/", "%2F")+"/appauthorizations?nextToken="+token, "")
	flipped := []byte(token)
	flipped[10] ^= 1
	for name, r := range map[string]reply{
		"another operation": s.send(t, w, "GET", base+"/ingestions?nextToken="+token, ""),
		"another list":      s.send(t, w, "GET", "/appbundles?nextToken="+token, ""),
		"another parent":    s.send(t, w, "GET", "/appbundles/"+last(bundles[1])+"/appauthorizations?nextToken="+token, ""),
		"changed":           s.send(t, w, "GET", list+string(flipped), ""),
		"cut":               s.send(t, w, "GET", list+token[:20], ""),
		"no base64":         s.send(t, w, "GET", list+"!", ""),
	} {
		if r.line() != "400 ValidationException" || !strings.HasPrefix(r.text("message"), "InvalidToken") {
			t.Errorf("%s: %s %s", name, r.line(), r.raw)
		}
	}
	s.clock.add(23*time.Hour + 59*time.Minute)
	s.mustSend(t, 200, w, "GET", list+token, "")
	s.clock.add(time.Minute)
	if r := s.send(t, w, "GET", list+token, ""); !strings.HasPrefix(r.text("message"), "InvalidToken") {
		t.Errorf("after 24 h: %s %s", r.line(), r.raw)
	}
}

// creates is each create of the API, with a client token to be put in.
func creates(f fixture) map[string]call {
	base := "/appbundles/" + f.bundle
	withToken := func(body string) string { return `{"clientToken":"{token}",` + strings.TrimPrefix(body, "{") }
	return map[string]call{
		"AppBundle":            {"appBundle", "POST", "/appbundles", `{"clientToken":"{token}"}`},
		"AppAuthorization":     {"appAuthorization", "POST", base + "/appauthorizations", withToken(strings.ReplaceAll(okta, "acme", "second"))},
		"Ingestion":            {"ingestion", "POST", base + "/ingestions", withToken(strings.ReplaceAll(oktaIngest, "acme", "second"))},
		"IngestionDestination": {"ingestionDestination", "POST", base + "/ingestions/" + f.ingestion + "/ingestiondestinations", withToken(toS3)},
	}
}

// Twins with one client token make one resource and get one answer; other
// parameters are a mismatch; the token is free after 24 hours and when its
// resource is deleted.
func TestClientToken(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"AppBundle", "AppAuthorization", "Ingestion", "IngestionDestination"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			w := who{keyA, region}
			f := s.furnish(t, w)
			c := creates(f)[kind]
			if kind == "Ingestion" {
				second := creates(f)["AppAuthorization"]
				r := s.mustSend(t, 201, w, second.method, second.target, strings.ReplaceAll(second.body, "{token}", "77777777-0000-4000-8000-000000000000"))
				arn := r.body["appAuthorization"].(map[string]any)["appAuthorizationArn"].(string)
				s.mustSend(t, 200, w, "POST", second.target+"/"+last(arn)+"/connect", "{}")
			}
			body := strings.ReplaceAll(c.body, "{token}", "99999999-0000-4000-8000-000000000000")
			first := s.twins(t, w, c, body)
			if again := s.mustSend(t, 201, w, c.method, c.target, body); again.raw != first {
				t.Errorf("again: got %s, want %s", again.raw, first)
			}
			other := strings.Replace(body, "{", `{"tags":[{"key":"k","value":""}],`, 1)
			r := s.send(t, w, c.method, c.target, other)
			if r.line() != "409 ConflictException" || !strings.HasPrefix(r.text("message"), "IdempotentParameterMismatch") || r.text("resourceType") != kind ||
				!strings.Contains(first, r.text("resourceId")) {
				t.Errorf("other parameters: %s %s", r.line(), r.raw)
			}
			arn := first[strings.Index(first, "arn:"):]
			arn = arn[:strings.IndexByte(arn, '"')]
			s.mustSend(t, 204, w, "DELETE", c.target+"/"+strings.ReplaceAll(arn, "/", "%2F"), "")
			if after := s.mustSend(t, 201, w, c.method, c.target, other); after.raw == first {
				t.Error("a deleted resource was answered")
			}
		})
	}
}

// twins sends one request several times at once; all answers must be the same.
func (s *server) twins(t *testing.T, w who, c call, body string) string {
	t.Helper()
	const n = 8
	answers := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			r := s.send(t, w, c.method, c.target, body)
			answers[i] = fmt.Sprint(r.status, r.raw)
		})
	}
	wg.Wait()
	for _, a := range answers {
		if a != answers[0] || !strings.HasPrefix(a, "201") {
			t.Errorf("twins differ: %s and %s", a, answers[0])
		}
	}
	return strings.TrimPrefix(answers[0], "201")
}

// A client token counts for a day, and for its account, Region and operation
// only.
func TestClientTokenScope(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	const body = `{"clientToken":"99999999-0000-4000-8000-000000000000"}`
	seen := map[string]bool{}
	for _, w := range []who{{keyA, region}, {keyB, region}, {keyA, "eu-west-1"}} {
		seen[s.mustSend(t, 201, w, "POST", "/appbundles", body).raw] = true
		seen[s.mustSend(t, 201, w, "POST", "/appbundles", body).raw] = true
	}
	if len(seen) != 3 {
		t.Errorf("%d bundles, want 3", len(seen))
	}
	s.clock.add(24 * time.Hour)
	if r := s.mustSend(t, 201, who{keyA, region}, "POST", "/appbundles", body); seen[r.raw] {
		t.Error("the token counts after 24 h")
	}
}

// What an update does to the status, and whether the server connects by itself.
func TestUpdateAppAuthorization(t *testing.T) {
	t.Parallel()
	const (
		name       = `{"tenant":{"tenantIdentifier":"acme.okta.com","tenantDisplayName":"New"}}`
		sameSecret = `{"tenant":{"tenantIdentifier":"acme.okta.com","tenantDisplayName":"New"},"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"hush"}}}`
		newSecret  = `{"credential":{"oauth2Credential":{"clientId":"id","clientSecret":"other"}}}`
		newTenant  = `{"tenant":{"tenantIdentifier":"new.okta.com","tenantDisplayName":"New"}}`
	)
	tests := []struct {
		name, body string
		connected  bool
		probe      fabric.AuthorizationStatus
		want       string
		generation int64
	}{
		{"name", name, true, fabric.Connected, "Connected", 1},
		{"name and the same credential", sameSecret, true, fabric.Connected, "Connected", 1},
		{"name, and the probe fails", name, true, fabric.ConnectionValidationFailed, "PendingConnect", 1},
		{"name, before it was connected", name, false, fabric.Connected, "PendingConnect", 1},
		{"nothing", `{}`, true, fabric.Connected, "Connected", 1},
		{"another credential", newSecret, true, fabric.Connected, "PendingConnect", 2},
		{"another tenant", newTenant, true, fabric.Connected, "PendingConnect", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			w := who{keyA, region}
			bundle := last(s.mustSend(t, 201, w, "POST", "/appbundles", "").body["appBundle"].(map[string]any)["arn"].(string))
			base := "/appbundles/" + bundle + "/appauthorizations"
			created := s.mustSend(t, 201, w, "POST", base, okta).body["appAuthorization"].(map[string]any)
			id := last(created["appAuthorizationArn"].(string))
			if tt.connected {
				s.mustSend(t, 200, w, "POST", base+"/"+id+"/connect", "{}")
			}
			s.grants.connect = func(fabric.AppAuthorization) fabric.AuthorizationStatus { return tt.probe }
			updated := s.mustSend(t, 200, w, "PATCH", base+"/"+id, tt.body).body["appAuthorization"].(map[string]any)
			got := s.mustSend(t, 200, w, "GET", base+"/"+id, "").body["appAuthorization"].(map[string]any)
			if d := cmp.Diff(got, updated); d != "" {
				t.Errorf("Update answers otherwise than Get:\n%s", d)
			}
			if got["status"] != tt.want || got["createdAt"] != created["createdAt"] || got["updatedAt"] == created["updatedAt"] {
				t.Errorf("got %v, want %s", got, tt.want)
			}
			c := fabric.Caller{Account: accountA, Region: region}
			a, err := s.store.GetAppAuthorization(t.Context(), c, bundle, id)
			if err != nil || a.Generation != tt.generation {
				t.Errorf("generation %d, %v; want %d", a.Generation, err, tt.generation)
			}
		})
	}
}

// Refusals of updates and deletes that other resources stand in the way of.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	auths := "/appbundles/" + f.bundle + "/appauthorizations"
	move := func(id, tenant string) reply {
		return s.send(t, w, "PATCH", auths+"/"+id, `{"tenant":{"tenantIdentifier":"`+tenant+`","tenantDisplayName":"x"}}`)
	}
	second := last(s.mustSend(t, 201, w, "POST", auths, strings.ReplaceAll(okta, "acme", "second")).body["appAuthorization"].(map[string]any)["appAuthorizationArn"].(string))
	for name, r := range map[string]reply{
		"tenant of an ingestion":       move(f.authorization, "new.okta.com"),
		"tenant that is there already": move(second, "acme.okta.com"),
		"delete what is used":          s.send(t, w, "DELETE", auths+"/"+f.authorization, ""),
		"delete with a destination":    s.send(t, w, "DELETE", "/appbundles/"+f.bundle+"/ingestions/"+f.ingestion, ""),
		"unusable bucket":              s.send(t, w, "PATCH", "/appbundles/"+f.bundle+"/ingestions/"+f.ingestion+"/ingestiondestinations/"+f.destination, `{"destinationConfiguration":{"auditLog":{"destination":{"s3Bucket":{"bucketName":"unusable"}}}}}`),
		"another account's bucket": s.send(t, w, "PATCH", "/appbundles/"+f.bundle+"/ingestions/"+f.ingestion+"/ingestiondestinations/"+f.destination, func() string {
			s.furnish(t, who{keyB, region})
			return strings.ReplaceAll(toS3Again, "akida", "akidb")
		}()),
	} {
		if r.line() != "400 ValidationException" || strings.Contains(r.raw, "/secret/path") {
			t.Errorf("%s: %s %s", name, r.line(), r.raw)
		}
	}
	if r := s.send(t, w, "POST", "/appbundles/"+f.bundle+"/ingestions", oktaIngest); r.line() != "409 ConflictException" || r.text("resourceId") != f.ingestion || r.text("resourceType") != "Ingestion" {
		t.Errorf("second ingestion: %s %s", r.line(), r.raw)
	}
	s.mustSend(t, 200, w, "POST", auths+"/"+second+"/connect", "{}")
	s.mustSend(t, 204, w, "DELETE", auths+"/"+second, "")
	var tags strings.Builder
	for i := range 50 {
		fmt.Fprintf(&tags, `,{"key":"k%d","value":""}`, i)
	}
	target := "/tags/" + strings.ReplaceAll(f.bundleARN, "/", "%2F")
	s.mustSend(t, 200, w, "POST", target, `{"tags":[`+tags.String()[1:]+`]}`)
	s.mustSend(t, 200, w, "POST", target, `{"tags":[{"key":"k0","value":"again"}]}`)
	if r := s.send(t, w, "POST", target, `{"tags":[{"key":"one more","value":""}]}`); r.line() != "400 ValidationException" {
		t.Errorf("51 tags: %s %s", r.line(), r.raw)
	}
}

// Deleting an authorization revokes its grant afterwards.
func TestDeleteRevokes(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	bundle := last(s.mustSend(t, 201, w, "POST", "/appbundles", "").body["appBundle"].(map[string]any)["arn"].(string))
	base := "/appbundles/" + bundle + "/appauthorizations"
	id := last(s.mustSend(t, 201, w, "POST", base, okta).body["appAuthorization"].(map[string]any)["appAuthorizationArn"].(string))
	s.mustSend(t, 204, w, "DELETE", base+"/"+id, "")
	s.control.Wait()
	if !slices.Equal(s.grants.revoked, []string{id}) {
		t.Errorf("revoked %v, want %s", s.grants.revoked, id)
	}
}

// An application whose connector is not there is authorized but not connected.
func TestNoConnector(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	bundle := last(s.mustSend(t, 201, w, "POST", "/appbundles", "").body["appBundle"].(map[string]any)["arn"].(string))
	base := "/appbundles/" + bundle + "/appauthorizations"
	id := last(s.mustSend(t, 201, w, "POST", base, strings.ReplaceAll(okta, "OKTA", "DROPBOX")).body["appAuthorization"].(map[string]any)["appAuthorizationArn"].(string))
	if r := s.send(t, w, "POST", base+"/"+id+"/connect", "{}"); r.line() != "400 ValidationException" || !strings.Contains(r.text("message"), "DROPBOX") {
		t.Errorf("got %s %s", r.line(), r.raw)
	}
}

// Over a real connection a request that is too large gets its answer, and a
// caller that goes away is no error of the server's.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	c := s.client(t, who{keyA, region})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.ListAppBundles(ctx, nil); err == nil {
		t.Error("a cancelled call succeeded")
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", *c.Options().BaseEndpoint+"/appbundles", strings.NewReader(strings.Repeat(" ", 1<<20+1)))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 || resp.Header.Get("X-Amzn-Errortype") != "ValidationException" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
}
