package m365auditlogs_test

import (
	"testing"

	"selvedge/connector/connectortest"
	"selvedge/connector/m365auditlogs"
)

// FuzzPages: any bytes as an answer.
func FuzzPages(f *testing.F) { connectortest.FuzzPages(f, fuzzCase()) }

// FuzzPlaces: any bytes as the token of a cursor.
func FuzzPlaces(f *testing.F) { connectortest.FuzzPlaces(f, fuzzCase()) }

func fuzzCase() connectortest.FuzzCase {
	return connectortest.FuzzCase{
		App: m365auditlogs.App(), Tenant: "9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915",
		Pages: []string{
			`[{"contentType":"Audit.General","contentId":"a$1","contentUri":"https://manage.office.com/api/v1.0/9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915/activity/feed/audit/a$1","contentCreated":"2026-11-22T19:00:00.000Z","contentExpiration":"2026-11-29T19:00:00.000Z"}]`,
			`[RECORDS]`,
			`[]`,
			`{"error":{"code":"AF20022","message":"No subscription found"}}`,
		},
		Links: []string{
			`https://manage.office.com/api/v1.0/9f1c3b7e-52d4-4c1a-8a0b-6d2e4f70a915/activity/feed/subscriptions/content?contentType=Audit.General&nextPage=x`,
		},
	}
}
