package asana_test

import (
	"testing"

	"selvedge/connector/asana"
	"selvedge/connector/connectortest"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: asana.App(), Tenant: "1234567890",
		Pages: []string{
			`{"data":[RECORDS],"next_page":{"offset":"eyJ0","path":"/x","uri":"https://app.asana.com/api/1.0/x"}}`,
			`{"data":[RECORDS],"next_page":null}`,
		},
	}
}
