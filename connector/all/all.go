// Package all lists the applications that Selvedge knows.
package all

import (
	"selvedge/connector"
	"selvedge/connector/asana"
	"selvedge/connector/cisco"
	"selvedge/connector/dropbox"
	"selvedge/connector/google"
	"selvedge/connector/jira"
	"selvedge/connector/m365"
	"selvedge/connector/m365auditlogs"
	"selvedge/connector/okta"
	"selvedge/connector/slack"
	"selvedge/connector/smartsheet"
	"selvedge/connector/terraformcloud"
	"selvedge/connector/zendesk"
	"selvedge/connector/zoom"
)

// Apps returns every application, in the order of their names.
func Apps() []connector.App {
	return []connector.App{
		asana.App(),
		cisco.App(),
		dropbox.App(),
		google.App(),
		jira.App(),
		m365.App(),
		m365auditlogs.App(),
		okta.App(),
		slack.App(),
		smartsheet.App(),
		terraformcloud.App(),
		zendesk.App(),
		zoom.App(),
	}
}
