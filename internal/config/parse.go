package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
)

func setListen(s *Settings, text string) error {
	s.Listen = text
	return checkAddress(text)
}

func checkAddress(text string) error {
	host, port, err := net.SplitHostPort(text)
	if err != nil || strings.ContainsAny(host, " /@") {
		return fmt.Errorf("%q is no address: want host:port, such as 127.0.0.1:8686", text)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q has no port between 0 and 65535, but %q", text, port)
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func setDataDir(s *Settings, text string) error {
	s.DataDir = text
	return checkPath(text)
}

// setDatabaseURL never repeats the text: it may hold a password.
func setDatabaseURL(s *Settings, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return fmt.Errorf("want the URL of a PostgreSQL database, such as postgres://selvedge@db.example.com/selvedge, or nothing for SQLite in the data directory")
	}
	if u.Host == "" && u.Query().Get("host") == "" {
		return fmt.Errorf("the URL of the database names no host: want postgres://user@host/database")
	}
	s.DatabaseURL = fabric.Secret(text)
	return nil
}

func setMasterKeyFile(s *Settings, text string) error {
	s.MasterKeyFile = text
	return checkPath(text)
}

func checkPath(text string) error {
	if strings.ContainsRune(text, 0) || strings.Contains(text, "://") {
		return fmt.Errorf("%q is no path", text)
	}
	return nil
}

func setPublicURL(s *Settings, text string) error {
	u, err := origin(text, "http", "https")
	if err != nil {
		return err
	}
	s.PublicURL = u.Scheme + "://" + u.Host
	return nil
}

func setTLSCert(s *Settings, text string) error {
	s.TLSCert = text
	return checkPath(text)
}

func setTLSKey(s *Settings, text string) error {
	s.TLSKey = text
	return checkPath(text)
}

func setProxyURL(s *Settings, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("want the URL of a proxy, such as http://proxy.example.com:3128") // the text may hold a password
	}
	switch u.Scheme {
	case "http", "https", "socks5":
	default:
		return fmt.Errorf("the scheme %q is none of http, https and socks5", u.Scheme)
	}
	s.ProxyURL = u
	return nil
}

// origin parses a URL of a scheme and a host and nothing behind them.
func origin(text string, schemes ...string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err == nil {
		for _, scheme := range schemes {
			if u.Scheme == scheme && u.Hostname() != "" && u.User == nil &&
				(u.Path == "" || u.Path == "/") && u.RawQuery == "" && !u.ForceQuery && u.Fragment == "" {
				return u, nil
			}
		}
	}
	return nil, fmt.Errorf("%q is no such URL: want %s, a host and perhaps a port, and nothing behind them", text, strings.Join(schemes, ":// or ")+"://")
}

// An access key ID has 16 to 128 word characters, as in IAM's AccessKey:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKey.html (checked 2026-11-22)
var accessKeyPattern = regexp.MustCompile(`^\w{16,128}$`)

func setAccessKeyID(s *Settings, text string) error {
	if !accessKeyPattern.MatchString(text) {
		return fmt.Errorf("%q is no access key ID: want 16 to 128 letters, digits and underscores", text)
	}
	s.AccessKeyID = text
	return nil
}

// A signature that was overheard can be tried against guesses offline: a short
// secret would be found.
var secretPattern = regexp.MustCompile(`^[!-~]{16,256}$`)

func setSecretAccessKey(s *Settings, text string) error {
	if !secretPattern.MatchString(text) {
		return fmt.Errorf("want 16 to 256 printable ASCII characters without blanks") // the text is secret
	}
	s.SecretAccessKey = fabric.Secret(text)
	return nil
}

var accountPattern = regexp.MustCompile(`^[0-9]{12}$`)

func setAccountID(s *Settings, text string) error {
	if !accountPattern.MatchString(text) {
		return fmt.Errorf("%q is no account ID: want twelve digits", text)
	}
	s.AccountID = text
	return nil
}

func setKMSURL(s *Settings, text string) error {
	if text != "local://" && text != "aws://" {
		return fmt.Errorf("%q is no place of KMS keys: want local:// or aws://", text)
	}
	s.KMS = text == "aws://"
	return nil
}

func setBucketsURL(s *Settings, text string) (err error) {
	s.BucketsDir, s.BucketsS3, err = places(text, "s3", "buckets")
	return err
}

func setStreamsURL(s *Settings, text string) (err error) {
	s.StreamsDir, s.Firehose, err = places(text, "firehose", "streams")
	return err
}

// places reads where the folders of something are, or that the service has it,
// whose address AWS's own variables tell.
func places(text, service, what string) (dir string, isService bool, err error) {
	scheme, path, ok := strings.Cut(text, "://")
	switch {
	case ok && scheme == "file" && path != "":
		return path, false, checkPath(path)
	case ok && scheme == service && path == "":
		return "", true, nil
	case ok && scheme == service:
		return "", false, fmt.Errorf("%q has %q behind the scheme: want %s:// alone, each destination names its own", text, path, service)
	}
	return "", false, fmt.Errorf("%q is no place of %s: want %s://, or file:// and a folder, such as file:///var/lib/selvedge/%s", text, what, service, what)
}

func setPollInterval(s *Settings, text string) (err error) {
	s.PollInterval, err = duration(text, 10*time.Millisecond, 24*time.Hour)
	return err
}

func setKeepRaw(s *Settings, text string) (err error) {
	s.KeepRaw, err = duration(text, time.Minute, 366*24*time.Hour)
	return err
}

func duration(text string, from, to time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < from || d > to {
		return 0, fmt.Errorf("%q is not allowed: want a number and a unit, such as 60s or 6h, from %v to %v", text, from, to)
	}
	return d, nil
}

func setOrigins(s *Settings, text string) error {
	origins, err := outbound.ParseOrigins(text)
	if err != nil {
		return err
	}
	s.Origins = origins
	return nil
}

func setLogLevel(s *Settings, text string) error {
	levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
	level, ok := levels[text]
	if !ok {
		return fmt.Errorf("%q is no log level: want debug, info, warn or error", text)
	}
	s.LogLevel = level
	return nil
}

func setLogFormat(s *Settings, text string) error {
	if text != "text" && text != "json" {
		return fmt.Errorf("%q is no log format: want text or json", text)
	}
	s.LogFormat = text
	return nil
}
