package ocsftest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"selvedge/ocsf/ocsftest"
)

// sound is a valid event that the table breaks.
const sound = `{
	"activity_id": 1, "activity_name": "Logon", "category_uid": 3, "category_name": "Identity & Access Management",
	"class_uid": 3002, "class_name": "Authentication", "type_uid": 300201, "type_name": "Authentication: Logon",
	"time": 1700000000000, "severity_id": 1, "severity": "Informational", "status_id": 99, "status": "CHALLENGE", "message": "m",
	"metadata": {"version": "1.1.0", "product": {"name": "Okta", "vendor_name": "Okta"}, "profiles": ["host"], "uid": "1"},
	"user": {"uid": "u", "email_addr": "a@b.cd", "type_id": 1, "type": "User"}, "service": {"name": "Okta"},
	"device": {"type_id": 0, "ip": "10.0.0.1", "location": {"coordinates": [6.9, 50.9]}, "os": {"name": "Linux", "type_id": 200}},
	"src_endpoint": {"ip": "::1", "port": 443}, "is_mfa": true, "unmapped": {"a.b": "c"}, "raw_data": "{}"
}`

func TestSound(t *testing.T) {
	t.Parallel()
	if wrong := ocsftest.Validate(oneLine(t, sound)); wrong != nil {
		t.Errorf("a valid event: %q", wrong)
	}
}

// TestValidate breaks each rule.
func TestValidate(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 65536)
	for _, test := range []struct{ name, from, to, wrong string }{
		{"unknown attribute", `"message"`, `"massage"`, "massage is no attribute"},
		{"unknown attribute of an object", `"uid": "u"`, `"uid": "u", "nick": "n"`, "user.nick is no attribute"},
		{"attribute of another class", `"is_mfa"`, `"web_resources": [{"name": "w"}], "is_mfa"`, "web_resources is no attribute"},
		{"no time", `"time": 1700000000000,`, ``, "time is required"},
		{"no user", `"user": {"uid": "u", "email_addr": "a@b.cd", "type_id": 1, "type": "User"},`, ``, "user is required"},
		{"no vendor", `, "vendor_name": "Okta"`, ``, "metadata.product.vendor_name is required"},
		{"no device type", `"type_id": 0, "ip"`, `"ip"`, "device.type_id is required"},
		{"no system type", `, "type_id": 200`, ``, "device.os.type_id is required"},
		{"a string for a number", `1700000000000`, `"1700000000000"`, "time is no number"},
		{"a fraction", `1700000000000`, `1700000000000.5`, "time is no integer"},
		{"a number for a string", `"message": "m"`, `"message": 1`, "message is no string"},
		{"a string for a boolean", `"is_mfa": true`, `"is_mfa": "true"`, "is_mfa is no boolean"},
		{"a string for an object", `"service": {"name": "Okta"}`, `"service": "Okta"`, "service is no object"},
		{"a string for a list", `["host"]`, `"host"`, "metadata.profiles is no list"},
		{"a string for a coordinate", `[6.9, 50.9]`, `["6.9", 50.9]`, "device.location.coordinates[0] is no number"},
		{"outside an enum", `"severity_id": 1, "severity": "Informational"`, `"severity_id": 8`, "severity_id is none of its enum"},
		{"an activity that is none", `"activity_id": 1, "activity_name": "Logon"`, `"activity_id": 7`, "activity_id is none of its enum"},
		{"type_uid", `300201`, `300202`, "type_uid is 300202, not 300201"},
		{"category", `"category_uid": 3`, `"category_uid": 6`, "category_uid is 6"},
		{"class", `3002,`, `3999,`, "class_uid is none of the classes"},
		{"version", `"1.1.0"`, `"1.0.0"`, "metadata.version is 1.0.0"},
		{"at least one", `"service": {"name": "Okta"},`, ``, "has none of [dst_endpoint service]"},
		{"at least one of an object", `"user": {"uid": "u", `, `"user": {`, "user has none of [account name uid]"},
		{"at least one, inherited", `"service": {"name": "Okta"}`, `"service": {"version": "1"}`, "service has none of [name uid]"},
		{"no identifier of a device", `, "ip": "10.0.0.1"`, ``, "device has none of"},
		{"e-mail", `a@b.cd`, `a b`, "user.email_addr is no email_t"},
		{"address", `10.0.0.1`, `10.0.0`, "device.ip is no ip_t"},
		{"zone", `"::1"`, `"::1%lo"`, "src_endpoint.ip is no ip_t"},
		{"port", `443`, `70000`, "src_endpoint.port is out of range"},
		{"too long", `"m"`, `"` + long + `"`, "message has more than 65535"},
		{"sibling", `"severity": "Informational"`, `"severity": "INFO"`, "the text beside it is"},
		{"sibling of an object", `"type": "User"`, `"type": "Admin"`, "the text beside it is"},
		{"activity name", `"Logon", "cat`, `"Login", "cat`, "the text beside it is"},
		{"class name", `"class_name": "Auth`, `"class_name": "auth`, "class_name is"},
		{"category name", `"Identity & Access Management"`, `"IAM"`, "category_name is"},
		{"type name", `"Authentication: Logon"`, `"Authentication: Login"`, "type_name is"},
		{"null", `"message": "m"`, `"message": null`, "message is null"},
		{"empty string", `"message": "m"`, `"message": ""`, "message is empty"},
		{"empty object", `{"a.b": "c"}`, `{}`, "unmapped is empty"},
		{"empty list", `["host"]`, `[]`, "metadata.profiles is empty"},
		{"unmapped, not text", `"a.b": "c"`, `"a.b": 1`, "unmapped.a.b is no text"},
		{"twice", `"message": "m"`, `"message": "m", "message": "m"`, "message is there twice"},
		{"profile not listed", `"profiles": ["host"], `, ``, "device is of the profile host"},
		{"profile that is none", `["host"]`, `["host", "fantasy"]`, "no profile of the class"},
		{"profile twice", `["host"]`, `["host", "host"]`, "has host twice"},
		{"profile without its object", `["host"]`, `["host", "cloud"]`, "cloud is required by the profile"},
		{"attribute of a profile", `"is_mfa"`, `"cloud": {"provider": "AWS"}, "is_mfa"`, "cloud is of the profile"},
		{"half", `}`, ``, "is no JSON"},
		{"two", `{`, `{"a":1} {`, "is no JSON"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(sound, test.from) {
				t.Fatalf("the event has no %s", test.from)
			}
			broken := strings.Replace(string(oneLine(t, sound)), test.from, test.to, 1)
			got := strings.Join(ocsftest.Validate([]byte(broken)), "\n")
			if !strings.Contains(got, test.wrong) {
				t.Errorf("got %q, want %q", got, test.wrong)
			}
		})
	}
}

// TestLongRaw: the one rule that is not kept.
func TestLongRaw(t *testing.T) {
	t.Parallel()
	line := strings.Replace(sound, `"{}"`, `"`+strings.Repeat("x", 70000)+`"`, 1)
	if wrong := ocsftest.Validate(oneLine(t, line)); wrong != nil {
		t.Errorf("long raw_data: %q", wrong)
	}
}

func TestJustOne(t *testing.T) {
	t.Parallel()
	const head = `{"activity_id":1,"category_uid":3,"class_uid":3003,"type_uid":300301,"time":1,"severity_id":0,` +
		`"metadata":{"version":"1.1.0","product":{"name":"n","vendor_name":"v"}},"user":{"uid":"u"}`
	for rest, want := range map[string]bool{
		`,"privileges":["p"]}`: true, `,"group":{"name":"g"}}`: true, `}`: false, `,"privileges":["p"],"group":{"name":"g"}}`: false,
	} {
		if got := ocsftest.Validate([]byte(head + rest)); (got == nil) != want {
			t.Errorf("%s: %q", rest, got)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	line := string(oneLine(t, sound))
	for _, test := range []struct {
		line string
		want bool
	}{
		{line + "\n", true}, {line + "\n\n", false}, {sound, false}, {strings.Replace(line, `"m"`, "\"\xff\"", 1), false}, {"", false}, {"[]", false}, {"7", false},
	} {
		if got := ocsftest.Validate([]byte(test.line)); (got == nil) != test.want {
			t.Errorf("%.40q: %q", test.line, got)
		}
	}
}

func oneLine(t *testing.T, s string) []byte {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(strings.TrimSpace(line))
		out.WriteByte(' ')
	}
	if !json.Valid([]byte(out.String())) {
		t.Fatalf("no JSON: %s", out.String())
	}
	return []byte(strings.TrimSpace(out.String()))
}
