package e2e_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/internal/certificate/certificatetest"
)

// shownCertificate is the name in the certificate that the server shows now.
func (p *process) shownCertificate(t *testing.T) string {
	t.Helper()
	req := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/healthz", nil))
	res := must[*http.Response](t)(p.web.Do(req))
	defer res.Body.Close()
	return res.TLS.PeerCertificates[0].Subject.CommonName
}

// TestTLS reaches a server with a certificate of a private authority by the
// clients that there are, told of that authority as AWS's clients are, and
// replaces the certificate while the server runs.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir, ca := t.TempDir(), certificatetest.New(t)
	bundle, cert, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	issue := func(name string) {
		text, private := ca.Issue(t, name, "127.0.0.1")
		write(t, cert, string(text))
		write(t, key, string(private))
	}
	write(t, bundle, string(ca.PEM()))
	issue("first")
	trust := "AWS_CA_BUNDLE=" + bundle
	p := serveWith(t, []string{trust}, filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	if !strings.HasPrefix(p.url, "https://127.0.0.1:") {
		t.Fatalf("the public URL is %s", p.url)
	}

	t.Run("the AWS CLI", func(t *testing.T) {
		cmd := exec.CommandContext(t.Context(), tool(t, "aws"), "appfabric", "create-app-bundle", "--output", "json")
		cmd.Env = p.environment(trust)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "arn:aws:appfabric:") {
			t.Errorf("%v\n%s", err, out)
		}
		cmd = exec.CommandContext(t.Context(), tool(t, "aws"), "appfabric", "list-app-bundles")
		cmd.Env = p.environment()
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(strings.ToUpper(string(out)), "CERTIFICATE") {
			t.Errorf("without the authority: %v\n%s", err, out)
		}
	})
	t.Run("the Go SDK", func(t *testing.T) {
		c := must[appfabric.Options](t)(sdkOptions(t.Context(), p.client(t).Options(), bundle))
		must[*appfabric.ListAppBundlesOutput](t)(appfabric.New(c).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}))
	})
	t.Run("our own commands", func(t *testing.T) {
		p.done(t, []string{trust}, "key", "list")
		if _, errs, status := p.command(t, nil, "key", "list"); status != 1 || !strings.Contains(errs, "certificate") {
			t.Errorf("without the authority: status %d, %s", status, errs)
		}
		if _, errs, status := p.command(t, []string{"AWS_CA_BUNDLE=" + key}, "key", "list"); status != 1 || !strings.Contains(errs, "AWS_CA_BUNDLE") {
			t.Errorf("with a file that is no authority: status %d, %s", status, errs)
		}
	})

	if got := p.shownCertificate(t); got != "first" {
		t.Errorf("the certificate is %q", got)
	}
	issue("second")
	eventually(t, 20*time.Second, "the new certificate is shown", func() error {
		if got := p.shownCertificate(t); got != "second" {
			return os.ErrNotExist
		}
		return nil
	})
	p.stop(t)
	refused(t, "load "+cert, "--data-dir", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", bundle)
}

// sdkOptions adds an authority to a client's options, as the SDK reads
// AWS_CA_BUNDLE.
func sdkOptions(ctx context.Context, o appfabric.Options, bundle string) (appfabric.Options, error) {
	f, err := os.Open(bundle)
	if err != nil {
		return o, err
	}
	defer f.Close()
	c, err := config.LoadDefaultConfig(ctx, config.WithCustomCABundle(f), config.WithRegion(o.Region))
	o.HTTPClient = c.HTTPClient
	return o, err
}
