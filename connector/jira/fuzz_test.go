package jira_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/jira"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: jira.App(), Tenant: "example",
		Facts: map[string]string{"cloudId": "01234567-89ab-cdef-0123-456789abcdef"},
		Pages: []string{
			`{"offset":0,"limit":1000,"total":2000,"records":[RECORDS]}`,
			`{"offset":0,"limit":1000,"total":8,"records":[RECORDS]}`,
		},
	}
}
