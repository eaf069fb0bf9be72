package m365_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: m365.App(), Tenant: "9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915",
		Pages: []string{
			`{"value":[RECORDS],"@odata.nextLink":"https://graph.microsoft.com/v1.0/auditLogs/directoryAudits?$skiptoken=x"}`,
			`{"value":[RECORDS],"@odata.nextLink":"https://graph.microsoft.com/v1.0/auditLogs/signIns?$skiptoken=x"}`,
			`{"value":[RECORDS]}`,
		},
	}
}
