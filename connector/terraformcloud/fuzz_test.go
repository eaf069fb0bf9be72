package terraformcloud_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/terraformcloud"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: terraformcloud.App(), Tenant: "example-org",
		Pages: []string{
			`{"data":[RECORDS],"pagination":{"current_page":1,"prev_page":null,"next_page":2,"total_pages":2,"total_count":1001}}`,
			`{"data":[RECORDS],"pagination":{"current_page":1,"prev_page":null,"next_page":null,"total_pages":1,"total_count":9}}`,
		},
	}
}
