package encode_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"selvedge/internal/encode"
)

const (
	ingestion   = "1b7374b9-0c2f-4c5e-9d2c-6a3f2f1c0b11"
	destination = "129c4667-7a0d-4a55-8a2f-0f6f9f6d2e22"
	batch       = "0196c0de-0000-7000-8000-000000000001"
)

func TestKey(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 0, 30, 0, 7e6, time.FixedZone("", 3600)) // the day before, in UTC
	const rest = "/OKTA/" + ingestion + "/" + destination + "/20261122/AuditLog-1795390200007-f23720ff-a354-5dbc-850f-231802cd39c8"
	for _, test := range []struct{ got, want string }{
		{encode.Key("", "ocsf", "json", "OKTA", ingestion, destination, at, batch), "AWSAppFabric/AuditLog/OCSF/JSON" + rest},
		{encode.Key("raw", "raw", "json", "OKTA", ingestion, destination, at, batch), "raw/AWSAppFabric/AuditLog/RAW/JSON" + rest},
		{encode.Key("a/b/", "ocsf", "parquet", "OKTA", ingestion, destination, at, batch), "a/b/AWSAppFabric/AuditLog/OCSF/PARQUET" + rest},
	} {
		if test.got != test.want {
			t.Errorf("key  %s\nwant %s", test.got, test.want)
		}
	}
}

// TestKeyForm holds the key against the form that consumers of AppFabric's
// objects look for:
// https://github.com/dynatrace-oss/dynatrace-aws-s3-log-forwarder (checked 2026-11-22).
func TestKeyForm(t *testing.T) {
	t.Parallel()
	const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	form := regexp.MustCompile(`^.*?AWSAppFabric/AuditLog/OCSF/JSON/[A-Z0-9]+/` + uuid + `/` + uuid + `/\d{4}\d{2}\d{2}/AuditLog-\d{13}-` + uuid + `$`)
	seen := map[string]bool{}
	for _, d := range []string{destination, ingestion, "no uuid"} {
		for _, b := range []string{batch, "another"} {
			key := encode.Key("p", "ocsf", "json", "TERRAFORMCLOUD", ingestion, d, closed(), b)
			if d != "no uuid" && !form.MatchString(key) {
				t.Errorf("%s has another form", key)
			}
			if object := key[strings.LastIndex(key, "/"):]; seen[object] {
				t.Errorf("%s is there twice", object)
			} else {
				seen[object] = true
			}
		}
	}
}
