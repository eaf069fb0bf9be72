package cisco_test

import (
	"testing"

	"selvedge/connector/cisco"
	"selvedge/connector/connectortest"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: cisco.App(), Tenant: "6b0e2c94-31f7-4d58-9c1e-5a7d8f204b36",
		Facts: map[string]string{"org_id": "Y2lzY29zcGFyazovL3VzL09SR0FOSVpBVElPTi82YjBl"},
		Pages: []string{
			`{"items":[RECORDS]}`,
		},
		Links: []string{
			`<https://webexapis.com/v1/adminAudit/events?offset=200&max=200>; rel="next"`,
			`<https://webexapis.com/v1/events?resource=memberships&cursor=x&max=1000>; rel="next"`,
		},
	}
}
