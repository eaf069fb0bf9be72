package config

import (
	"fmt"
	"slices"
	"strings"
)

// setting is one row of the table.
type setting struct {
	name     string // of the flag, and the key in the file
	env      string
	help     string // one sentence without a full stop, Markdown
	fallback string // the default; empty: none, or what shown says
	shown    string // the default for people, where it is no fixed text
	only     string // "env": neither a flag nor a key of the file
	set      func(s *Settings, text string) error
}

// table lists all settings, in the order in which they are documented.
func table() []setting { return slices.Concat(basics(), work(), watch()) }

// basics says where the server is and what it keeps things in.
func basics() []setting {
	return []setting{
		{
			name: "listen", env: "SELVEDGE_LISTEN", fallback: "127.0.0.1:8686", set: setListen,
			help: "address of the API, the console and the metrics; port 0 takes a free one; beyond loopback without TLS or an https public URL the server warns",
		},
		{
			name: "data-dir", env: "SELVEDGE_DATA_DIR", fallback: "./selvedge-data", set: setDataDir,
			help: "folder of the database, the keys and the local buckets and streams, made with mode 0700",
		},
		{
			name: "database-url", env: "SELVEDGE_DATABASE_URL", shown: "SQLite in the data directory", set: setDatabaseURL,
			help: "PostgreSQL 15 or later, `postgres://user@host/database`, which any number of replicas share; give a URL with a password in the environment, since command lines can be seen",
		},
		{
			name: "public-url", env: "SELVEDGE_PUBLIC_URL", shown: "`http://` + listen, `https://` with a certificate", set: setPublicURL,
			help: "where browsers and providers reach the server; the OAuth redirect is `<public-url>/appfabric/oauth2`",
		},
		{
			name: "tls-cert", env: "SELVEDGE_TLS_CERT", shown: "none", set: setTLSCert,
			help: "file of the certificate, PEM, with those between it and the root: with `tls-key` the server speaks TLS and nothing else; both are read again when they change",
		},
		{
			name: "tls-key", env: "SELVEDGE_TLS_KEY", shown: "none", set: setTLSKey,
			help: "file of the key of `tls-cert`, PEM",
		},
		{
			name: "access-key-id", env: "SELVEDGE_ACCESS_KEY_ID", shown: "made at the first start", only: "env", set: setAccessKeyID,
			help: "access key ID of the root key; either way `<data-dir>/credentials` holds it",
		},
		{
			name: "secret-access-key", env: "SELVEDGE_SECRET_ACCESS_KEY", shown: "made at the first start", only: "env", set: setSecretAccessKey,
			help: "secret access key of the root key",
		},
		{
			name: "account-id", env: "SELVEDGE_ACCOUNT_ID", fallback: "000000000000", set: setAccountID,
			help: "account of the root key, twelve digits",
		},
		{
			name: "master-key-file", env: "SELVEDGE_MASTER_KEY_FILE", shown: "`<data-dir>/master.key`", set: setMasterKeyFile,
			help: "file of the key that all secrets are sealed under, made at the first start with mode 0600; every replica needs the same; to change the key, write the new one on a line above the old one and run `selvedge rewrap`",
		},
		{
			name: "kms-url", env: "SELVEDGE_KMS_URL", fallback: "local://", set: setKMSURL,
			help: "what holds the KMS keys that app bundles name: `local://` derives a key for each from the master key; `aws://` is AWS KMS, with the AWS SDKs' own chain of credentials and `AWS_ENDPOINT_URL_KMS`",
		},
		{
			name: "buckets-url", env: "SELVEDGE_BUCKETS_URL", shown: "`file://<data-dir>/buckets`", set: setBucketsURL,
			help: "where buckets are: `file://` and a folder, in which each bucket is a folder; or `s3://` for Amazon S3, with the AWS SDKs' own chain of credentials and `AWS_ENDPOINT_URL_S3`",
		},
		{
			name: "streams-url", env: "SELVEDGE_STREAMS_URL", shown: "`file://<data-dir>/streams`", set: setStreamsURL,
			help: "where Firehose streams are: `file://` and a folder, in which each stream is a folder; or `firehose://` for Amazon Data Firehose, with the AWS SDKs' own chain of credentials and `AWS_ENDPOINT_URL_FIREHOSE`",
		},
	}
}

// work says how the server does what it does.
func work() []setting {
	return []setting{
		{
			name: "poll-interval", env: "SELVEDGE_POLL_INTERVAL", fallback: "60s", set: setPollInterval,
			help: "how often a provider is asked for new records",
		},
		{
			name: "keep-raw", env: "SELVEDGE_KEEP_RAW", fallback: "6h", set: setKeepRaw,
			help: "how long raw records are kept after their delivery; a new destination first gets all that are kept",
		},
		{
			name: "raw-limit", env: "SELVEDGE_RAW_LIMIT", fallback: "10GiB", set: setRawLimit,
			help: "how much is kept of one ingestion, in bytes of raw records before their compression; beyond it that ingestion alone is not polled, until its destinations have had some",
		},
		{
			name: "free-disk", env: "SELVEDGE_FREE_DISK", fallback: "1GiB", set: setFreeDisk,
			help: "how much of the data directory's disk polling leaves free; with less, polls rest until there is room; 0 does not look, and nothing is looked at where PostgreSQL has the records",
		},
		{
			name: "origins", env: "SELVEDGE_ORIGINS", shown: "none", set: setOrigins,
			help: "sends what is meant for one origin to another, for tests, proxies and government clouds: `https://acme.okta.com=http://127.0.0.1:9000,https://*.zendesk.com=...`",
		},
		{
			name: "proxy-url", env: "SELVEDGE_PROXY_URL", shown: "none", set: setProxyURL,
			help: "proxy through which providers are reached",
		},
		{
			name: "quotas", env: "SELVEDGE_QUOTAS", shown: "none", set: setQuotas,
			help: "how many resources there may be in an account and Region: `aws` for AWS's own (1 bundle, 50 authorizations, 50 ingestions, 5 destinations per ingestion), or `bundles=3,authorizations=1000,ingestions=1000,destinations=5` of which any can be left out",
		},
		{
			name: "throttle", env: "SELVEDGE_THROTTLE", shown: "none", set: setThrottle,
			help: "how often an account may call each operation, on each server: `RATE:BURST`, calls a second and calls at once, such as `50:100`; more is answered with ThrottlingException",
		},
		{
			name: "trail-file", env: "SELVEDGE_TRAIL_FILE", shown: "`<data-dir>/trail/trail.ndjson`", set: setTrailFile,
			help: "file with one CloudTrail-shaped JSON record for each API call, of this server alone, with mode 0600; at 64 MiB it is renamed, and ten such are kept; `none` for no trail",
		},
		{
			name: "log-level", env: "SELVEDGE_LOG_LEVEL", fallback: "info", set: setLogLevel,
			help: "`debug`, `info`, `warn` or `error`",
		},
		{name: "log-format", env: "SELVEDGE_LOG_FORMAT", fallback: "text", set: setLogFormat, help: "`text` or `json`"},
	}
}

// configEnv names the settings file when no flag does.
const configEnv = "SELVEDGE_CONFIG"

// value is the text of a setting and where it came from.
type value struct {
	text  string
	where string // "--listen", "SELVEDGE_LISTEN", "selvedge.yaml:3: listen"
}

// find returns the first value that was given, or the default. An empty text
// counts as not given, as it does in compose files and unit files.
func (s setting) find(flags, env map[string]string, file map[string]value) value {
	if text := flags[s.name]; text != "" && s.only == "" {
		return value{text, "--" + s.name}
	}
	if text := env[s.env]; text != "" {
		return value{text, s.env}
	}
	if v := file[s.name]; v.text != "" {
		return v
	}
	return value{s.fallback, "the default of --" + s.name}
}

// fileKeys lists the keys that the file may have.
func fileKeys() []string {
	var keys []string
	for _, s := range table() {
		if s.only == "" {
			keys = append(keys, s.name)
		}
	}
	return keys
}

// environment makes a map of KEY=value pairs; the last of a key counts.
func environment(environ []string) map[string]string {
	env := make(map[string]string)
	for _, pair := range environ {
		if key, text, ok := strings.Cut(pair, "="); ok && strings.HasPrefix(key, "SELVEDGE_") {
			env[key] = text
		}
	}
	return env
}

// unknownVariables warns of variables that look like settings and are none: a
// misspelt one would otherwise do nothing, silently.
func unknownVariables(environ []string) []string {
	known := []string{configEnv}
	for _, s := range table() {
		known = append(known, s.env)
	}
	var warnings []string
	for key := range environment(environ) {
		if !slices.Contains(known, key) {
			warnings = append(warnings, fmt.Sprintf("%s is set and is no setting: known are %s", key, strings.Join(known, ", ")))
		}
	}
	slices.Sort(warnings)
	return warnings
}
