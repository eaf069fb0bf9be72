package smartsheet_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/smartsheet"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: smartsheet.App(), Tenant: "label",
		Pages: []string{
			`{"data":[RECORDS],"moreAvailable":true,"nextStreamPosition":"s1"}`,
			`{"data":[RECORDS],"moreAvailable":false,"nextStreamPosition":"s1"}`,
			`{"errorCode":1115,"message":"x"}`,
		},
	}
}
