package token

import (
	"context"
	"time"

	"selvedge/connector"
)

// WithStep lets tests stop custody between its steps: after "intent",
// "answered", "stored" and "swapped".
func (o Options) WithStep(step func(name string) error) Options {
	o.step = step
	return o
}

// ReadAnswer is what an answer of a token endpoint is taken for.
func ReadAnswer(auth connector.Auth, status int, body []byte, secrets []string) (outcome, access, refresh, reason string, life time.Duration) {
	r := read(auth, answer{Status: status, Body: body}, secrets)
	return [...]string{"granted", "refused", "rejected", "passing", "unreadable"}[r.outcome], r.access, r.refresh, r.reason, r.life
}

// NewDiscreet is newDiscreet.
func NewDiscreet(s connector.Session, secrets func(context.Context) []string) connector.Session {
	return newDiscreet(s, secrets)
}

// TenantName is tenantName.
var TenantName = tenantName //nolint:gochecknoglobals // for tests
