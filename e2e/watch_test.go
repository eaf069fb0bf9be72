package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	"github.com/google/go-cmp/cmp"

	"selvedge/simulator"
)

// webhookSecret is what the webhooks of these tests are signed with.
const webhookSecret = "whsec_c2VsdmVkZ2Ugc2lnbnMgd2ViaG9va3Mgd2l0aCB0aGlz"

// webhook is one request as it came.
type webhook struct {
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"`
	Signature string `json:"signature"`
	Body      string `json:"body"`
}

// status is what a webhook tells of an authorization.
func (w webhook) status(t *testing.T) string {
	t.Helper()
	var told struct {
		Type string
		Data struct{ ARN, Status string }
	}
	if err := json.Unmarshal([]byte(w.Body), &told); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return told.Type + " " + told.Data.Status
}

// alerts receives webhooks. While it holds, none is answered.
type alerts struct {
	*httptest.Server

	mu   sync.Mutex
	hold bool
	got  []webhook
}

func newAlerts(t *testing.T) *alerts {
	t.Helper()
	a := &alerts{hold: true}
	a.Server = httptest.NewServer(a)
	t.Cleanup(a.Close)
	return a
}

func (a *alerts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	a.mu.Lock()
	a.got = append(a.got, webhook{
		r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), r.Header.Get("webhook-signature"), string(body),
	})
	hold := a.hold
	a.mu.Unlock()
	if hold {
		<-r.Context().Done() // the sender is gone
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// came waits until so many webhooks have come, and lets those that come then be answered.
func (a *alerts) came(t *testing.T, n int) []webhook {
	t.Helper()
	var got []webhook
	eventually(t, 30*time.Second, fmt.Sprintf("%d webhooks come", n), func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		got = append([]webhook{}, a.got...)
		if len(got) < n {
			return fmt.Errorf("%d have come", len(got))
		}
		a.hold = false
		return nil
	})
	return got
}

// TestAChangeIsToldThroughAKill: a server that is killed before its webhook is
// answered sends the same once more, and each change in order. Python verifies the signatures.
func TestAChangeIsToldThroughAKill(t *testing.T) {
	t.Parallel()
	python := tool(t, "python3")
	sim, origins := simulated(t, simulator.Options{Seed: 9, Okta: simulator.OktaOptions{PerMinute: -1}})
	a := newAlerts(t)
	dir := t.TempDir()
	args := []string{"--origins", origins, "--webhook-url", a.URL + "/hook", "--poll-interval", "1s", "--listen", freeAddress(t, "127.0.0.9")}
	secret := []string{"SELVEDGE_WEBHOOK_SECRET=" + webhookSecret}
	p := serveWith(t, secret, dir, args...)
	col := collectOkta(t, p, sim)
	first := a.came(t, 1)[0]
	p.kill(t)
	p = serveWith(t, secret, dir, args...)
	again := a.came(t, 2)
	if again[1].ID != first.ID || again[1].Body != first.Body || first.status(t) != "authorization.status Connected" {
		t.Errorf("told %+v, and after the kill %+v", first, again[1])
	}
	_ = must[*appfabric.UpdateAppAuthorizationOutput](t)(p.client(t).UpdateAppAuthorization(t.Context(), &appfabric.UpdateAppAuthorizationInput{
		AppBundleIdentifier: &col.bundle, AppAuthorizationIdentifier: &col.authorization,
		Tenant: &types.Tenant{TenantIdentifier: aws.String(oktaTenant), TenantDisplayName: aws.String("Acme the Second")},
	}))
	all := a.came(t, 4)
	p.stop(t)
	var told []string
	for _, w := range all {
		told = append(told, w.status(t))
	}
	const turned = "authorization.status "
	if diff := cmp.Diff([]string{turned + "Connected", turned + "Connected", turned + "PendingConnect", turned + "Connected"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if n := strings.Count(p.stderr.String(), "an app authorization has another status"); n != 3 {
		t.Errorf("%d lines of the log after the kill tell of three changes", n)
	}
	if want := `selvedge_notifications_total{outcome="sent",type="authorization.status"} 3`; !strings.Contains(p.shown, want) {
		t.Errorf("the metrics lack %s", want)
	}
	if strings.Contains(p.stderr.String()+p.shown, webhookSecret) || strings.Contains(p.stderr.String(), "/hook") {
		t.Error("the log or the metrics show the webhook's secret or URL")
	}
	verified(t, python, all)
}

// verified has testdata/verify_webhook.py look at the signatures.
func verified(t *testing.T, python string, all []webhook) {
	t.Helper()
	input := must[[]byte](t)(json.Marshal(all))
	cmd := exec.CommandContext(t.Context(), python, testdata(t, "verify_webhook.py"), webhookSecret)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if want := fmt.Sprintf("%d verified", len(all)); err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("verify_webhook.py: %v, %q; want %q", err, out, want)
	}
}

// TestMetricsHaveAListener: where one is set, the public one has no metrics.
func TestMetricsHaveAListener(t *testing.T) {
	t.Parallel()
	p := serve(t, t.TempDir(), "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
	found := regexp.MustCompile(`msg=metrics url=(http://127\.0\.0\.1:\d+)/metrics`).FindStringSubmatch(p.stderr.String())
	if found == nil {
		t.Fatalf("the log does not say where the metrics are:\n%s", p.stderr)
	}
	for _, test := range []struct {
		url    string
		status int
		text   string
	}{
		{found[1] + "/metrics", http.StatusOK, `selvedge_duty_behind_seconds{duty="notification"} 0`},
		{found[1] + "/app-bundles", http.StatusNotFound, "the metrics are at /metrics"},
		{p.url + "/metrics", http.StatusForbidden, "MissingAuthenticationTokenException"}, // as any path of the API's
	} {
		req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil))
		res := must[*http.Response](t)(http.DefaultClient.Do(req))
		body := string(must[[]byte](t)(io.ReadAll(res.Body)))
		_ = res.Body.Close()
		body += res.Header.Get("X-Amzn-Errortype")
		if res.StatusCode != test.status || !strings.Contains(body, test.text) {
			t.Errorf("%s: %d %.200s; want %d with %q", test.url, res.StatusCode, body, test.status, test.text)
		}
	}
	refused(t, "choose another address with --metrics-listen", "--data-dir", t.TempDir(), "--listen", "127.0.0.1:0", "--metrics-listen", strings.TrimPrefix(found[1], "http://"))
	refused(t, "SELVEDGE_WEBHOOK_SECRET: set both", "--data-dir", t.TempDir(), "--webhook-url", "http://127.0.0.1:1/")
	p.kill(t)
}
