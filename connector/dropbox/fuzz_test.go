package dropbox_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/dropbox"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: dropbox.App(), Tenant: "any label",
		Pages: []string{
			`{"events":[RECORDS],"cursor":"AAE","has_more":true}`,
			`{"events":[RECORDS],"cursor":"AAE","has_more":false}`,
			`{"error_summary":"reset/..","error":{".tag":"reset"}}`,
		},
	}
}
