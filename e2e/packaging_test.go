package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"selvedge/internal/config"
	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

const packaging = "../packaging/"

func packaged(t *testing.T, name string) string {
	t.Helper()
	return string(must[[]byte](t)(os.ReadFile(packaging + name)))
}

// TestUnit lets systemd read the unit, and judge what it leaves the server.
func TestUnit(t *testing.T) {
	t.Parallel()
	analyze := tool(t, "systemd-analyze")
	unit := filepath.Join(t.TempDir(), "selvedge.service")
	text := packaged(t, "systemd/selvedge.service")
	write(t, unit, strings.Replace(text, "/usr/local/bin/selvedge", binary, 1))
	for _, args := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=true", "--no-pager", "--threshold=20", unit}, // tenths of what it calls exposure
	} {
		if out, err := exec.CommandContext(t.Context(), analyze, args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
	known(t, regexp.MustCompile(`(?m)^Environment=(\S+)$`).FindAllStringSubmatch(text, -1))
}

// known sees that variables are settings, with values that are allowed.
func known(t *testing.T, found [][]string) {
	t.Helper()
	var env []string
	for _, m := range found {
		env = append(env, m[1])
	}
	_, warnings, err := config.Load(config.Source{Environ: env, ReadFile: func(string) ([]byte, error) { return nil, os.ErrNotExist }})
	if err != nil || len(env) == 0 || slices.ContainsFunc(warnings, func(w string) bool { return strings.Contains(w, "is no setting") }) {
		t.Errorf("%v: %v, %q", env, err, warnings)
	}
}

// TestDockerfile reads the image's recipe; where a daemon of Docker runs, it is
// built and asked for its help.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	text := packaged(t, "Dockerfile")
	_, last, ok := strings.Cut(text, "\nFROM scratch\n")
	if !ok || strings.Contains(last, "\nFROM ") {
		t.Error("the image is not made from scratch")
	}
	for _, want := range []string{"USER 65532:65532\n", "/etc/ssl/certs/ca-certificates.crt\n", `ENTRYPOINT ["/selvedge"]`, "VOLUME /var/lib/selvedge\n"} {
		if !strings.Contains(last, want) {
			t.Errorf("the image lacks %q", want)
		}
	}
	if !strings.Contains(text, "CGO_ENABLED=0 go build") {
		t.Error("the binary may need libraries, which the image has not")
	}
	known(t, regexp.MustCompile(`[ =](SELVEDGE_[A-Z_]+=\S+)`).FindAllStringSubmatch(last, -1))
	copied(t)
	if exec.CommandContext(t.Context(), "docker", "info").Run() != nil {
		t.Log("no daemon of Docker: the image is not built")
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "docker", "build", "-q", "-f", packaging+"Dockerfile", "-t", "selvedge-e2e", "..")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(ctx, "docker", "run", "--rm", "selvedge-e2e", "apps").CombinedOutput(); err != nil || !strings.Contains(string(out), "OKTA") {
		t.Errorf("docker run: %v\n%s", err, out)
	}
}

// copied sees that what .dockerignore leaves has all that the binary is made of.
func copied(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	for line := range strings.Lines(string(must[[]byte](t)(os.ReadFile("../.dockerignore")))) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "!")
		if !ok {
			continue
		}
		source := filepath.Join("..", name)
		if info := must[os.FileInfo](t)(os.Stat(source)); info.IsDir() {
			if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(source)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, filepath.Join(dir, name), string(must[[]byte](t)(os.ReadFile(source))))
	}
	deps := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/selvedge")
	deps.Dir, deps.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := deps.CombinedOutput(); err != nil {
		t.Errorf("what .dockerignore leaves is not all: %v\n%s", err, out)
	}
}

// compose is what is read of the compose file.
type compose struct {
	Services map[string]struct {
		Environment map[string]string
		EnvFile     string `yaml:"env_file"`
		Volumes     []string
		Secrets     []string
	}
	Secrets map[string]struct{ File string }
	Volumes map[string]any
}

func readCompose(t *testing.T) compose {
	t.Helper()
	var c compose
	if err := yaml.Unmarshal([]byte(packaged(t, "compose/compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// environment of a service as compose gives it: the file first, then its own.
func (c compose) environment(t *testing.T, service, dir string) []string {
	t.Helper()
	s := c.Services[service]
	env := strings.Fields(string(must[[]byte](t)(os.ReadFile(filepath.Join(dir, s.EnvFile)))))
	fallback := regexp.MustCompile(`\$\{\w+:-([^}]*)\}`)
	for name, value := range s.Environment {
		env = append(env, name+"="+fallback.ReplaceAllString(value, "$1"))
	}
	return env
}

// TestCompose starts the replicas of the compose file, with the environment that
// it gives them and the secrets that the documentation's commands make, behind a
// real proxy with the configuration beside it. Only names of hosts and folders
// are this machine's.
func TestCompose(t *testing.T) {
	t.Parallel()
	haproxy := tool(t, "haproxy")
	tool(t, "aws")
	c, dir := readCompose(t), t.TempDir()
	shell(t, dir, walkThrough(t, "docs/running.md: secrets"), plainEnv())
	for name, secret := range c.Secrets {
		if info := must[os.FileInfo](t)(os.Stat(filepath.Join(dir, secret.File))); info.Mode() != 0o600 {
			t.Errorf("the secret %s has mode %v", name, info.Mode())
		}
	}
	database, front := storetest.PostgreSQL(t), freeAddress(t, "127.0.0.5")
	sim, origins := simulated(t, simulator.Options{Seed: 10, Okta: simulator.OktaOptions{PerMinute: -1}})
	cfg := packaged(t, "compose/haproxy.cfg")
	replicas := map[string]func() *process{}
	for i, name := range []string{"selvedge-1", "selvedge-2"} {
		listen := freeAddress(t, fmt.Sprintf("127.0.0.%d", 6+i))
		if !strings.Contains(cfg, name+":8686") {
			t.Fatalf("the proxy does not know %s", name)
		}
		cfg = strings.ReplaceAll(cfg, name+":8686", listen)
		var env []string
		for _, kv := range c.environment(t, name, dir) {
			key, _, _ := strings.Cut(kv, "=")
			own := map[string]string{
				"SELVEDGE_DATABASE_URL": database, "SELVEDGE_MASTER_KEY_FILE": filepath.Join(dir, c.Secrets["master_key"].File),
				"SELVEDGE_BUCKETS_URL": "file://" + filepath.Join(dir, "buckets"), "SELVEDGE_PUBLIC_URL": "http://" + front,
			}[key]
			if own != "" {
				kv = key + "=" + own
			}
			env = append(env, kv)
		}
		data := filepath.Join(dir, name)
		replicas[name] = func() *process {
			return serveWith(t, env, data, "--listen", listen, "--origins", origins, "--poll-interval", "200ms")
		}
	}
	write(t, filepath.Join(dir, "haproxy.cfg"), strings.Replace(cfg, "bind :8686", "bind "+front, 1))
	proxy := exec.CommandContext(t.Context(), haproxy, "-f", filepath.Join(dir, "haproxy.cfg"))
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proxy.Process.Kill()
		_ = proxy.Wait()
	})
	one, two := replicas["selvedge-1"](), replicas["selvedge-2"]()
	emit(t, sim.Okta().Emit, 100, 0)
	col := collectOkta(t, one, sim)
	col.dir = filepath.Join(dir, "buckets")
	eventually(t, 30*time.Second, "the events are delivered", col.complete(t, 100))
	one.kill(t)
	eventually(t, 30*time.Second, "the proxy leads to the other", func() error {
		_, err := two.client(t).ListAppBundles(t.Context(), nil)
		return err
	})
	out := two.bashIn(t, dir, walkThrough(t, "docs/running.md: replicas"), "SELVEDGE_PUBLIC_URL=http://"+front)
	if !strings.Contains(out, col.bundle) {
		t.Errorf("the bundle is not listed:\n%s", out)
	}
	emit(t, sim.Okta().Emit, 50, 0)
	eventually(t, 30*time.Second, "the other replica goes on", col.complete(t, 150))
	two.stop(t)
	col.check(t)
}

// TestComposeFile holds what a start on this machine does not show.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	one, two := c.Services["selvedge-1"], c.Services["selvedge-2"]
	if one.Volumes[0] == two.Volumes[0] || one.Volumes[1] != two.Volumes[1] {
		t.Errorf("volumes %v and %v: want a data directory each, and the same buckets", one.Volumes, two.Volumes)
	}
	for name, s := range c.Services {
		for _, v := range s.Volumes {
			volume, _, _ := strings.Cut(v, ":")
			if _, ok := c.Volumes[volume]; !ok && !strings.HasPrefix(volume, "./") {
				t.Errorf("%s has the volume %s, which is nowhere", name, volume)
			}
		}
		for key := range s.Environment {
			if strings.Contains(key, "PASSWORD") || strings.Contains(key, "SECRET") {
				t.Errorf("%s has a secret in the file: %s", name, key)
			}
		}
	}
	if _, ok := c.Secrets["master_key"]; !ok || one.Environment["SELVEDGE_MASTER_KEY_FILE"] != "/run/secrets/master_key" {
		t.Error("the master key is not where the replicas look for it")
	}
}

// TestCertificate serves with the certificate that the documentation's command
// makes.
func TestCertificate(t *testing.T) {
	t.Parallel()
	tool(t, "openssl")
	dir := t.TempDir()
	shell(t, dir, walkThrough(t, "docs/running.md: certificate"), plainEnv())
	cert, key := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	p := serveWith(t, []string{"AWS_CA_BUNDLE=" + cert}, filepath.Join(dir, "data"), "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	p.done(t, []string{"AWS_CA_BUNDLE=" + cert}, "key", "list")
	p.stop(t)
}
