package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Flags are the settings' flags, as a struct that kong reads: embed it in a
// command. The help texts come from Vars. A flag that was not given is nil.
type Flags struct {
	Config        *string `help:"${config_help}" placeholder:"FILE"`
	Listen        *string `help:"${listen_help}" placeholder:"HOST:PORT"`
	DataDir       *string `help:"${data_dir_help}" placeholder:"DIR"`
	DatabaseURL   *string `name:"database-url" help:"${database_url_help}" placeholder:"URL"`
	PublicURL     *string `name:"public-url" help:"${public_url_help}" placeholder:"URL"`
	TLSCert       *string `name:"tls-cert" help:"${tls_cert_help}" placeholder:"FILE"`
	TLSKey        *string `name:"tls-key" help:"${tls_key_help}" placeholder:"FILE"`
	AccountID     *string `name:"account-id" help:"${account_id_help}" placeholder:"DIGITS"`
	MasterKeyFile *string `help:"${master_key_file_help}" placeholder:"FILE"`
	KMSURL        *string `name:"kms-url" help:"${kms_url_help}" placeholder:"URL"`
	BucketsURL    *string `name:"buckets-url" help:"${buckets_url_help}" placeholder:"URL"`
	StreamsURL    *string `name:"streams-url" help:"${streams_url_help}" placeholder:"URL"`
	PollInterval  *string `help:"${poll_interval_help}" placeholder:"DURATION"`
	KeepRaw       *string `help:"${keep_raw_help}" placeholder:"DURATION"`
	RawLimit      *string `help:"${raw_limit_help}" placeholder:"SIZE"`
	FreeDisk      *string `help:"${free_disk_help}" placeholder:"SIZE"`
	Origins       *string `help:"${origins_help}" placeholder:"FROM=TO,..."`
	ProxyURL      *string `name:"proxy-url" help:"${proxy_url_help}" placeholder:"URL"`
	Quotas        *string `help:"${quotas_help}" placeholder:"QUOTAS"`
	Throttle      *string `help:"${throttle_help}" placeholder:"RATE:BURST"`
	TrailFile     *string `help:"${trail_file_help}" placeholder:"FILE"`
	MetricsListen *string `help:"${metrics_listen_help}" placeholder:"HOST:PORT"`
	SilenceAfter  *string `help:"${silence_after_help}" placeholder:"DURATION"`
	WebhookURL    *string `name:"webhook-url" help:"${webhook_url_help}" placeholder:"URL"`
	LogLevel      *string `help:"${log_level_help}" placeholder:"LEVEL"`
	LogFormat     *string `help:"${log_format_help}" placeholder:"FORMAT"`
}

// configHelp describes the one flag that is no setting.
const configHelp = "settings file (" + configEnv + "; default: " + fileName + " in the working directory, if it is there)"

// Given returns the flags that were given, by name, as Source wants them.
func (f Flags) Given() map[string]string {
	given := make(map[string]string)
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		if text, ok := v.Field(i).Interface().(*string); ok && text != nil {
			given[flagName(v.Type().Field(i))] = *text
		}
	}
	return given
}

// flagName names a flag as kong does: by its tag, else DataDir is data-dir.
func flagName(f reflect.StructField) string {
	if name := f.Tag.Get("name"); name != "" {
		return name
	}
	var b strings.Builder
	for i, r := range f.Name {
		if r >= 'A' && r <= 'Z' && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}

// Vars returns what the help texts of Flags refer to, for kong.Vars.
func Vars() map[string]string {
	vars := map[string]string{"config_help": configHelp}
	for _, s := range table() {
		help := strings.ReplaceAll(s.help, "`", "")
		vars[strings.ReplaceAll(s.name, "-", "_")+"_help"] = fmt.Sprintf("%s (%s; default: %s)", help, s.env, strings.ReplaceAll(s.defaultText(), "`", ""))
	}
	return vars
}
