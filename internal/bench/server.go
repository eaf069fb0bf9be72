package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// server is a running selvedge serve.
type server struct {
	cmd     *exec.Cmd
	dir     string
	url     string
	began   time.Time     // just before the process was made
	healthy time.Duration // until /healthz answered
	stderr  *bytes.Buffer
	key     aws.Credentials
}

// region of all requests.
const region = "us-east-1"

// startTimeout is for a server that does not start.
const startTimeout = 20 * time.Second

// serve starts the binary over a data directory and asks until it answers.
func (b *bench) serve(ctx context.Context, dir string, args ...string) (*server, error) {
	return b.serveWith(ctx, dir, nil, args...)
}

// folder is a name for a folder of the run's that is not there yet.
func (b *bench) folder() string {
	b.folders++
	return filepath.Join(b.dir, fmt.Sprintf("data-%d", b.folders))
}

// serveWith is serve with settings in the environment.
func (b *bench) serveWith(ctx context.Context, dir string, env []string, args ...string) (*server, error) {
	listen, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, url: "http://" + listen, stderr: &bytes.Buffer{}}
	args = append([]string{"serve", "--data-dir", dir, "--listen", listen, "--log-level", "warn"}, args...)
	s.cmd = exec.CommandContext(ctx, b.binary, args...)
	s.cmd.Env, s.cmd.Stderr = append(plainEnv(), env...), s.stderr
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.wait(ctx); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	s.healthy = time.Since(s.began)
	if s.key, err = readKey(filepath.Join(dir, "credentials")); err != nil {
		return nil, errors.Join(err, s.kill())
	}
	return s, nil
}

// wait asks /healthz, twice a millisecond, over connections of their own: what
// was refused is not kept.
func (s *server) wait(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for {
		err := get(ctx, client, s.url+"/healthz")
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

// stop ends the server as a person would, and expects an orderly exit.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server ended with %w: %s", err, s.stderr)
	}
	return nil
}

// kill ends a server that is of no more use, and says what it had to say.
func (s *server) kill() error {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	_ = s.cmd.Wait()
	return fmt.Errorf("the server wrote: %s", s.stderr)
}

// peakMemory is the most memory, in MiB, that the server has had; none where
// the system does not tell. The resource usage at its end would tell of the
// process that forked it, too.
func (s *server) peakMemory() series { return s.memory("VmHWM:") }

// memory is a line of the system's about the server's memory, in MiB.
func (s *server) memory(name string) series { return memoryOf(s.cmd.Process.Pid, name) }

// memoryOf is a line of the system's about a process's memory, in MiB.
func memoryOf(pid int, name string) series {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text)) {
		if size, ok := strings.CutPrefix(line, name); ok {
			kib, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB")))
			if err == nil {
				return series{float64(kib) / 1024}
			}
		}
	}
	return nil
}

// cpuSeconds is the time of all CPUs that a process has had, with a resolution
// of ten milliseconds; NaN where the system does not tell.
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html (checked 2026-11-22)
func cpuSeconds(pid int) float64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return math.NaN()
	}
	// The fields behind the name, which may have spaces in it, begin with the third.
	_, behind, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(behind)
	if len(fields) < 13 {
		return math.NaN()
	}
	const perSecond = 100
	user, err := strconv.ParseFloat(fields[11], 64)
	system, also := strconv.ParseFloat(fields[12], 64)
	if errors.Join(err, also) != nil {
		return math.NaN()
	}
	return (user + system) / perSecond
}

// plainEnv is the environment without settings of the product.
func plainEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SELVEDGE_") && !strings.HasPrefix(kv, "AWS_") {
			env = append(env, kv)
		}
	}
	return env
}

// freeAddress is one that nobody listens at.
func freeAddress(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// readKey reads the key that the server made.
func readKey(path string) (aws.Credentials, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return aws.Credentials{}, err
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, "=")
		values[strings.TrimSpace(name)] = strings.TrimSpace(value)
	}
	key := aws.Credentials{AccessKeyID: values["aws_access_key_id"], SecretAccessKey: values["aws_secret_access_key"]}
	if !key.HasKeys() {
		return key, fmt.Errorf("%s has no key", path)
	}
	return key, nil
}

func get(ctx context.Context, client *http.Client, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	_, err = do(client, req)
	return err
}

// do sends a request, reads the answer and expects it to be a success.
func do(client *http.Client, req *http.Request) ([]byte, error) {
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, res.Status, body)
	}
	return body, err
}
