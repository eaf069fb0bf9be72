package encode

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write docs/parquet.md anew")

// hive is a column's type in the DDL of Glue and Athena.
// https://docs.aws.amazon.com/athena/latest/ug/data-types.html (checked 2026-11-22)
func hive(c column) string {
	switch c.kind {
	case whole:
		return "int"
	case big:
		return "bigint"
	case fraction:
		return "double"
	case yesno:
		return "boolean"
	case object:
		fields := make([]string, len(c.fields))
		for i, f := range c.fields {
			fields[i] = quoted(f.name) + ":" + hive(f)
		}
		return "struct<" + strings.Join(fields, ",") + ">"
	case list:
		return "array<" + hive(c.fields[0]) + ">"
	case pairs:
		return "map<string,string>"
	default:
		return "string"
	}
}

// quoted puts a name that DDL reserves between backticks.
// https://docs.aws.amazon.com/athena/latest/ug/reserved-words.html (checked 2026-11-22)
func quoted(name string) string {
	if slices.Contains([]string{"user", "group", "time"}, name) {
		return "`" + name + "`"
	}
	return name
}

func createTable() string {
	var lines []string
	for _, c := range columns() {
		lines = append(lines, "  "+quoted(c.name)+" "+hive(c))
	}
	return strings.Join(lines, ",\n")
}

// TestDocs holds docs/parquet.md against the columns: between its marks stands
// what is made of them. Run with -update after a change that is meant.
func TestDocs(t *testing.T) {
	t.Parallel()
	const page, begin, end = "../../docs/parquet.md", "<!-- columns: go test ./internal/encode -run TestDocs -update -->\n", "<!-- end of columns -->\n"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s lacks its marks", page)
	}
	want := before + begin + fmt.Sprintf("```sql\nCREATE EXTERNAL TABLE ocsf_events (\n%s\n)\n%s```\n", createTable(), tableEnd) + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("%s is stale (-want +got):\n%s", page, diff)
	}
}

const tableEnd = `PARTITIONED BY (day string)
STORED AS PARQUET
LOCATION 's3://BUCKET/AWSAppFabric/AuditLog/OCSF/PARQUET/OKTA/INGESTION/DESTINATION/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyyMMdd',
  'projection.day.range' = '20260101,NOW',
  'storage.location.template' = 's3://BUCKET/AWSAppFabric/AuditLog/OCSF/PARQUET/OKTA/INGESTION/DESTINATION/${day}/'
);
`

// sample is the table of AWS's sample for Security Lake, whose columns have the
// types of 2023.
// https://github.com/aws-samples/build-a-security-monitoring-solution-with-aws-appfabric-and-amazon-security-lake (checked 2026-11-22)
func sample() map[string]string {
	const person = "struct<uid:string,email_addr:string,credential_uid:string,name:string,type:string>"
	return map[string]string{
		"activity_id": "string", "activity_name": "string",
		"actor":         "struct<session:struct<created_time:bigint,uid:string,issuer:string>,user:" + person + ">",
		"user":          person,
		"group":         "struct<uid:string,desc:string,name:string,type:string,privileges:array<string>>",
		"privileges":    "array<string>",
		"http_request":  "struct<http_method:string,user_agent:string,url:string>",
		"auth_protocol": "string", "auth_protocol_id": "int", "category_name": "string", "category_uid": "string",
		"class_name": "string", "class_uid": "string", "is_mfa": "boolean", "raw_data": "string",
		"severity": "string", "severity_id": "int", "status": "string", "status_detail": "string", "status_id": "int",
		"time": "bigint", "type_name": "string", "type_uid": "string", "description": "string",
		"metadata": "struct<product:struct<uid:string,vendor_name:string,name:string>,processed_time:string,version:string,uid:string,event_code:string>",
		"device": "struct<uid:string,hostname:string,ip:string,name:string,region:string,type:string,os:struct<name:string,type:string,version:string>," +
			"location:struct<coordinates:array<float>,city:string,state:string,country:string,postal_code:string,continent:string,desc:string>>",
		"unmapped": "map<string,string>",
		// There with data, which no event has.
		"web_resources": "array<struct<name:string,uid:string,type:string,desc:string,url_string:string>>",
	}
}
