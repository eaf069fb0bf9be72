package wire_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/wire"
)

// edge is one value of one member, just within or just outside of what is
// allowed.
type edge struct {
	name   string
	value  any // absent: left out
	broken bool
}

type leftOut struct{}

// edgesOf derives the edges of a member from its constraints.
func edgesOf(m wire.Member) []edge {
	var all []edge
	s := m.Shape
	add := func(name string, value any, broken bool) { all = append(all, edge{name, value, broken}) }
	if m.In == wire.InBody {
		add("left out", leftOut{}, m.Required)
		add("null", nil, m.Required)
	}
	switch s.Kind {
	case wire.Text:
		if m.In == wire.InBody {
			add("number", 5, true)
			add("structure", map[string]any{}, true)
			add("NUL", "a\x00b", true)
		}
		textEdges(m, add)
	case wire.Integer:
		for _, n := range []int{s.Min, s.Max} {
			add(fmt.Sprintf("value %d", n), fmt.Sprint(n), false)
		}
		add("below", fmt.Sprint(s.Min-1), true)
		add("above", fmt.Sprint(s.Max+1), true)
		add("text", "ten", true)
		add("fraction", "1.5", true)
		add("huge", "99999999999999999999", true)
	case wire.List:
		if m.In == wire.InBody {
			add("text", "x", true)
			add("element of another type", []any{5}, true)
			add("null element", []any{nil}, true)
		}
		for _, n := range []int{s.Min, s.Max} {
			add(fmt.Sprintf("%d elements", n), many(s.Element, n), false)
		}
		add("one more", many(s.Element, s.Max+1), true)
		if s.Min > 0 {
			add("one fewer", many(s.Element, s.Min-1), true)
		}
	default:
		add("list", []any{}, true)
		add("text", "x", true)
		if s.Union {
			add("no member", map[string]any{}, true)
			add("an unknown member", map[string]any{"other": map[string]any{}}, true)
			both := map[string]any{}
			for _, part := range s.Members {
				both[part.Name] = sample(&part.Shape)
			}
			if len(both) > 1 {
				add("two members", both, true)
			}
		}
	}
	return all
}

func textEdges(m wire.Member, add func(string, any, bool)) {
	s := m.Shape
	for _, e := range s.Enum {
		add("value "+e, e, false)
	}
	switch {
	case s.Enum != nil:
		add("no such value", s.Enum[0]+"x", true)
		add("other case", strings.ToUpper(s.Enum[0]), true)
		return
	case s.Pattern != "":
		add("sample", fill(&s, 0), false)
		add("sample and more", fill(&s, 0)+"\n", true)
		add("no match", "§", true)
	case s.Min > 0:
		add("shortest", fill(&s, s.Min), false)
	}
	if s.Min > 0 && m.In != wire.InPath { // an empty label is another route
		add("too short", strings.Repeat("é", s.Min-1), true)
	}
	if s.Max > 0 {
		add("longest", fill(&s, s.Max), false)
		add("too long", fill(&s, s.Max+1), true)
	}
}

// fill is text of n characters that keeps the shape's pattern; n 0: as short as
// it likes.
func fill(s *wire.Shape, n int) string {
	head, unit, tail := "", "é", ""
	switch {
	case strings.Contains(s.Pattern, "arn:"):
		head, unit = "arn:x", "é"
	case strings.Contains(s.Pattern, "https"):
		head, unit = "https://x", "y"
	case strings.Contains(s.Pattern, "@"):
		unit, tail = "a", "a@b.c"
	case s.Pattern != "":
		return "12345678-90ab-cdef-1234-567890abcdef"
	}
	return head + strings.Repeat(unit, max(0, n-len(head)-len(tail))) + tail
}

// sample is a valid value of a shape.
func sample(s *wire.Shape) any {
	switch s.Kind {
	case wire.Text:
		if s.Enum != nil {
			return s.Enum[0]
		}
		return fill(s, max(s.Min, 1))
	case wire.List:
		return many(s.Element, max(s.Min, 1))
	default:
		v := map[string]any{}
		for _, m := range s.Members {
			v[m.Name] = sample(&m.Shape)
			if s.Union {
				break
			}
		}
		return v
	}
}

// many is a list of n valid elements that differ.
func many(s *wire.Shape, n int) []any {
	all := make([]any, n)
	for i := range all {
		v := sample(s)
		if m, ok := v.(map[string]any); ok && m["key"] != nil {
			m["key"] = fmt.Sprintf("key %d", i)
		}
		all[i] = v
	}
	return all
}

// put sets the value at a path of a body. Of a union on the way it leaves the
// one member that the path goes through.
func put(values map[string]any, members []wire.Member, path []string, value any) {
	at := slices.IndexFunc(members, func(m wire.Member) bool { return m.Name == path[0] })
	m := members[at]
	if len(path) == 1 {
		if _, ok := value.(leftOut); ok {
			delete(values, m.Name)
		} else {
			values[m.Name] = value
		}
		return
	}
	child, ok := values[m.Name].(map[string]any)
	if !ok {
		child = sample(&m.Shape).(map[string]any)
	}
	if m.Shape.Union {
		if child[path[1]] == nil {
			i := slices.IndexFunc(m.Shape.Members, func(m wire.Member) bool { return m.Name == path[1] })
			child = map[string]any{path[1]: sample(&m.Shape.Members[i].Shape)}
		}
	}
	values[m.Name] = child
	put(child, m.Shape.Members, path[1:], value)
}

// visit calls f for every member, with its path; of lists also for the members
// of an element.
func visit(prefix []string, members []wire.Member, f func(path []string, m wire.Member)) {
	for _, m := range members {
		path := append(slices.Clone(prefix), m.Name)
		f(path, m)
		visit(path, m.Shape.Members, f)
	}
}

// Every constraint of every member of every operation is met at its edge, and
// broken beyond it.
func TestEveryEdge(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	byName := map[string]call{}
	for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
		byName[c.operation] = c
	}
	tried := 0
	for _, op := range wire.Operations() {
		c := byName[op.Name]
		visit(nil, op.Input, func(path []string, m wire.Member) {
			for _, e := range edgesOf(m) {
				if m.Name == "app" && !e.broken {
					continue // of the lengths that the model allows, only some are names of applications
				}
				target, body := c.with(t, op.Input, path, m, e.value)
				r := s.send(t, w, c.method, target, body)
				name := strings.Join(path, ".")
				told := slices.ContainsFunc(r.fields(), func(got string) bool { return got == name || strings.HasPrefix(got, name+"[") })
				// A value within the constraints may be refused for what it means.
				constraint := told && strings.Contains(r.text("message"), "validation error")
				if constraint != e.broken {
					t.Errorf("%s, %s, %s: got %s %s, want broken %v", op.Name, name, e.name, r.line(), r.raw, e.broken)
				}
				tried++
			}
		})
	}
	if tried < 400 {
		t.Errorf("%d edges tried, want hundreds", tried)
	}
}

// with is the call with one member set to a value.
func (c call) with(t *testing.T, input []wire.Member, path []string, m wire.Member, value any) (target, body string) {
	t.Helper()
	values := map[string]any{}
	if c.body != "" {
		if err := json.Unmarshal([]byte(c.body), &values); err != nil {
			t.Fatal(err)
		}
	}
	target = c.target
	switch {
	case len(path) == 1 && m.In == wire.InPath:
		segments := strings.Split(strings.TrimPrefix(strings.SplitN(target, "?", 2)[0], "/"), "/")
		at := map[string]int{"appBundleIdentifier": 1, "resourceArn": 1, "appAuthorizationIdentifier": 3, "ingestionIdentifier": 3, "ingestionDestinationIdentifier": 5}[m.Name]
		segments[at] = url.PathEscape(fmt.Sprint(value))
		target = "/" + strings.Join(segments, "/") + "?tagKeys=k"
	case len(path) == 1 && m.In == wire.InQuery:
		q := url.Values{}
		if all, ok := value.([]any); ok {
			for _, v := range all {
				q.Add(m.Name, fmt.Sprint(v))
			}
		} else {
			q.Set(m.Name, fmt.Sprint(value))
		}
		target = strings.SplitN(target, "?", 2)[0] + "?" + q.Encode()
	default:
		put(values, input, path, value)
	}
	b, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return target, string(b)
}

// What the model says, written down a second time, so that a wrong table is
// found.
func TestSpotChecks(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	bundle := "/appbundles/" + f.bundle
	ingestion := bundle + "/ingestions/" + f.ingestion
	long := func(n int) string { return strings.Repeat("x", n) }
	tests := []struct {
		name, method, target, body string
		reason                     string
		fields                     map[string]string
	}{
		{
			"nothing given", "POST", bundle + "/appauthorizations", `{}`, "fieldValidationFailed",
			map[string]string{"app": "Member must not be null", "credential": "Member must not be null", "tenant": "Member must not be null", "authType": "Member must not be null"},
		},
		{
			"several faults", "POST", bundle + "/appauthorizations",
			`{"app":"` + long(256) + `","authType":"saml","credential":{},"tenant":{"tenantIdentifier":"` + long(1025) + `","tenantDisplayName":"` + long(2049) + `"},"clientToken":"x"}`, "fieldValidationFailed",
			map[string]string{
				"app":                      "Member must satisfy enum value set: [OKTA, DROPBOX, TERRAFORMCLOUD]",
				"credential":               "Member must have exactly one of the members: [oauth2Credential, apiKeyCredential]",
				"tenant.tenantIdentifier":  "Member must have length less than or equal to 1024",
				"tenant.tenantDisplayName": "Member must have length less than or equal to 2048",
				"authType":                 "Member must satisfy enum value set: [oauth2, apiKey]",
				"clientToken":              "Member must satisfy regular expression pattern: [a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}",
			},
		},
		{
			"long secrets", "PATCH", bundle + "/appauthorizations/" + f.authorization,
			`{"credential":{"oauth2Credential":{"clientId":"` + long(2049) + `","clientSecret":"` + long(2049) + `"}}}`, "fieldValidationFailed",
			map[string]string{
				"credential.oauth2Credential.clientId":     "Member must have length less than or equal to 2048",
				"credential.oauth2Credential.clientSecret": "Member must have length less than or equal to 2048",
			},
		},
		{
			"long key", "PATCH", bundle + "/appauthorizations/" + f.authorization,
			`{"credential":{"apiKeyCredential":{"apiKey":"` + long(2049) + `"}}}`, "fieldValidationFailed",
			map[string]string{"credential.apiKeyCredential.apiKey": "Member must have length less than or equal to 2048"},
		},
		{
			"plain http redirect", "POST", bundle + "/appauthorizations/" + f.authorization + "/connect",
			`{"authRequest":{"redirectUri":"http://example.com/oauth2","code":""}}`, "fieldValidationFailed",
			map[string]string{
				"authRequest.code":        "Member must have length greater than or equal to 1",
				"authRequest.redirectUri": "Member must satisfy regular expression pattern: " + `https://[-a-zA-Z0-9-._~:/?#@!$&'()*+,;=]+|http://(?:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?(?:[/?#][-a-zA-Z0-9-._~:/?#@!$&'()*+,;=]*)?`,
			},
		},
		{
			"long redirect", "POST", bundle + "/appauthorizations/" + f.authorization + "/connect",
			`{"authRequest":{"redirectUri":"https://` + long(1017) + `","code":"` + long(2049) + `"}}`, "fieldValidationFailed",
			map[string]string{
				"authRequest.code":        "Member must have length less than or equal to 2048",
				"authRequest.redirectUri": "Member must have length less than or equal to 1024",
			},
		},
		{
			"bucket and stream", "POST", ingestion + "/ingestiondestinations",
			`{"processingConfiguration":{"auditLog":{"schema":"csv","format":"avro"}},"destinationConfiguration":{"auditLog":{"destination":{"s3Bucket":{"bucketName":"ab","prefix":"` + long(121) + `"},"firehoseStream":{"streamName":"` + long(65) + `"}}}}}`, "fieldValidationFailed",
			map[string]string{
				"processingConfiguration.auditLog.schema":                                 "Member must satisfy enum value set: [ocsf, raw]",
				"processingConfiguration.auditLog.format":                                 "Member must satisfy enum value set: [json, parquet]",
				"destinationConfiguration.auditLog.destination":                           "Member must have exactly one of the members: [s3Bucket, firehoseStream]",
				"destinationConfiguration.auditLog.destination.s3Bucket.bucketName":       "Member must have length greater than or equal to 3",
				"destinationConfiguration.auditLog.destination.s3Bucket.prefix":           "Member must have length less than or equal to 120",
				"destinationConfiguration.auditLog.destination.firehoseStream.streamName": "Member must have length less than or equal to 64",
			},
		},
		{
			"ingestion", "POST", bundle + "/ingestions", `{"app":"","tenantId":"","ingestionType":"all"}`, "fieldValidationFailed",
			map[string]string{
				"app":           "Member must satisfy enum value set: [OKTA, DROPBOX, TERRAFORMCLOUD]",
				"tenantId":      "Member must have length greater than or equal to 1",
				"ingestionType": "Member must satisfy enum value set: [auditLog]",
			},
		},
		{
			"tags", "POST", "/tags/" + url.PathEscape(f.bundleARN), `{"tags":[{"key":"","value":"` + long(257) + `"},{"key":"` + long(129) + `"}]}`, "fieldValidationFailed",
			map[string]string{
				"tags[0].key":   "Member must have length greater than or equal to 1",
				"tags[0].value": "Member must have length less than or equal to 256",
				"tags[1].key":   "Member must have length less than or equal to 128",
				"tags[1].value": "Member must not be null",
			},
		},
		{
			"wrong types", "POST", "/tags/" + url.PathEscape(f.bundleARN), `{"tags":[{"key":5,"value":""},[]]}`, "fieldValidationFailed",
			map[string]string{"tags[0].key": "Member must be a string", "tags[1]": "Member must be a structure"},
		},
		{
			"identifier", "GET", "/appbundles/" + strings.ToUpper(f.bundle), ``, "fieldValidationFailed",
			map[string]string{"appBundleIdentifier": `Member must satisfy regular expression pattern: arn:.+$|^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}`},
		},
		{
			"long identifier", "GET", "/appbundles/arn:" + long(1008), ``, "fieldValidationFailed",
			map[string]string{"appBundleIdentifier": `Member must have length less than or equal to 1011`},
		},
		{
			"paging", "GET", "/appbundles?maxResults=101&nextToken=", ``, "fieldValidationFailed",
			map[string]string{"maxResults": "Member must have value less than or equal to 100", "nextToken": "Member must have length greater than or equal to 1"},
		},
		{
			"paging below", "GET", bundle + "/ingestions?maxResults=0", ``, "fieldValidationFailed",
			map[string]string{"maxResults": "Member must have value greater than or equal to 1"},
		},
		{
			"twice", "GET", "/appbundles?maxResults=5&maxResults=6", ``, "fieldValidationFailed",
			map[string]string{"maxResults": "Member must be given once"},
		},
		{
			"user access", "POST", "/useraccess/start", `{"appBundleIdentifier":"x","email":"nobody"}`, "fieldValidationFailed",
			map[string]string{
				"appBundleIdentifier": `Member must satisfy regular expression pattern: arn:.+$|^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}`,
				"email":               "Member must satisfy regular expression pattern: [a-zA-Z0-9.!#$%&’*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)*",
			},
		},
		{
			"tasks", "POST", "/useraccess/batchget", `{"appBundleIdentifier":"` + f.bundle + `","taskIdList":[]}`, "fieldValidationFailed",
			map[string]string{"taskIdList": "Member must have length greater than or equal to 1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := s.send(t, w, tt.method, tt.target, tt.body)
			if r.line() != "400 ValidationException" || r.text("reason") != tt.reason {
				t.Errorf("got %s %s, want a ValidationException with reason %s", r.line(), r.raw, tt.reason)
			}
			got := map[string]string{}
			all, _ := r.body["fieldList"].([]any)
			for _, v := range all {
				field := v.(map[string]any)
				got[field["name"].(string)] = field["message"].(string)
			}
			if d := cmp.Diff(tt.fields, got); d != "" {
				t.Error(d)
			}
			for name := range maps.Keys(tt.fields) {
				if !strings.Contains(r.text("message"), "'"+name+"'") {
					t.Errorf("the message does not name %s: %s", name, r.text("message"))
				}
			}
			if strings.Contains(r.raw, "xxxx") {
				t.Errorf("a value is repeated: %.200s", r.raw)
			}
		})
	}
}

// What keeps the constraints passes, in characters and not in bytes.
func TestAllowed(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	w := who{keyA, region}
	f := s.furnish(t, w)
	connect := "/appbundles/" + f.bundle + "/appauthorizations/" + f.authorization + "/connect"
	tags := "/tags/" + url.PathEscape(f.bundleARN)
	for _, c := range []call{
		{"unknown members are ignored", "POST", "/appbundles", `{"other":{"a":[1,2,{"b":null}]},"tags":[{"key":"k","value":"v","more":1}]}`},
		{"null is left out", "POST", "/appbundles", `{"clientToken":null,"tags":null}`},
		{"no body", "POST", "/appbundles", ``},
		{"white space", "POST", "/appbundles", " \r\n\t"},
		{"characters", "POST", tags, `{"tags":[{"key":"` + strings.Repeat("漢", 128) + `","value":"` + strings.Repeat("🧵", 256) + `"}]}`},
		{"empty value", "POST", tags, `{"tags":[{"key":"empty","value":""}]}`},
		{"no tags", "POST", tags, `{"tags":[]}`},
		{"bare question mark", "DELETE", tags + "?", ``},
		{"no query", "DELETE", tags, ``},
		{"https redirect", "POST", connect, `{"authRequest":{"redirectUri":"https://us-east-1.console.aws.amazon.com/appfabric/oauth2","code":"c"}}`},
		{"localhost redirect", "POST", connect, `{"authRequest":{"redirectUri":"http://localhost:8686/appfabric/oauth2","code":"c"}}`},
		{"loopback redirect", "POST", connect, `{"authRequest":{"redirectUri":"http://127.0.0.1:8686/appfabric/oauth2?x=1","code":"c"}}`},
		{"IPv6 loopback redirect", "POST", connect, `{"authRequest":{"redirectUri":"http://[::1]/appfabric/oauth2","code":"c"}}`},
		{"connect with {}", "POST", connect, `{}`},
	} {
		if r := s.send(t, w, c.method, c.target, c.body); r.status >= 300 {
			t.Errorf("%s: %s %s", c.operation, r.line(), r.raw)
		}
	}
	for _, uri := range []string{"http://localhost.example.com/", "http://127.0.0.1.example.com/", "http://localhost@example.com/", "http://10.0.0.1/", "http://", "ftp://localhost/"} {
		r := s.send(t, w, "POST", connect, `{"authRequest":{"redirectUri":"`+uri+`","code":"c"}}`)
		if !slices.Equal(r.fields(), []string{"authRequest.redirectUri"}) {
			t.Errorf("%s: %s %s", uri, r.line(), r.raw)
		}
	}
}
