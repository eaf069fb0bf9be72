package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// watch says how operators see what the server does.
func watch() []setting {
	return []setting{
		{
			name: "metrics-listen", env: "SELVEDGE_METRICS_LISTEN", shown: "none", set: setMetricsListen,
			help: "address of a listener for Prometheus alone, without TLS; `/metrics` is then not answered at the address of the API",
		},
		{
			name: "silence-after", env: "SELVEDGE_SILENCE_AFTER", fallback: "24h", set: setSilenceAfter,
			help: "how long an ingestion may go without a record before that is told; 0 never tells",
		},
		{
			name: "webhook-url", env: "SELVEDGE_WEBHOOK_URL", shown: "none", set: setWebhookURL,
			help: "where changes are sent to as webhooks that Standard Webhooks' libraries verify: an authorization or destination has another status, an ingestion is silent, a gap; the log has them either way",
		},
		{
			name: "webhook-secret", env: "SELVEDGE_WEBHOOK_SECRET", shown: "none", only: "env", set: setWebhookSecret,
			help: "what webhooks are signed with, `whsec_` and 24 to 64 bytes in base64; of two, separated by a blank, both sign, so that receivers can change one after the other",
		},
	}
}

func setMetricsListen(s *Settings, text string) error {
	s.MetricsListen = text
	return checkAddress(text)
}

func setSilenceAfter(s *Settings, text string) (err error) {
	if text == "0" {
		s.SilenceAfter = 0
		return nil
	}
	s.SilenceAfter, err = duration(text, time.Minute, 366*24*time.Hour)
	return err
}

// setWebhookURL never repeats the text: many receivers know a sender by it.
func setWebhookURL(s *Settings, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
		return errors.New("want the URL of a webhook, such as https://alerts.example.com/selvedge, without a user, a password or a fragment")
	}
	s.WebhookURL = fabric.Secret(text)
	return nil
}

// The form and size of a secret:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
// (checked 2026-11-23)
const (
	webhookPrefix   = "whsec_"
	leastWebhookKey = 24
	mostWebhookKey  = 64
	mostWebhookKeys = 2
)

func setWebhookSecret(s *Settings, text string) error {
	secrets := strings.Fields(text)
	if len(secrets) > mostWebhookKeys {
		return fmt.Errorf("want one secret, or two separated by a blank, but there are %d", len(secrets))
	}
	for _, secret := range secrets {
		encoded, ok := strings.CutPrefix(secret, webhookPrefix)
		key, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(key) < leastWebhookKey || len(key) > mostWebhookKey {
			return fmt.Errorf("want %s and %d to %d random bytes in base64: echo whsec_$(openssl rand -base64 32) makes one",
				webhookPrefix, leastWebhookKey, mostWebhookKey)
		}
		s.WebhookKeys = append(s.WebhookKeys, fabric.Secret(key))
	}
	return nil
}

// completeWebhook refuses a webhook that could not be verified.
func (s *Settings) completeWebhook() error {
	if (s.WebhookURL == "") != (len(s.WebhookKeys) == 0) {
		return errors.New("--webhook-url and SELVEDGE_WEBHOOK_SECRET: set both, or neither and changes are only logged")
	}
	return nil
}
