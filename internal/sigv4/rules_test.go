package sigv4_test

import (
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"selvedge/internal/sigv4"
)

const (
	invalid    = sigv4.CodeInvalidSignature
	incomplete = sigv4.CodeIncompleteSignature
	emptyHash  = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
)

// rule is a way to break a request that is otherwise right, and what it is then answered. Without a message, another
// case pins the words.
type rule struct {
	spoil         func(*http.Request)
	code, message string
}

// edit changes the Authorization header.
func edit(old, replacement string) func(*http.Request) {
	return func(r *http.Request) {
		was := r.Header.Get("Authorization")
		is := strings.Replace(was, old, replacement, 1)
		if was == is {
			panic("nothing replaced in " + was)
		}
		r.Header.Set("Authorization", is)
	}
}

func set(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func add(name string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Add(name, r.Header.Get(name)) }
}

// hash signs X-Amz-Content-Sha256 and sends a value.
func hash(value string) func(*http.Request) {
	return func(r *http.Request) {
		edit("host;", "host;x-amz-content-sha256;")(r)
		r.Header.Set("X-Amz-Content-Sha256", value)
	}
}

func headerRules() map[string]rule {
	return map[string]rule{
		"no authorization":    {set("Authorization", ""), sigv4.CodeMissingToken, "Missing Authentication Token"},
		"blank authorization": {set("Authorization", "  "), sigv4.CodeMissingToken, "Missing Authentication Token"},
		"bearer":              {set("Authorization", "Bearer token"), incomplete, "Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'PEaenWxYddN6Q/NT1PiOYfz4EsZu7jRXRlpAsNpBU+A='."},
		"one word": {set("Authorization", "garbage"), incomplete,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=eVtpBOVPgkEd9LDiejc6Ve6j+dZtrFqbzh3ZL3tAHaU="},
		"no credential":         {edit("Credential=", "Credentials="), incomplete, ""},
		"no signature":          {edit("Signature=", "Sign="), incomplete, ""},
		"no signed headers":     {edit("SignedHeaders=", "Headers="), incomplete, ""},
		"component twice":       {edit("Signature=", "Signature=a, Signature="), incomplete, ""},
		"no date":               {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, incomplete, ""},
		"date header only":      {func(r *http.Request) { r.Header.Del("X-Amz-Date"); r.Header.Set("Date", "x") }, incomplete, ""},
		"date malformed":        {set("X-Amz-Date", "2015-08-30"), incomplete, "Date must be in ISO-8601 'basic format'. Got '2015-08-30'. See http://en.wikipedia.org/wiki/ISO_8601"},
		"date with fraction":    {set("X-Amz-Date", "20150830T123600.5Z"), incomplete, "Date must be in ISO-8601 'basic format'. Got '20150830T123600.5Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		"expired":               {set("X-Amz-Date", "20150830T122059Z"), invalid, "Signature expired: 20150830T122059Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"},
		"not yet current":       {set("X-Amz-Date", "20150830T125101Z"), invalid, "Signature not yet current: 20150830T125101Z is still later than 20150830T125100Z (20150830T123600Z + 15 min.)"},
		"host unsigned":         {edit("host;", ""), invalid, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		"date unsigned":         {edit(";x-amz-date", ""), invalid, "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		"x-amz header unsigned": {set("X-Amz-Target", "x"), invalid, "'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
		"signed header missing": {edit("host;", "accept;host;"), incomplete, "'accept' is named as a SignedHeader, but it does not exist in the HTTP request."},
		"length of no body":     {edit("host;", "content-length;host;"), invalid, "A 'Content-Length' of 0 must not be a 'SignedHeader' in the AWS Authorization: this server cannot verify it."},
		"not sorted":            {edit("host;x-amz-date", "x-amz-date;host"), invalid, "The names in 'SignedHeaders' must be lower-case, sorted and different from each other."},
		"upper case":            {edit("host;", "Accept;host;"), invalid, "The names in 'SignedHeaders' must be lower-case, sorted and different from each other."},
		"named twice":           {edit("host;", "host;host;"), invalid, "The names in 'SignedHeaders' must be lower-case, sorted and different from each other."},
		"empty name":            {edit("host;", ";host;"), invalid, "The names in 'SignedHeaders' must be lower-case, sorted and different from each other."},
		"authorization twice":   {add("Authorization"), invalid, "The header 'Authorization' must not appear more than once."},
		"date twice":            {add("X-Amz-Date"), invalid, "The header 'X-Amz-Date' must not appear more than once."},
		"hash twice":            {func(r *http.Request) { r.Header["X-Amz-Content-Sha256"] = []string{"a", "a"} }, invalid, "The header 'X-Amz-Content-Sha256' must not appear more than once."},
		"host twice":            {func(r *http.Request) { r.Header["Host"] = []string{"a", "a"} }, invalid, "The header 'Host' must not appear more than once."},
		"token twice":           {func(r *http.Request) { r.Header["X-Amz-Security-Token"] = []string{"a", "a"} }, invalid, "The header 'X-Amz-Security-Token' must not appear more than once."},
		"signed header twice":   {func(r *http.Request) { edit("host;", "accept;host;")(r); r.Header["Accept"] = []string{"a", "b"} }, invalid, "The header 'accept' must not appear more than once."},
	}
}

func otherRules() map[string]rule {
	return map[string]rule{
		"sigv4a":                 {edit("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), incomplete, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now). "},
		"credential too short":   {edit("/aws4_request", ""), incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/eu-west-1/appfabric'"},
		"credential without key": {edit(exampleID, ""), incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '/20150830/eu-west-1/appfabric/aws4_request'"},
		"scope, region":          {edit("eu-west-1", "EU_west"), invalid, "Credential should be scoped to a valid region, not 'EU_west'."},
		"scope, empty region":    {edit("eu-west-1", ""), invalid, "Credential should be scoped to a valid region, not ''."},
		"scope, service":         {edit("/appfabric/", "/s3/"), invalid, "Credential should be scoped to correct service: 'appfabric'."},
		"scope, terminator":      {edit("aws4_request", "aws5_request"), invalid, "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."},
		"scope, date":            {edit("20150830", "20150829"), invalid, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."},
		"scope, two at once":     {edit("/appfabric/aws4_request", "/s3/x"), invalid, "Credential should be scoped to correct service: 'appfabric'. Credential should be scoped with a valid terminator: 'aws4_request', not 'x'."},
		"session token":          {set("X-Amz-Security-Token", "x"), sigv4.CodeUnrecognizedClient, "The security token included in the request is invalid. Session tokens (X-Amz-Security-Token) are not supported: use a long-term access key."},
		"session token, empty":   {set("X-Amz-Security-Token", ""), sigv4.CodeUnrecognizedClient, "The security token included in the request is invalid. Session tokens (X-Amz-Security-Token) are not supported: use a long-term access key."},
		"unsigned payload":       {hash("UNSIGNED-PAYLOAD"), invalid, "The value of 'x-amz-content-sha256' must be the SHA-256 of the body: unsigned payloads are not supported."},
		"streaming payload":      {hash("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), invalid, "The value of 'x-amz-content-sha256' must be the SHA-256 of the body: unsigned payloads are not supported."},
		"hash of another body":   {hash(strings.Repeat("0", 64)), invalid, "The provided 'x-amz-content-sha256' header does not match what was computed."},
		"hash in upper case":     {hash(strings.ToUpper(emptyHash)), invalid, "The provided 'x-amz-content-sha256' header does not match what was computed."},
		"presigned":              {func(r *http.Request) { r.RequestURI += "?X-Amz-Signature=a" }, invalid, "Presigned requests are not supported: send the signature in the Authorization header."},
		"presigned, lower case":  {func(r *http.Request) { r.RequestURI += "?x-amz-algorithm=a" }, invalid, "Presigned requests are not supported: send the signature in the Authorization header."},
		"presigned alone":        {func(r *http.Request) { r.RequestURI += "?X-Amz-Signature=a"; r.Header.Del("Authorization") }, invalid, "Presigned requests are not supported: send the signature in the Authorization header."},
		"query, bad escape":      {func(r *http.Request) { r.RequestURI += "?a=%zz" }, invalid, "The query string could not be decoded."},
		"query, semicolon":       {func(r *http.Request) { r.RequestURI += "?a=1;b=2" }, invalid, "The query string could not be decoded."},
		"target, absolute":       {func(r *http.Request) { r.RequestURI = "http://example.amazonaws.com/" }, invalid, "The request target must be a path that begins with '/'."},
		"target, empty":          {func(r *http.Request) { r.RequestURI = "" }, invalid, "The request target must be a path that begins with '/'."},
		"target, asterisk":       {func(r *http.Request) { r.RequestURI = "*" }, invalid, "The request target must be a path that begins with '/'."},
		"component empty":        {edit("Credential=", "Credential=,"), incomplete, ""},
	}
}

// Each rule broken in turn.
func TestVerifyRules(t *testing.T) {
	t.Parallel()
	cases := headerRules()
	maps.Copy(cases, otherRules())
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, "GET", "/appbundles", "")
			sign(t, r, "", exampleSecret, exampleTime)
			c.spoil(r)
			_, err := verifier("appfabric").Verify(r, nil)
			if c.message != "" {
				wantError(t, err, c.code, c.message)
				return
			}
			if e, ok := errors.AsType[*sigv4.Error](err); !ok || e.Code != c.code {
				t.Errorf("error %v, want %s", err, c.code)
			}
		})
	}
}

// The clock may be off by 15 minutes to the second, on both sides.
func TestVerifySkew(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		off time.Duration
		ok  bool
	}{
		{-15*time.Minute - time.Second, false}, {-15 * time.Minute, true}, {0, true},
		{15 * time.Minute, true}, {15*time.Minute + time.Second, false},
	} {
		r := request(t, "GET", "/", "")
		sign(t, r, "", exampleSecret, exampleTime.Add(c.off))
		if _, err := verifier("appfabric").Verify(r, nil); (err == nil) != c.ok {
			t.Errorf("off by %v: %v", c.off, err)
		}
	}
}

// Headers that the SDK's signer leaves out by itself count when a client signed them, and a hash that is right passes.
func TestVerifyUnusualSignedHeaders(t *testing.T) {
	t.Parallel()
	r := request(t, "POST", "/", "{}")
	// Lower-case names get past the exceptions of the signer that the test signs with.
	r.Header["user-agent"] = []string{"a  b "}
	r.Header["x-amzn-trace-id"] = []string{"Root=1"}
	r.Header["expect"] = []string{"100-continue"}
	r.Header.Set("X-Amz-Content-Sha256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
	sign(t, r, "{}", exampleSecret, exampleTime)
	for name, values := range r.Header {
		delete(r.Header, name)
		r.Header.Set(name, values[0])
	}
	if a := r.Header.Get("Authorization"); !strings.Contains(a, "content-length;content-type;expect;host;user-agent;x-amz-content-sha256;x-amz-date;x-amzn-trace-id") {
		t.Fatal(a)
	}
	if _, err := verifier("appfabric").Verify(r, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "another")
	if _, err := verifier("appfabric").Verify(r, []byte("{}")); err == nil {
		t.Error("a signed user-agent was changed and passed")
	}
}
