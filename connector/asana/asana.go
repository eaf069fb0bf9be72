// Package asana is the application ASANA: the audit log of one Asana domain on
// an Enterprise plan, read with the token of a service account.
//
// Facts checked 2026-11-22:
//   - what AppFabric asks for: https://docs.aws.amazon.com/appfabric/latest/adminguide/asana.html
//   - audit log and identifiers: https://github.com/Asana/openapi/blob/master/defs/asana_oas.yaml
package asana

import "selvedge/connector"

// App describes the application.
func App() connector.App {
	return connector.App{Name: "ASANA", Title: "Asana", Auth: auth()}
}

func auth() connector.Auth {
	return connector.Auth{
		Grant: connector.APIKey,
		Tenant: connector.Tenant{
			Forms:   []connector.TenantForm{{Pattern: `(?P<workspace>[0-9]+)`}},
			Example: `1234567890123456`,
			Hint:    `the Asana domain ID, a number such as "1234567890123456"; the admin console shows it under Settings, Domain settings`,
		},
		Origin:  "https://app.asana.com",
		Signing: "bearer",
	}
}
