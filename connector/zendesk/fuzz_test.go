package zendesk_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/zendesk"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: zendesk.App(), Tenant: "demo",
		Pages: []string{
			`{"audit_logs":[RECORDS],"meta":{"has_more":true,"after_cursor":"x"},"links":{"next":"https://demo.zendesk.com/api/v2/audit_logs.json?page%5Bafter%5D=x"}}`,
			`{"audit_logs":[RECORDS],"meta":{"has_more":false}}`,
		},
	}
}
