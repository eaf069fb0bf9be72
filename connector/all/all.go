// Package all lists the applications that Selvedge knows.
package all

import (
	"selvedge/connector"
	"selvedge/connector/okta"
	"selvedge/connector/terraformcloud"
)

// Apps returns every application, in the order of their names.
func Apps() []connector.App {
	return []connector.App{
		okta.App(),
		terraformcloud.App(),
	}
}
