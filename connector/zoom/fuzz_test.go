package zoom_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/zoom"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: zoom.App(), Tenant: "5iMuLaTeDaCcOuNtZoOm_1",
		Facts: map[string]string{"api_url": "https://api.zoom.us"},
		Pages: []string{
			`{"page_size":300,"next_page_token":"w1","activity_logs":[RECORDS]}`,
			`{"page_size":300,"next_page_token":"","operation_logs":[RECORDS]}`,
			`{"code":4700,"message":"x"}`,
		},
	}
}
