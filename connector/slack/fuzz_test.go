package slack_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/slack"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: slack.App(), Tenant: "demo",
		Pages: []string{
			`{"entries":[RECORDS],"response_metadata":{"next_cursor":"dXNlcg=="}}`,
			`{"entries":[RECORDS],"response_metadata":{"next_cursor":""}}`,
			`{"ok":false,"error":"invalid_cursor"}`,
		},
	}
}
