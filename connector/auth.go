package connector

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// Grant says how an authorization comes to its credentials.
type Grant int

// The grants. All but APIKey are "oauth2" on the wire.
const (
	AuthorizationCode  Grant = iota // a person consents in a browser
	ClientCredentials               // client id and secret are the grant
	AccountCredentials              // Zoom's server-to-server grant
	APIKey                          // one opaque string
)

// ClientAuth says how the client shows its secret to the token endpoint.
type ClientAuth int

// The styles of client authentication (RFC 6749, section 2.3.1).
const (
	ClientBasic ClientAuth = iota // HTTP Basic
	ClientPost                    // client_id and client_secret in the form
)

// Auth says how an application is signed in to. Every URL is a template whose
// {names} are filled in from the tenant identifier (see Tenant).
type Auth struct {
	Grant  Grant
	Tenant Tenant

	Origin       string   // of the API, such as "https://{domain}"; calls elsewhere are refused
	Origins      []string // further ones that a session may call; "https://*.zoom.us" is every host below zoom.us
	AuthorizeURL string   // of AuthorizationCode
	TokenURL     string   // of all but APIKey
	RevokeURL    string   // RFC 7009; empty: the provider has none

	Scopes         []string          // to ask for; of a grant without consent, those that the client must have
	ScopeParam     string            // empty: "scope"
	ScopeSeparator string            // empty: a space
	Params         map[string]string // further parameters of the authorize URL
	TokenParams    map[string]string // further parameters of every request for tokens, templates like the URLs
	ClientAuth     ClientAuth
	PKCE           bool // S256, where the provider takes it

	TokenPath  string // member of the token answer that holds the tokens, such as "authed_user"; empty: the answer itself
	ScopesTold bool   // the answer's "scope" lists what was granted, in the spelling of Scopes: less fails the connection

	Rotating bool          // each refresh token is good for one use
	Lifetime time.Duration // of an access token whose answer does not say
	Facts    []string      // members of the token answer to keep with the authorization

	Signing string // how a call carries the credential: "bearer", "header" or "basic"
	Header  string // of "header": its name
}

// Type is the type of authorization on the wire.
func (a Auth) Type() fabric.AuthType {
	if a.Grant == APIKey {
		return fabric.AuthAPIKey
	}
	return fabric.AuthOAuth2
}

// Tenant says which tenant identifiers an application takes.
type Tenant struct {
	Forms   []TenantForm // tried in order
	Example string       // an identifier of one of the forms, of nobody
	Hint    string       // what is expected and where to find it, for the person who got it wrong
}

// TenantForm is one spelling of a tenant identifier.
type TenantForm struct {
	Pattern string            // regular expression; its named groups fill URL templates
	Vars    map[string]string // further variables, templates over the named groups

	compiled *regexp.Regexp // of Pattern; nil: not yet
}

// Compiled returns t with its patterns compiled, for whoever asks for Vars
// often. A pattern that does not compile stays for Vars to report.
func (t Tenant) Compiled() Tenant {
	t.Forms = slices.Clone(t.Forms)
	for i := range t.Forms {
		if re, err := t.Forms[i].compile(); err == nil {
			t.Forms[i].compiled = re
		}
	}
	return t
}

func (f TenantForm) compile() (*regexp.Regexp, error) {
	if f.compiled != nil {
		return f.compiled, nil
	}
	re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`)
	if err != nil {
		return nil, fmt.Errorf("tenant form %q: %w", f.Pattern, err)
	}
	return re, nil
}

// Vars returns the template variables of a tenant identifier, or an error that
// says what is expected.
func (t Tenant) Vars(identifier string) (map[string]string, error) {
	for _, form := range t.Forms {
		re, err := form.compile()
		if err != nil {
			return nil, err
		}
		m := re.FindStringSubmatch(identifier)
		if m == nil {
			continue
		}
		vars := make(map[string]string, len(m))
		for i, name := range re.SubexpNames() {
			if name != "" {
				vars[name] = m[i]
			}
		}
		for name, template := range form.Vars {
			vars[name] = Expand(template, vars)
		}
		return vars, nil
	}
	return nil, fmt.Errorf("the tenant identifier %q is not of the form that the application uses: %s", identifier, t.Hint)
}

// Allows says whether a session may call an origin, such as
// "https://api.example.com": the application's own, or one of its further ones.
func (a Auth) Allows(origin string, vars map[string]string) bool {
	if origin == Expand(a.Origin, vars) {
		return true
	}
	for _, o := range a.Origins {
		o = Expand(o, vars)
		scheme, suffix, wild := strings.Cut(o, "*")
		host, below := strings.CutPrefix(origin, scheme)
		name, within := strings.CutSuffix(host, suffix)
		// What stands for the asterisk is a name: behind a slash or an @ it
		// would not be the host's.
		if o == origin || wild && below && within && name != "" && !strings.ContainsAny(name, `/?#@:\`) {
			return true
		}
	}
	return false
}

// Expand replaces each {name} of a template by its variable. A name without a
// variable is left as it is.
func Expand(template string, vars map[string]string) string {
	if !strings.Contains(template, "{") {
		return template
	}
	pairs := make([]string, 0, 2*len(vars))
	for name, value := range vars {
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
