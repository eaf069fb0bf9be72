// Package m365auditlogs is the application M365AUDITLOGS: the unified audit log
// of one Microsoft 365 tenant, by the Office 365 Management Activity API. An
// ingestion of it needs the tenant's authorization of M365 as well.
//
// The API collects records in blobs, for each of five content types that must be
// subscribed to, and lists the blobs by the time at which they became
// available. A poll lists first, and has one blob a page after that.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/microsoft-365.html
//   - sign-in: https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow
//   - audit log: https://learn.microsoft.com/en-us/office/office-365-management-api/office-365-management-activity-api-reference
package m365auditlogs

import (
	"net/http"
	"slices"
	"time"

	"selvedge/connector"
	"selvedge/connector/rest"
)

// The streams.
const (
	streamDirectory  = "azure_active_directory"
	streamExchange   = "exchange"
	streamSharePoint = "sharepoint"
	streamGeneral    = "general"
	streamDLP        = "dlp"
)

// feed is a stream and its content type.
type feed struct{ stream, contentType string }

func feeds() []feed {
	return []feed{
		{streamDirectory, "Audit.AzureActiveDirectory"},
		{streamExchange, "Audit.Exchange"},
		{streamSharePoint, "Audit.SharePoint"},
		{streamGeneral, "Audit.General"},
		{streamDLP, "DLP.All"},
	}
}

const (
	// pageMax is what a blob is taken to have at most: no limit is documented,
	// and none is relied on.
	pageMax   = 500
	retention = 7 * 24 * time.Hour
	// overlap is long since records may be listed again days later (unverified),
	// in other blobs: their ids are kept for it. Streams that run by arrival read
	// nothing again, but for a restart after the cursor has expired.
	overlap = 6 * 24 * time.Hour
)

// App describes the application.
func App() connector.App {
	app := connector.App{
		Name:  "M365AUDITLOGS",
		Title: "Microsoft 365 audit logs",
		Guide: connector.Guide{
			Plan: "Enterprise", Role: "an administrator who can consent for the tenant",
			Steps: []string{
				"Turn auditing on.",
				"Use the application of M365 or register another one of a single tenant.",
				"Add the delegated permissions of the Office 365 Management APIs above, and grant admin consent.",
				"Connect M365 as well: this one is collected only while that is connected.",
			},
			Fields: connector.Fields{Tenant: "Directory (tenant) ID", ClientID: "Application (client) ID", ClientSecret: "Client secret value"},
		},

		Auth:     auth(),
		Requires: "M365",
		// 2,000 requests a minute for each tenant, at the least.
		Pace:      connector.Pace{PerSecond: 30, Burst: 60},
		Open:      func(env connector.Env) connector.Session { return open(env) },
		Normalize: Normalize,
	}
	for _, f := range feeds() {
		app.Streams = append(app.Streams, connector.Stream{
			Name: f.stream, Shapes: shapes()[f.stream], Arrival: true, PageMax: pageMax, Overlap: overlap, Retention: retention,
		})
	}
	return app
}

// auth is sign-in at the tenant's own endpoints, for a resource of its own: a
// token of Microsoft Graph is not accepted at manage.office.com. All three
// permissions are asked for by name, as AppFabric's guide has them: of each, the
// feed or the consent is incomplete without it. The clouds of governments have
// other hosts, which the origins setting leads to.
func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.AuthorizationCode,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<tenant>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})`}},
			Example: `01234567-89ab-cdef-0123-456789abcdef`,
			Hint: `the Microsoft Entra tenant ID, a GUID such as "01234567-89ab-cdef-0123-456789abcdef", spelled as in the ` +
				`authorization of M365; the Microsoft Entra admin center shows it on its overview page`,
		},
		Origin:       "https://manage.office.com",
		AuthorizeURL: "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
		TokenURL:     "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
		Scopes: []string{
			"https://manage.office.com/ActivityFeed.Read", "https://manage.office.com/ActivityFeed.ReadDlp",
			"https://manage.office.com/ServiceHealth.Read", "offline_access",
		},
		Params: map[string]string{"response_mode": "query"},
		// As of M365: some refresh tokens are taken only with the scope.
		TokenParams: map[string]string{
			"scope": "https://manage.office.com/ActivityFeed.Read https://manage.office.com/ActivityFeed.ReadDlp " +
				"https://manage.office.com/ServiceHealth.Read offline_access",
		},
		ClientAuth: connector.ClientPost,
		PKCE:       true,
		// Each refresh brings a new refresh token, and the one before is not
		// revoked by it.
		Lifetime: time.Hour, // the least: Microsoft chooses 60 to 90 minutes
		Signing:  "bearer",
	}
}

// The codes of the API's errors that mean something to us.
const (
	codeOff       = "AF20022" // no subscription
	codeDisabled  = "AF20023" // the subscription was disabled by somebody
	codeOn        = "AF20024" // the subscription is on already
	codeNoContent = "AF20050" // a blob that does not exist
)

// dialect is how the API refuses. The status that goes with a code is not
// documented, so that those that occur are all named.
func dialect() rest.Dialect {
	d := rest.Dialect{
		Code:    "error.code",
		Reasons: []string{"error.code", "error.message", "Message"},
		Waits:   []rest.Wait{{Header: "Retry-After", Unit: rest.Seconds}},
	}
	for _, k := range []struct {
		kind     connector.Kind
		codes    []string
		statuses []int
	}{
		{connector.Throttled, []string{"AF429"}, []int{http.StatusForbidden, http.StatusTooManyRequests}},
		// A missing permission, a tenant that is not the token's, and a
		// subscription that may not be started again.
		{
			connector.Forbidden,
			[]string{"AF10001", "AF20010", "AF20011", "AF20012", "AF20013", codeDisabled},
			[]int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden},
		},
		// A page of the list that is no longer known, an interval or a blob
		// that is too old. AF20055 is not documented; Beats takes it for AF20030
		// (https://github.com/elastic/beats/blob/main/x-pack/filebeat/input/o365audit/listblobs.go,
		// checked 2026-11-22).
		{
			connector.CursorExpired,
			[]string{"AF20030", "AF20031", "AF20051", "AF20055"},
			[]int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusGone},
		},
	} {
		for _, code := range k.codes {
			for _, status := range k.statuses {
				d.Rules = append(d.Rules, rest.Rule{Status: status, Code: code, Kind: k.kind})
			}
		}
	}
	return d
}

// typeOf is the content type of a stream; empty where there is no such stream.
func typeOf(stream string) string {
	i := slices.IndexFunc(feeds(), func(f feed) bool { return f.stream == stream })
	if i < 0 {
		return ""
	}
	return feeds()[i].contentType
}

// identify finds an event's id and time.
func identify(record rest.Doc) (string, time.Time) {
	at, _ := clock(record.Text("CreationTime"))
	return record.Text("Id"), at.UTC()
}
