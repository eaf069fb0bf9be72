// Package config reads the settings, once, at start: from the command line,
// the environment and selvedge.yaml, the first of them that has a setting
// deciding. It is a table of settings (see table) and little else; flags, the
// variables of the environment, the keys of the file, the checks and the page
// of the documentation all come from that table.
//
// The package reads nothing by itself: its caller hands in the flags, the
// environment and the way to read a file.
package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

// Settings are what a server is run with. Every member is checked; those that
// nothing set have their defaults.
type Settings struct {
	Listen    string // host:port
	DataDir   string
	PublicURL string // scheme://host[:port], no slash at its end; empty: follows the listener, see PublicURLAt
	TLSCert   string // file; empty: no TLS
	TLSKey    string // file; empty where TLSCert is

	DatabaseURL fabric.Secret // of a PostgreSQL database, may hold a password; empty: SQLite in DataDir

	AccessKeyID     string        // both set or both empty: the root key
	SecretAccessKey fabric.Secret // of AccessKeyID
	AccountID       string        // twelve digits
	MasterKeyFile   string
	KMS             bool // AWS KMS holds users' own keys; else they are derived from the master key

	BucketsS3  bool   // buckets are Amazon S3's; else they are folders
	BucketsDir string // the folder of those
	Firehose   bool   // streams are Amazon Data Firehose's; else they are folders
	StreamsDir string // the folder of those

	PollInterval time.Duration
	KeepRaw      time.Duration // how long a raw batch is kept after its delivery
	RawLimit     int64         // bytes of raw records of an ingestion beyond which it is not polled
	FreeDisk     int64         // bytes that polling leaves free on the data directory's disk; 0: it does not look

	Origins  []outbound.Origin
	ProxyURL *url.URL // nil: none

	Quotas    Quotas
	Throttle  Throttle
	TrailFile string // empty: no trail

	MetricsListen string          // host:port; empty: the API's listener has the metrics
	SilenceAfter  time.Duration   // 0: silence is not told
	WebhookURL    fabric.Secret   // empty: none; then there are no keys either
	WebhookKeys   []fabric.Secret // that sign it

	LogLevel  slog.Level
	LogFormat string // "text" or "json"
}

// Source is where settings come from.
type Source struct {
	Flags    map[string]string // those that were given, by name without dashes; see Flags.Given
	Environ  []string          // as os.Environ gives it
	ReadFile func(name string) ([]byte, error)
}

// fileName is looked for in the working directory.
const fileName = "selvedge.yaml"

// Load reads and checks all settings. An error names where the value came
// from and what is allowed, in one line. The warnings are for the log.
func Load(src Source) (Settings, []string, error) {
	env := environment(src.Environ)
	file, err := readFile(src, env)
	if err != nil {
		return Settings{}, nil, fmt.Errorf("config: %w", err)
	}
	var s Settings
	for _, setting := range table() {
		v := setting.find(src.Flags, env, file)
		if v.text == "" {
			continue
		}
		if err := setting.set(&s, v.text); err != nil {
			return Settings{}, nil, fmt.Errorf("config: %s: %w", v.where, err)
		}
	}
	if err := s.complete(); err != nil {
		return Settings{}, nil, fmt.Errorf("config: %w", err)
	}
	return s, append(s.warnings(), unknownVariables(src.Environ)...), nil
}

// complete fills in the settings whose defaults follow from others, and checks
// those that belong together.
func (s *Settings) complete() error {
	if (s.AccessKeyID == "") != (s.SecretAccessKey == "") {
		return fmt.Errorf("SELVEDGE_ACCESS_KEY_ID and SELVEDGE_SECRET_ACCESS_KEY: set both, or neither and a key is made at the first start")
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return fmt.Errorf("tls-cert and tls-key: set both, or neither and the server speaks no TLS")
	}
	if s.MasterKeyFile == "" {
		s.MasterKeyFile = filepath.Join(s.DataDir, "master.key")
	}
	if s.BucketsDir == "" {
		s.BucketsDir = filepath.Join(s.DataDir, "buckets")
	}
	if s.StreamsDir == "" {
		s.StreamsDir = filepath.Join(s.DataDir, "streams")
	}
	s.completeTrail()
	return s.completeWebhook()
}

// PublicURLAt returns the public URL of a server that listens at addr, which
// has the port that a setting of port 0 was given.
func (s Settings) PublicURLAt(addr net.Addr) string {
	if s.PublicURL != "" {
		return s.PublicURL
	}
	scheme := "http://"
	if s.TLSCert != "" {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + addr.String()
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

func (s Settings) warnings() []string {
	if s.DatabaseURL != "" && s.PublicURL == "" {
		return append(s.exposure(), "SELVEDGE_PUBLIC_URL is not set: replicas on one database must all have the address that they are reached at together, "+
			"or each sends people who consent back to itself")
	}
	return s.exposure()
}

func (s Settings) exposure() []string {
	host, _, _ := net.SplitHostPort(s.Listen) // Listen is checked
	if isLoopback(host) || s.TLSCert != "" || strings.HasPrefix(s.PublicURL, "https://") {
		return nil
	}
	return []string{fmt.Sprintf("the server listens at %s, beyond this machine, without TLS: "+
		"give it a certificate with --tls-cert and --tls-key, put a proxy with TLS in front of it and set the public URL to https://..., or listen on 127.0.0.1", s.Listen)}
}
