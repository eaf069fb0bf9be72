package e2e_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/appfabric"
	"github.com/aws/aws-sdk-go-v2/service/appfabric/types"
	awskms "github.com/aws/aws-sdk-go-v2/service/kms"

	"selvedge/internal/secret/kms/kmstest"
	"selvedge/simulator"
)

// TestKMS collects under a key in AWS KMS, which moto stands in for.
func TestKMS(t *testing.T) {
	t.Parallel()
	kms := kmstest.Start(t)
	sim, origins := simulated(t, simulator.Options{Seed: 8})
	emit(t, sim.Okta().Emit, 20, 0)
	p := serveWith(t, kms.Environ(), t.TempDir(), "--listen", "127.0.0.1:0", "--kms-url", "aws://", "--origins", origins, "--poll-interval", "1s")
	unusable(t, p, kms)
	arn, id := kms.Key(t)
	bundle, err := p.bundleUnder(t, id)
	if err != nil || *bundle.CustomerManagedKeyArn != arn {
		t.Fatalf("by id: %v", err)
	}
	col := collectOktaIn(t, p, sim, bundle.Arn)
	eventually(t, 30*time.Second, "the events are delivered", col.complete(t, 20))
	kms.Calls()
	if out := p.done(t, nil, "rewrap"); !strings.Contains(out, "1 of 1\n") || !strings.Contains(out, "newest keys") {
		t.Errorf("rewrap:\n%s", out)
	}
	if calls := kms.Calls(); !slices.Contains(calls, "TrentService.ReEncrypt") {
		t.Errorf("rewrap called %v", calls)
	}
	emit(t, sim.Okta().Emit, 5, 0)
	eventually(t, 30*time.Second, "the events after the rewrap are delivered", col.complete(t, 25))

	kms.Refuse("DisabledException", 400)
	out, errs, status := p.command(t, nil, "rewrap")
	if status != 1 || !strings.Contains(errs, *bundle.Arn+": the KMS key "+arn+" is disabled: enable it") || !strings.Contains(errs, "1 of 1 are still under older keys") {
		t.Errorf("rewrap with a disabled key: status %d\n%s%s", status, out, errs)
	}
	p.stop(t)

	// A start finds no key in its cache: work waits, and says for what.
	p = serveWith(t, kms.Environ(), p.dir, "--listen", "127.0.0.1:0", "--kms-url", "aws://", "--origins", origins, "--poll-interval", "1s")
	eventually(t, 30*time.Second, "the poll waits for the key", func() error {
		if text := p.done(t, nil, "ingestion", "show", col.ingestion); !strings.Contains(text, "is disabled: enable it") {
			return errors.New(text)
		}
		return nil
	})
	if text := p.done(t, nil, "authorization", "show", col.authorization); !strings.Contains(text, `"status": "Connected"`) {
		t.Errorf("the authorization:\n%s", text)
	}
	emit(t, sim.Okta().Emit, 5, 0)
	kms.Refuse("", 0)
	eventually(t, 90*time.Second, "all goes on", col.complete(t, 30))
	col.check(t)
	p.stop(t)
}

// bundleUnder makes a bundle under a KMS key.
func (p *process) bundleUnder(t *testing.T, key string) (*types.AppBundle, error) {
	t.Helper()
	out, err := p.client(t).CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{CustomerManagedKeyIdentifier: &key})
	if err != nil {
		return nil, err
	}
	return out.AppBundle, nil
}

// unusable sees that no bundle is made under a key that cannot be used.
func unusable(t *testing.T, p *process, kms *kmstest.Server) {
	t.Helper()
	disabled, id := kms.Key(t)
	if _, err := kms.Client().DisableKey(t.Context(), &awskms.DisableKeyInput{KeyId: &id}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		disabled:                               "is disabled: enable it",
		id:                                     "is disabled: enable it",
		"12345678-90ab-cdef-1234-567890abcdef": "does not exist",
		"arn:aws:kms:eu-west-1:123456789012:key/12345678-90ab-cdef-1234-567890abcdef": "is in eu-west-1",
	} {
		_, err := p.bundleUnder(t, key)
		if e, ok := errors.AsType[*types.ValidationException](err); !ok || !strings.Contains(e.ErrorMessage(), want) || len(e.FieldList) != 1 {
			t.Errorf("%s: %v; want a ValidationException with %q", key, err, want)
		}
	}
	arn, _ := kms.Key(t)
	kms.Refuse("AccessDeniedException", 400)
	_, err := p.bundleUnder(t, arn)
	if e, ok := errors.AsType[*types.ValidationException](err); !ok || !strings.Contains(e.ErrorMessage(), "kms:GenerateDataKey") {
		t.Errorf("a key that is not permitted: %v", err)
	}
	kms.Refuse("", 0)
	kms.Down(true)
	_, err = p.bundleUnder(t, arn)
	if _, ok := errors.AsType[*types.InternalServerException](err); !ok {
		t.Errorf("KMS is away: %v", err)
	}
	kms.Down(false)
	if n := len(must[*appfabric.ListAppBundlesOutput](t)(p.client(t).ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{})).AppBundleSummaryList); n != 0 {
		t.Fatalf("%d bundles were made of what was refused", n)
	}

}

// TestANewMasterKey changes the master key by the commands of docs/encryption.md.
func TestANewMasterKey(t *testing.T) {
	t.Parallel()
	sim, origins := simulated(t, simulator.Options{Seed: 9})
	emit(t, sim.Okta().Emit, 10, 0)
	dir := t.TempDir()
	args := []string{"--listen", "127.0.0.1:0", "--origins", origins, "--poll-interval", "1s"}
	path := filepath.Join(dir, "master.key")
	p := serve(t, dir, args...)
	col := collectOkta(t, p, sim)
	env, _, _ := p.makeKey(t, "000000000000", "AWSAppFabricReadOnlyAccess")
	eventually(t, 30*time.Second, "the events are delivered", col.complete(t, 10))
	old := must[[]byte](t)(os.ReadFile(path))

	p.bash(t, walkThrough(t, "docs/encryption.md: new-master-key"), "SELVEDGE_MASTER_KEY_FILE="+path)
	p.stop(t)
	p = serve(t, dir, args...)
	col.dir = filepath.Join(dir, "buckets")
	if out := p.bash(t, walkThrough(t, "docs/encryption.md: rewrap")); !strings.Contains(out, "Everything is under the newest keys") {
		t.Errorf("rewrap:\n%s", out)
	}
	emit(t, sim.Okta().Emit, 5, 0)
	eventually(t, 30*time.Second, "the events after the rewrap are delivered", col.complete(t, 15))
	if _, errs, status := p.command(t, env, "rewrap"); status != 1 || !strings.Contains(errs, "AccessDeniedException") {
		t.Errorf("rewrap with another key than the root's: %s", errs)
	}
	p.bash(t, walkThrough(t, "docs/encryption.md: old-master-key"), "SELVEDGE_MASTER_KEY_FILE="+path)
	p.stop(t)
	if text := must[[]byte](t)(os.ReadFile(path)); bytes.Contains(text, bytes.TrimSpace(old)) || bytes.Count(text, []byte("\n")) != 1 {
		t.Error("the old key is still in the file")
	}

	p = serve(t, dir, args...)
	emit(t, sim.Okta().Emit, 5, 0)
	eventually(t, 30*time.Second, "the events under the new key alone are delivered", col.complete(t, 20))
	col.check(t)
	if _, errs, _ := p.command(t, env, "key", "list"); strings.Contains(errs, "UnrecognizedClient") || strings.Contains(errs, "InternalServer") {
		t.Errorf("the access key does not open any more: %s", errs)
	}
	p.stop(t)

	write(t, path, string(old))
	refuses(t, dir, "not the one that the database was made with")
}

// TestARewrapThatIsCutOff goes on where it was, and until then no server starts
// without the old key.
func TestARewrapThatIsCutOff(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	p := serve(t, dir, "--listen", "127.0.0.1:0")
	for range 25 {
		must[*appfabric.CreateAppBundleOutput](t)(p.client(t).CreateAppBundle(t.Context(), &appfabric.CreateAppBundleInput{}))
	}
	p.bash(t, walkThrough(t, "docs/encryption.md: new-master-key"), "SELVEDGE_MASTER_KEY_FILE="+path)
	p.stop(t)
	both := must[[]byte](t)(os.ReadFile(path))
	newer, _, _ := strings.Cut(string(both), "\n")

	write(t, path, newer+"\n")
	refuses(t, dir, "not the one that the database was made with")
	write(t, path, string(both))
	p = serve(t, dir, "--listen", "127.0.0.1:0")
	out, errs, status := p.command(t, nil, "rewrap", "--endpoint", once(t, p.url))
	if status != 1 || out != "20 of 25\n" || !strings.Contains(errs, "run the command again") {
		t.Errorf("cut off: status %d\n%s%s", status, out, errs)
	}
	p.kill(t)

	write(t, path, newer+"\n")
	refuses(t, dir, "still under another master key")
	write(t, path, string(both))
	p = serve(t, dir, "--listen", "127.0.0.1:0")
	if out := p.done(t, nil, "rewrap"); !strings.HasPrefix(out, "25 of 25\n") {
		t.Errorf("run again:\n%s", out)
	}
	p.stop(t)
	write(t, path, newer+"\n")
	serve(t, dir, "--listen", "127.0.0.1:0").stop(t)
}

// once is a server that passes one request on and breaks off the next.
func once(t *testing.T, to string) string {
	t.Helper()
	target := must[*url.URL](t)(url.Parse(to))
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}}
	var calls atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// refuses sees that no server starts over a data directory.
func refuses(t *testing.T, dir, want string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, "serve", "--data-dir", dir, "--listen", "127.0.0.1:0")
	cmd.Env = plainEnv()
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
		t.Errorf("the server starts, or does not say %q: %v\n%s", want, err, out)
	}
}
