package fabric

import "time"

// UserAccessStatus is where a user access task stands.
type UserAccessStatus string

// The states of a user access task. Completed says that the user was found, and
// nothing else does: whoever reads the status alone must not take a person
// without access for one with it. So a search that found nobody has Failed, with
// UserNotFound; AWS's reference lists that text among the errors and does not
// say which state goes with it
// (https://docs.aws.amazon.com/appfabric/latest/adminguide/getting-started-security.html
// and .../latest/api/API_UserAccessResultItem.html, checked 2026-11-22).
const (
	InProgress UserAccessStatus = "IN_PROGRESS"
	Completed  UserAccessStatus = "COMPLETED"
	TaskFailed UserAccessStatus = "FAILED"
	Expired    UserAccessStatus = "EXPIRED"
)

// UserAccessLife is how long a user access task looks for an answer before it
// expires.
const UserAccessLife = 24 * time.Hour

// UserAccessTask is the search for one user in one tenant of one application.
type UserAccessTask struct {
	ID              string
	BundleID        string
	AuthorizationID string
	Account         string
	Region          string
	App             string
	Tenant          Tenant // as it was when the task was started
	Email           string // as it was asked for; applications compare it in their own ways
	Status          UserAccessStatus
	Error           UserAccessError // of a task in progress: why it has no answer yet; empty: no failure so far
	User            AccessUser      // of a task that is Completed
	CreatedAt       time.Time
	EndedAt         time.Time // zero: in progress
}

// AccessUser is what an application says of a user. Empty fields are those that
// it does not tell.
type AccessUser struct {
	ID        string `json:"id,omitempty"`
	FullName  string `json:"fullName,omitempty"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Status    string `json:"status,omitempty"` // the application's own word
}

// UserAccessError says why a search has found no user. The empty one is none.
type UserAccessError string

// The codes of errors. AWS's own are not public: these are Selvedge's, one for
// each text that AWS documents.
const (
	UserNotFound         UserAccessError = "USER_NOT_FOUND"
	TokenNotFound        UserAccessError = "AUTHORIZATION_TOKEN_NOT_FOUND"
	TokenRevoked         UserAccessError = "AUTHORIZATION_TOKEN_REVOKED"
	TokenNotRotated      UserAccessError = "AUTHORIZATION_TOKEN_ROTATION_FAILED"
	PermissionsNotFound  UserAccessError = "REQUIRED_PERMISSIONS_NOT_FOUND"
	AuthorizationInvalid UserAccessError = "APP_AUTHORIZATION_NOT_VALID"
	AppForbids           UserAccessError = "INSUFFICIENT_PERMISSIONS"
	AppThrottles         UserAccessError = "APPLICATION_REQUEST_LIMIT_EXCEEDED"
	AppInternalError     UserAccessError = "APPLICATION_INTERNAL_SERVER_ERROR"
	AppBadGateway        UserAccessError = "APPLICATION_BAD_GATEWAY"
	AppNotReady          UserAccessError = "APPLICATION_NOT_READY"
	AppBadRequest        UserAccessError = "APPLICATION_BAD_REQUEST"
	AppUnavailable       UserAccessError = "APPLICATION_SERVICE_UNAVAILABLE"
)

// Message is AWS's own text, word for word
// (https://docs.aws.amazon.com/appfabric/latest/adminguide/getting-started-security.html,
// step 4, checked 2026-11-22).
func (e UserAccessError) Message() string {
	const connect = " Connect the app authorization for the application."
	switch e {
	case UserNotFound:
		return "The user not found"
	case TokenNotFound:
		return "An authorization token was not found." + connect
	case TokenRevoked:
		return "The authorization token was revoked." + connect
	case TokenNotRotated:
		return "We were unable to rotate the authorization token." + connect
	case PermissionsNotFound:
		return "The required permissions were not found." + connect
	case AuthorizationInvalid:
		return "The app authorization is not valid."
	case AppForbids:
		return "We couldn't call the application API due to insufficient permissions."
	case AppThrottles:
		return "The application request limit was exceeded."
	case AppInternalError:
		return "Application encountered an internal server error"
	case AppBadGateway:
		return "Application encountered a bad gateway error"
	case AppNotReady:
		return "Application is not ready to handle the request"
	case AppBadRequest:
		return "The application encountered a bad request error."
	case AppUnavailable:
		return "The application encountered a service unavailable error."
	default:
		return ""
	}
}

// UserAccessErrors is every code.
func UserAccessErrors() []UserAccessError {
	return []UserAccessError{
		UserNotFound, TokenNotFound, TokenRevoked, TokenNotRotated, PermissionsNotFound, AuthorizationInvalid, AppForbids,
		AppThrottles, AppInternalError, AppBadGateway, AppNotReady, AppBadRequest, AppUnavailable,
	}
}

// MayFindUsers says whether a search can be made with an authorization; granted,
// whether there are tokens to make it with. When not, the error says why. An
// authorization that waits for a new connection goes on with the grant that it
// has.
func (a AppAuthorization) MayFindUsers(granted bool) UserAccessError {
	switch {
	case a.Status == TokenAutoRotationFailed:
		return TokenNotRotated
	case a.Status == ConnectionValidationFailed:
		return AuthorizationInvalid
	case a.Status == PendingConnect && !granted:
		return TokenNotFound
	default:
		return ""
	}
}
