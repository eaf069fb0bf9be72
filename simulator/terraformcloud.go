package simulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	terraformAuditPath = "/api/v2/organization/audit-trail"
	terraformOrgPath   = "/api/v2/organizations/{organization}"
)

// TerraformCloudOptions configures the simulated HCP Terraform organisation.
type TerraformCloudOptions struct {
	Organization  string // default: example-org
	Token         string // organization API token; default: see [TerraformCloud.Token]
	Users         []User // default: a small company
	PerSecond     int    // requests per second; 0: 30, as documented; negative: no limit
	NoAuditTrails bool   // the organisation's plan lacks the audit-logging entitlement
}

// TerraformCloud is a simulated HCP Terraform organisation.
type TerraformCloud struct {
	*app
	options TerraformCloudOptions
	user    string // a user's token: good, but not for the audit trail
}

func newTerraformCloud(options Options) *TerraformCloud {
	t := &TerraformCloud{options: options.TerraformCloud}
	set := &t.options
	if set.Organization == "" {
		set.Organization = "example-org"
	}
	if set.PerSecond == 0 {
		set.PerSecond = 30
	}
	if len(set.Users) == 0 {
		set.Users = terraformCompany()
	}
	// https://developer.hashicorp.com/terraform/cloud-docs/api-docs#rate-limiting
	// (checked 2026-11-22) has 30 requests per second; that X-RateLimit-Reset is
	// the seconds to wait, with a fraction, is what HashiCorp's own client reads.
	t.app = newApp("TERRAFORMCLOUD", "terraformcloud.localhost", options, &limiter{
		limit: set.PerSecond, window: time.Second, prefix: "X-RateLimit-",
		reset: func(at, now time.Time) string { return strconv.FormatFloat(at.Sub(now).Seconds(), 'f', 3, 64) },
	})
	if set.Token == "" {
		set.Token = t.newToken()
	}
	t.user = t.newToken()
	t.idKey, t.timeKey = "id", "timestamp"
	t.compose = newComposer(set.Users).terraformRecord
	t.serve(t, []route{
		{method: http.MethodGet, path: terraformAuditPath, limited: true, handle: t.auditTrail},
		{method: http.MethodGet, path: terraformOrgPath, limited: true, handle: t.organization},
		{method: http.MethodGet, path: terraformOrgPath + "/organization-memberships", limited: true, handle: t.memberships},
	})
	return t
}

func (t *TerraformCloud) newToken() string {
	return t.mint.id("", 14) + ".atlasv1." + t.mint.secret() + t.mint.secret()[:24]
}

// Organization is the organisation's name, as it is in its URL.
func (t *TerraformCloud) Organization() string { return t.options.Organization }

// Token is the organization API token that is good now.
func (t *TerraformCloud) Token() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.options.Token
}

// UserToken is a user's API token: it can read the organisation and its members,
// but not the audit trail.
func (t *TerraformCloud) UserToken() string { return t.user }

// Account is the organisation with its API token.
func (t *TerraformCloud) Account() Account {
	return Account{
		Tenant: "https://app.terraform.io/app/" + t.options.Organization, Origins: []string{"https://app.terraform.io"},
		APIKey: t.Token(), User: t.options.Users[0].Login,
	}
}

// Revoke replaces the organization API token; an organisation has one at a time.
func (t *TerraformCloud) Revoke() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.options.Token = t.newToken()
}

func (t *TerraformCloud) tooMany(wait time.Duration) answer {
	ans := t.json(http.StatusTooManyRequests, map[string]any{"errors": []any{map[string]any{
		"detail": "You have exceeded the API's rate limit.", "status": 429, "title": "Too many requests",
	}}})
	t.limiter.exhausted(ans.header, wait, t.now())
	return ans
}

func (t *TerraformCloud) broken() answer {
	return t.fail(http.StatusInternalServerError, "internal server error")
}

// unknown is one answer for all: whether something exists is not told.
func (t *TerraformCloud) unknown(*http.Request, bool) answer { return t.missing() }

func (t *TerraformCloud) applies(kind Kind, _ *http.Request) bool {
	switch kind {
	case InvalidGrant, SlowToken, ExpiredCursor, ExpiredToken:
		return false // an API key does not expire, and pages are numbered
	}
	return true
}

func (t *TerraformCloud) refuse(kind Kind, _ *http.Request) (answer, bool) {
	if kind == RevokedGrant {
		t.options.Token = t.newToken()
	}
	return answer{}, false
}

func (t *TerraformCloud) json(status int, document any) answer {
	return jsonAnswer(status, "application/vnd.api+json; charset=utf-8", document)
}

// fail is a JSON:API error object as HCP Terraform writes it.
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs#authentication (checked 2026-11-22)
func (t *TerraformCloud) fail(status int, title string) answer {
	return t.json(status, map[string]any{"errors": []any{map[string]string{"status": strconv.Itoa(status), "title": title}}})
}

// missing is also what a good token gets for what it may not see.
// https://developer.hashicorp.com/terraform/cloud-docs/api-docs#response-codes (checked 2026-11-22)
func (t *TerraformCloud) missing() answer { return t.fail(http.StatusNotFound, "not found") }

// permit checks the token: absent or unknown is 401, and nothing else is.
func (t *TerraformCloud) permit(r *http.Request, organizationOnly bool) *answer {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token != t.options.Token && token != t.user {
		ans := t.fail(http.StatusUnauthorized, "unauthorized")
		return &ans
	}
	if organizationOnly && token != t.options.Token {
		ans := t.missing()
		return &ans
	}
	return nil
}
