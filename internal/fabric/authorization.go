package fabric

import "time"

// AuthType is the kind of credential that an authorization holds.
type AuthType string

// The types of authorization.
const (
	AuthOAuth2 AuthType = "oauth2"
	AuthAPIKey AuthType = "apiKey"
)

// AuthorizationStatus is where an app authorization stands.
type AuthorizationStatus string

// The states of an app authorization.
const (
	PendingConnect             AuthorizationStatus = "PendingConnect"
	Connected                  AuthorizationStatus = "Connected"
	ConnectionValidationFailed AuthorizationStatus = "ConnectionValidationFailed"
	TokenAutoRotationFailed    AuthorizationStatus = "TokenAutoRotationFailed"
)

// PersonaAdmin is the persona of every authorization: AppFabric has had no other
// in use.
const PersonaAdmin = "admin"

// Tenant is a customer of a SaaS application.
type Tenant struct {
	Identifier  string
	DisplayName string
}

// AppAuthorization is leave to read one tenant of one application.
type AppAuthorization struct {
	ID         string
	BundleID   string
	Account    string
	Region     string
	App        string // AppFabric's identifier, such as "OKTA"
	Tenant     Tenant
	AuthType   AuthType
	Status     AuthorizationStatus
	Reason     string // why it is not Connected; the model has no member for it
	Generation int64  // counts the credentials it was given, from 1
	CreatedAt  time.Time
	UpdatedAt  time.Time // of what a user sees; background work leaves it alone
	AuthURL    string    // where a person consents; made anew on each read, of code-flow applications only
}

// ARN returns the authorization's ARN.
func (a AppAuthorization) ARN() ARN {
	return ARN{Region: a.Region, Account: a.Account, Kind: KindAppAuthorization, Bundle: a.BundleID, Child: a.ID}
}

// BundleARN returns the ARN of the bundle that the authorization is in.
func (a AppAuthorization) BundleARN() ARN {
	return ARN{Region: a.Region, Account: a.Account, Kind: KindAppBundle, Bundle: a.BundleID}
}

// Credential is what a user gives to reach an application: a client of the
// user's own (OAuth2) or an API key, never both.
type Credential struct {
	ClientID     string
	ClientSecret Secret
	APIKey       Secret
}

// Type returns the kind of credential.
func (c Credential) Type() AuthType {
	if c.APIKey != "" {
		return AuthAPIKey
	}
	return AuthOAuth2
}
