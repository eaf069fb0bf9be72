package config_test

import (
	"flag"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/config"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

var update = flag.Bool("update", false, "write the golden files anew")

// reader serves files from a map.
func reader(files map[string]string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		text, ok := files[name]
		if !ok {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return []byte(text), nil
	}
}

func defaults() config.Settings {
	return config.Settings{
		Listen: "127.0.0.1:8686", DataDir: "./selvedge-data",
		AccountID: "000000000000", MasterKeyFile: "selvedge-data/master.key", BucketsDir: "selvedge-data/buckets", StreamsDir: "selvedge-data/streams",
		PollInterval: time.Minute, KeepRaw: 6 * time.Hour, RawLimit: 10 << 30, FreeDisk: 1 << 30, TrailFile: "selvedge-data/trail/trail.ndjson",
		SilenceAfter: 24 * time.Hour,
		LogLevel:     slog.LevelInfo, LogFormat: "text",
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		flags map[string]string
		env   []string
		file  string
		want  func(*config.Settings)
	}{
		{name: "defaults", want: func(*config.Settings) {}},
		{
			name: "environment", env: []string{"HOME=/", "SELVEDGE_LISTEN=[::1]:0", "SELVEDGE_ACCOUNT_ID=012345678901", "SELVEDGE_POLL_INTERVAL=1s"},
			want: func(s *config.Settings) {
				s.Listen, s.AccountID, s.PollInterval = "[::1]:0", "012345678901", time.Second
			},
		},
		{
			name: "file", file: "account-id: 012345678901\npoll-interval: 2s # often\nlog-format: \"json\"\nproxy-url:\n",
			want: func(s *config.Settings) {
				s.AccountID, s.PollInterval, s.LogFormat = "012345678901", 2*time.Second, "json"
			},
		},
		{
			name:  "the flag before the environment before the file",
			flags: map[string]string{"log-level": "debug"},
			env:   []string{"SELVEDGE_LOG_LEVEL=warn", "SELVEDGE_KEEP_RAW=7h"},
			file:  "log-level: error\nkeep-raw: 8h\npoll-interval: 9s",
			want: func(s *config.Settings) {
				s.LogLevel, s.KeepRaw, s.PollInterval = slog.LevelDebug, 7*time.Hour, 9*time.Second
			},
		},
		{
			name: "an empty value is none", flags: map[string]string{"listen": ""}, env: []string{"SELVEDGE_LISTEN="}, file: "listen: 127.0.0.1:1",
			want: func(s *config.Settings) { s.Listen = "127.0.0.1:1" },
		},
		{
			name: "TLS", env: []string{"SELVEDGE_TLS_KEY=/etc/tls.key"}, flags: map[string]string{"tls-cert": "/etc/tls.crt"},
			want: func(s *config.Settings) { s.TLSCert, s.TLSKey = "/etc/tls.crt", "/etc/tls.key" },
		},
		{
			name: "what follows from the data directory", flags: map[string]string{"data-dir": "/var/lib/selvedge"},
			want: func(s *config.Settings) {
				s.DataDir, s.MasterKeyFile, s.BucketsDir, s.StreamsDir = "/var/lib/selvedge", "/var/lib/selvedge/master.key", "/var/lib/selvedge/buckets", "/var/lib/selvedge/streams"
				s.TrailFile = "/var/lib/selvedge/trail/trail.ndjson"
			},
		},
		{
			name: "places", env: []string{"SELVEDGE_BUCKETS_URL=file:///srv/b", "SELVEDGE_MASTER_KEY_FILE=/k", "SELVEDGE_PUBLIC_URL=https://fabric.example.com/", "SELVEDGE_PROXY_URL=http://u:p@proxy:3128"},
			want: func(s *config.Settings) {
				s.BucketsDir, s.MasterKeyFile, s.PublicURL = "/srv/b", "/k", "https://fabric.example.com"
				s.ProxyURL = &url.URL{Scheme: "http", User: url.UserPassword("u", "p"), Host: "proxy:3128"}
			},
		},
		{
			name: "AWS's places", env: []string{"SELVEDGE_BUCKETS_URL=s3://"}, flags: map[string]string{"streams-url": "firehose://"},
			want: func(s *config.Settings) { s.BucketsS3, s.Firehose = true, true },
		},
		{
			name: "streams in a folder", env: []string{"SELVEDGE_STREAMS_URL=file:///srv/s"},
			want: func(s *config.Settings) { s.StreamsDir = "/srv/s" },
		},
		{
			name: "PostgreSQL", env: []string{"SELVEDGE_DATABASE_URL=postgresql://u:p@db/selvedge?sslmode=require", "SELVEDGE_PUBLIC_URL=https://selvedge.example"},
			want: func(s *config.Settings) {
				s.DatabaseURL, s.PublicURL = "postgresql://u:p@db/selvedge?sslmode=require", "https://selvedge.example"
			},
		},
		{
			name: "origins as a list", file: "origins:\n- https://a.okta.com=http://127.0.0.1:1\n- https://b.okta.com=http://127.0.0.1:2\n",
			want: func(s *config.Settings) {
				s.Origins = []outbound.Origin{{From: "https://a.okta.com", To: "http://127.0.0.1:1"}, {From: "https://b.okta.com", To: "http://127.0.0.1:2"}}
			},
		},
		{
			name: "AWS's limits", env: []string{"SELVEDGE_QUOTAS=aws", "SELVEDGE_TRAIL_FILE=none"}, file: "throttle: 50:100",
			want: func(s *config.Settings) {
				s.Quotas = config.Quotas{Bundles: 1, Authorizations: 50, Ingestions: 50, Destinations: 5}
				s.Throttle, s.TrailFile = config.Throttle{Rate: 50, Burst: 100}, ""
			},
		},
		{
			name: "limits of one's own", file: "quotas: [bundles=3, authorizations=1000]\nthrottle: 0.5:1\ntrail-file: /var/log/trail.ndjson",
			want: func(s *config.Settings) {
				s.Quotas = config.Quotas{Bundles: 3, Authorizations: 1000}
				s.Throttle, s.TrailFile = config.Throttle{Rate: 0.5, Burst: 1}, "/var/log/trail.ndjson"
			},
		},
		{
			name: "a webhook", flags: map[string]string{"webhook-url": "https://hooks.example.com/a?b=c", "metrics-listen": ":9090", "silence-after": "0"},
			env: []string{"SELVEDGE_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw  whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB"},
			want: func(s *config.Settings) {
				s.WebhookURL, s.MetricsListen, s.SilenceAfter = "https://hooks.example.com/a?b=c", ":9090", 0
				s.WebhookKeys = []fabric.Secret{"1\xf2\x90\xf6\xbf\x06)\x8a\xabO\x08\xd4<?\b,\xf6H\xa3b\xda-\xa4\xb0", fabric.Secret(strings.Repeat("A", 24))}
			},
		},
		{
			name: "the root key", env: []string{"SELVEDGE_ACCESS_KEY_ID=AKIDEXAMPLE00000", "SELVEDGE_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCY="},
			want: func(s *config.Settings) {
				s.AccessKeyID, s.SecretAccessKey = "AKIDEXAMPLE00000", "wJalrXUtnFEMI/K7MDENG+bPxRfiCY="
			},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			if test.file != "" {
				files["selvedge.yaml"] = test.file
			}
			got, warnings, err := config.Load(config.Source{Flags: test.flags, Environ: test.env, ReadFile: reader(files)})
			if err != nil {
				t.Fatal(err)
			}
			want := defaults()
			test.want(&want)
			same := cmp.Options{
				cmp.Comparer(func(a, b fabric.Secret) bool { return a.Reveal() == b.Reveal() }),
				cmp.Comparer(func(a, b *url.Userinfo) bool { return a.String() == b.String() }),
			}
			if diff := cmp.Diff(want, got, same); diff != "" {
				t.Errorf("settings (-want +got):\n%s", diff)
			}
			if len(warnings) > 0 {
				t.Errorf("warnings: %q", warnings)
			}
		})
	}
}

// TestRefusals sees that an error names where the value came from and what is
// allowed, in one line, and never a secret.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		where string // "env", "flag" or "file"
		name  string
		text  string
		want  []string
	}{
		{"env", "SELVEDGE_POLL_INTERVAL", "5", []string{"SELVEDGE_POLL_INTERVAL: ", `"5"`, "60s", "24h"}},
		{"env", "SELVEDGE_POLL_INTERVAL", "1ms", []string{"10ms"}},
		{"env", "SELVEDGE_KEEP_RAW", "59s", []string{"1m"}},
		{"flag", "poll-interval", "-1s", []string{"--poll-interval: ", "10ms"}},
		{"flag", "listen", "8686", []string{"--listen: ", "host:port"}},
		{"flag", "listen", "127.0.0.1:65536", []string{"65535"}},
		{"flag", "listen", "127.0.0.1:http", []string{"65535"}},
		{"flag", "listen", "http://127.0.0.1:80", []string{"host:port"}},
		{"flag", "public-url", "fabric.example.com", []string{"http:// or https://"}},
		{"flag", "public-url", "https://fabric.example.com/path", []string{"nothing behind"}},
		{"flag", "public-url", "https://u@fabric.example.com", []string{"nothing behind"}},
		{"flag", "public-url", "https://:80", []string{"a host"}},
		{"flag", "kms-url", "aws", []string{"local://", "aws://"}},
		{"flag", "buckets-url", "s3://audit-logs", []string{"--buckets-url: ", "s3:// alone"}},
		{"flag", "buckets-url", "firehose://", []string{"s3://", "file://"}},
		{"flag", "streams-url", "firehose://events", []string{"--streams-url: ", "firehose:// alone"}},
		{"flag", "streams-url", "s3://", []string{"firehose://", "file://"}},
		{"flag", "buckets-url", "/srv/buckets", []string{"file://"}},
		{"flag", "buckets-url", "file://", []string{"a folder"}},
		{"flag", "database-url", "sqlite:///hunter2", []string{"--database-url: ", "postgres://"}},
		{"flag", "database-url", "postgres://u:hunter2@h:port/d", []string{"--database-url: ", "postgres://"}},
		{"env", "SELVEDGE_DATABASE_URL", "postgres:///hunter2", []string{"SELVEDGE_DATABASE_URL: ", "no host"}},
		{"flag", "data-dir", "file:///srv", []string{"no path"}},
		{"flag", "origins", "https://a.okta.com", []string{"--origins: ", "FROM=TO"}},
		{"flag", "proxy-url", "ftp://proxy", []string{"--proxy-url: ", "socks5"}},
		{"flag", "proxy-url", "hunter2", []string{"http://proxy.example.com:3128"}},
		{"flag", "quotas", "bundle=1", []string{"--quotas: ", `"bundle=1"`, "want aws", "bundles=3"}},
		{"flag", "quotas", "AWS", []string{`"AWS"`, "want aws"}},
		{"flag", "quotas", "bundles", []string{`"bundles" is no quota`}},
		{"flag", "quotas", "bundles=0", []string{`"0"`, "from 1 to 1000000", "leave bundles out"}},
		{"flag", "quotas", "ingestions=1000001", []string{"from 1 to 1000000"}},
		{"flag", "quotas", "destinations=-1", []string{`"-1"`}},
		{"flag", "quotas", "bundles=1,bundles=2", []string{"bundles is given more than once"}},
		{"flag", "quotas", "bundles=1,", []string{`"" is no quota`}},
		{"flag", "throttle", "50", []string{"--throttle: ", `"50"`, "RATE:BURST", "50:100"}},
		{"flag", "throttle", "0:1", []string{"0.001 to 1000000"}},
		{"flag", "throttle", "NaN:1", []string{"RATE:BURST"}},
		{"flag", "throttle", "1:0", []string{"1 to 1000000"}},
		{"flag", "throttle", "1:1.5", []string{"RATE:BURST"}},
		{"flag", "throttle", "Inf:1", []string{"RATE:BURST"}},
		{"flag", "trail-file", "file:///srv/trail", []string{"no path"}},
		{"flag", "metrics-listen", "9090", []string{"--metrics-listen: ", "host:port"}},
		{"flag", "silence-after", "10s", []string{"--silence-after: ", "1m"}},
		{"flag", "webhook-url", "https://hooks.example.com/", []string{"--webhook-url", "SELVEDGE_WEBHOOK_SECRET", "set both"}},
		{"flag", "webhook-url", "ftp://hooks.example.com/hunter2", []string{"--webhook-url: ", "https://alerts.example.com/selvedge"}},
		{"flag", "webhook-url", "https://u:hunter2@hooks.example.com/", []string{"without a user"}},
		{"env", "SELVEDGE_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []string{"--webhook-url", "set both"}},
		{"env", "SELVEDGE_WEBHOOK_SECRET", "whsec_hunter2", []string{"SELVEDGE_WEBHOOK_SECRET: ", "24 to 64", "openssl rand"}},
		{"env", "SELVEDGE_WEBHOOK_SECRET", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", []string{"want whsec_"}},
		{"env", "SELVEDGE_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8I", []string{"24 to 64"}},
		{"env", "SELVEDGE_WEBHOOK_SECRET", "whsec_a whsec_b whsec_c", []string{"there are 3"}},
		{"file", "", "webhook-secret: hunter2hunter2hunter2", []string{`"webhook-secret"`, "known are listen"}},
		{"flag", "log-level", "INFO", []string{"debug, info, warn or error"}},
		{"flag", "log-format", "xml", []string{"text or json"}},
		{"flag", "account-id", "1234", []string{"twelve digits"}},
		{"flag", "config", "none.yaml", []string{"--config: ", "none.yaml"}},
		{"env", "SELVEDGE_CONFIG", "none.yaml", []string{"SELVEDGE_CONFIG: ", "none.yaml"}},
		{"env", "SELVEDGE_ACCESS_KEY_ID", "AKIDEXAMPLE00000", []string{"SELVEDGE_SECRET_ACCESS_KEY", "both"}},
		{"env", "SELVEDGE_TLS_CERT", "/etc/tls.crt", []string{"tls-cert and tls-key", "both"}},
		{"flag", "tls-key", "/etc/tls.key", []string{"tls-cert and tls-key", "both"}},
		{"flag", "tls-key", "file:///etc/tls.key", []string{"--tls-key: ", "no path"}},
		{"env", "SELVEDGE_SECRET_ACCESS_KEY", "hunter2", []string{"SELVEDGE_SECRET_ACCESS_KEY: ", "16 to 256"}},
		{"env", "SELVEDGE_ACCESS_KEY_ID", "AKID/EXAMPLE/0000", []string{"16 to 128"}},
		{"file", "", "listen: nowhere", []string{"selvedge.yaml:1: listen: ", "host:port"}},
		{"file", "", "# settings\npol-interval: 1s", []string{"selvedge.yaml:2: ", `"pol-interval"`, "poll-interval"}},
		{"file", "", "secret-access-key: hunter2hunter2hunter2", []string{`"secret-access-key"`, "known are listen"}},
		{"file", "", "listen: :1\nlisten: :2", []string{"selvedge.yaml:2: ", "more than once"}},
		{"file", "", "listen: {host: a}", []string{"plain value"}},
		{"file", "", "origins: [[a]]", []string{"list of plain values"}},
		{"file", "", "listen: &a :1\norigins: *a", []string{"plain value"}},
		{"file", "", "- listen", []string{"selvedge.yaml:1: ", "name: value"}},
		{"file", "", "listen: [", []string{"selvedge.yaml: "}},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.text, func(t *testing.T) {
			t.Parallel()
			src := config.Source{ReadFile: reader(nil)}
			switch test.where {
			case "env":
				src.Environ = []string{test.name + "=" + test.text}
			case "flag":
				src.Flags = map[string]string{test.name: test.text}
			case "file":
				src.ReadFile = reader(map[string]string{"selvedge.yaml": test.text})
			}
			_, _, err := config.Load(src)
			if err == nil {
				t.Fatal("Load = nil")
			}
			for _, part := range test.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q does not contain %q", err, part)
				}
			}
			if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("error %q has several lines or a secret", err)
			}
		})
	}
}

func TestNamedFile(t *testing.T) {
	t.Parallel()
	files := reader(map[string]string{"selvedge.yaml": "log-level: error", "flag.yaml": "log-level: debug", "env.yaml": "log-level: warn"})
	tests := []struct {
		flags map[string]string
		env   []string
		want  slog.Level
	}{
		{nil, nil, slog.LevelError},
		{nil, []string{"SELVEDGE_CONFIG=env.yaml"}, slog.LevelWarn},
		{map[string]string{"config": "flag.yaml"}, []string{"SELVEDGE_CONFIG=env.yaml"}, slog.LevelDebug},
	}
	for _, test := range tests {
		s, _, err := config.Load(config.Source{Flags: test.flags, Environ: test.env, ReadFile: files})
		if err != nil || s.LogLevel != test.want {
			t.Errorf("%v %v: level %v, %v, want %v", test.flags, test.env, s.LogLevel, err, test.want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	tests := []struct {
		env  []string
		want string // contained in the only warning; empty: none
	}{
		{[]string{"SELVEDGE_LISTEN=0.0.0.0:80"}, "without TLS"},
		{[]string{"SELVEDGE_LISTEN=:80"}, "without TLS"},
		{[]string{"SELVEDGE_LISTEN=:80", "SELVEDGE_PUBLIC_URL=http://a.example.com"}, "without TLS"},
		{[]string{"SELVEDGE_LISTEN=:80", "SELVEDGE_PUBLIC_URL=https://a.example.com"}, ""},
		{[]string{"SELVEDGE_LISTEN=:80", "SELVEDGE_TLS_CERT=c", "SELVEDGE_TLS_KEY=k"}, ""},
		{[]string{"SELVEDGE_LISTEN=localhost:80"}, ""},
		{[]string{"SELVEDGE_LISTEN=[::1]:80"}, ""},
		{[]string{"SELVEDGE_POL_INTERVAL=1s"}, "SELVEDGE_POL_INTERVAL is set and is no setting"},
		{[]string{"SELVEDGE_CONFIG="}, ""},
	}
	for _, test := range tests {
		_, got, err := config.Load(config.Source{Environ: test.env, ReadFile: reader(nil)})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(got, "\n"); (test.want == "") != (text == "") || !strings.Contains(text, test.want) {
			t.Errorf("%v: warnings %q, want %q", test.env, got, test.want)
		}
	}
}

func TestPublicURLAt(t *testing.T) {
	t.Parallel()
	at := func(ip string) *net.TCPAddr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8686} }
	tests := []struct {
		set  string
		cert string
		addr net.Addr
		want string
	}{
		{"", "", at("127.0.0.1"), "http://127.0.0.1:8686"},
		{"", "", at("0.0.0.0"), "http://127.0.0.1:8686"},
		{"", "", at("::"), "http://127.0.0.1:8686"},
		{"", "", at("::1"), "http://[::1]:8686"},
		{"", "c", at("0.0.0.0"), "https://127.0.0.1:8686"},
		{"https://a.example.com", "", at("::"), "https://a.example.com"},
		{"http://a.example.com", "c", at("::"), "http://a.example.com"},
	}
	for _, test := range tests {
		if got := (config.Settings{PublicURL: test.set, TLSCert: test.cert}).PublicURLAt(test.addr); got != test.want {
			t.Errorf("PublicURLAt(%v) of %q = %q, want %q", test.addr, test.set, got, test.want)
		}
	}
}

// TestFlags sees that kong's flags and the table are the same, and that Load
// takes what kong gives.
func TestFlags(t *testing.T) {
	t.Parallel()
	var cli struct {
		Serve struct{ config.Flags } `cmd:""`
	}
	parser, err := kong.New(&cli, kong.Vars(config.Vars()), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{
		"serve", "--config=c.yaml", "--listen=127.0.0.1:1", "--data-dir=d", "--database-url=postgres://h/d", "--public-url=http://h", "--tls-cert=c", "--tls-key=k", "--account-id=111111111111",
		"--master-key-file=k", "--kms-url=aws://", "--buckets-url=file://b", "--streams-url=file://s", "--poll-interval=1s", "--keep-raw=1h", "--raw-limit=1GiB", "--free-disk=0",
		"--origins=https://a=http://b", "--proxy-url=http://p", "--quotas=aws", "--throttle=1:1", "--trail-file=none", "--log-level=warn", "--log-format=json",
		"--metrics-listen=:1", "--silence-after=1h", "--webhook-url=http://h",
	}
	if _, err := parser.Parse(args); err != nil {
		t.Fatal(err)
	}
	given := cli.Serve.Given()
	for _, row := range strings.Split(config.Markdown(), "\n")[2:] {
		if name, ok := strings.CutPrefix(row, "| `--"); ok {
			name, _, _ = strings.Cut(name, "`")
			if given[name] == "" {
				t.Errorf("the setting %s has no flag", name)
			}
		}
	}
	if len(given) != len(args)-1 {
		t.Errorf("%d flags of %d were taken: %v", len(given), len(args)-1, given)
	}
	env := []string{"SELVEDGE_WEBHOOK_SECRET=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	if s, _, err := config.Load(config.Source{Flags: given, Environ: env, ReadFile: reader(map[string]string{"c.yaml": ""})}); err != nil || s.KeepRaw != time.Hour {
		t.Errorf("Load: %+v, %v", s, err)
	}
	if _, err := parser.Parse([]string{"serve"}); err != nil {
		t.Fatal(err)
	}
}

func TestFlagsNotGiven(t *testing.T) {
	t.Parallel()
	if given := (config.Flags{}).Given(); len(given) != 0 {
		t.Errorf("given: %v", given)
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	golden := filepath.Join("..", "..", "docs", "settings.md")
	got := "# Settings\n\nA flag comes before the environment, and that before `selvedge.yaml`.\n\n" + config.Markdown()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("settings.md (-want +got), written anew with -update:\n%s", diff)
	}
}

func FuzzFile(f *testing.F) {
	for _, text := range []string{"", "listen: :1", "origins: [a, b]", "a: &x [*x]", "? {a: b}\n: c", "\x00", "listen: !!binary aGk="} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		_, _, err := config.Load(config.Source{ReadFile: func(string) ([]byte, error) { return text, nil }})
		if err != nil && !strings.HasPrefix(err.Error(), "config: selvedge.yaml") {
			t.Errorf("the error %q does not name the file", err)
		}
	})
}
