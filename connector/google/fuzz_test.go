package google_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/google"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: google.App(), Tenant: "my-project-123456",
		Pages: []string{
			`{"kind":"admin#reports#activities","items":[RECORDS],"nextPageToken":"A:1"}`,
			`{"items":[RECORDS]}`,
			`{"error":{"code":403,"errors":[{"reason":"userRateLimitExceeded"}]}}`,
		},
	}
}
