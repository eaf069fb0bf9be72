package okta_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/okta"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: okta.App(), Tenant: "dev-1.okta.com",
		Pages: []string{
			`[RECORDS]`,
			`[]`,
			`{"errorCode":"E0000031","errorSummary":"x"}`,
		},
		Links: []string{
			`<https://dev-1.okta.com/api/v1/logs?after=1&limit=1000>; rel="next"`,
		},
	}
}
