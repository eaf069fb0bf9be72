package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"selvedge/internal/sigv4"
)

// The key of AWS's published examples.
const (
	exampleID     = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	account       = "123456789012"
)

var exampleTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

func lookup(_ context.Context, id string) (sigv4.Key, bool, error) {
	switch id {
	case exampleID:
		return sigv4.Key{ID: id, Secret: exampleSecret, Account: account}, true, nil
	case "EMPTY":
		return sigv4.Key{ID: id, Account: account}, true, nil
	}
	return sigv4.Key{}, false, nil
}

func verifier(service string) *sigv4.Verifier {
	return sigv4.New(service, lookup, func() time.Time { return exampleTime })
}

// request makes what net/http's server makes of the same bytes.
func request(t testing.TB, method, target, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "example.amazonaws.com"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

// sign signs as the Go SDK does, every header that is there, and content-length when there is a body.
func sign(t testing.TB, r *http.Request, body, secret string, at time.Time) {
	t.Helper()
	path, query, _ := strings.Cut(r.RequestURI, "?")
	out := r.Clone(context.Background())
	out.URL = &url.URL{Scheme: "https", Opaque: "//host" + path, RawQuery: query}
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(context.Background(), aws.Credentials{AccessKeyID: exampleID, SecretAccessKey: secret},
		out, hex.EncodeToString(sum[:]), "appfabric", "eu-west-1", at)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = out.Header
}

func TestVerify(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ method, target, body string }{
		"no body":          {"GET", "/appbundles", ""},
		"post, no body":    {"POST", "/appbundles/a/ingestions/b/start", ""},
		"body":             {"POST", "/appbundles", `{"tags":[{"key":"a","value":"é漢"}]}`},
		"arn label":        {"GET", "/appbundles/arn%3Aaws%3Aappfabric%3Aeu-west-1%3A123456789012%3Aappbundle%2F1", ""},
		"raw colon":        {"GET", "/appbundles/arn:aws:appfabric", ""},
		"query":            {"GET", "/appbundles?maxResults=5&nextToken=a%2Bb%2Fc%3D%3D%20d", ""},
		"query, raw plus":  {"GET", "/appbundles?nextToken=a+b", ""},
		"repeated":         {"DELETE", "/tags/x?tagKeys=b&tagKeys=a&tagKeys=", ""},
		"bare question":    {"DELETE", "/tags/x?", ""},
		"key, no value":    {"DELETE", "/tags/x?tagKeys", ""},
		"double slash":     {"GET", "//appbundles//x", ""},
		"dots":             {"GET", "/appbundles/../x/%2E%2E", ""},
		"root":             {"GET", "/", ""},
		"encoded question": {"GET", "/appbundles/a%3Fb", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, c.method, c.target, c.body)
			sign(t, r, c.body, exampleSecret, exampleTime)
			before := r.Clone(context.Background()).Header
			got, err := verifier("appfabric").Verify(r, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			want := sigv4.Identity{AccessKeyID: exampleID, Account: account, Region: "eu-west-1"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, r.Header); diff != "" {
				t.Errorf("Verify changed the request: %s", diff)
			}
		})
	}
}

// A server that changes what the signature covers must not be answered as the signer.
func TestVerifyTampered(t *testing.T) {
	t.Parallel()
	const body = `{"a":1}`
	cases := map[string]func(*http.Request) string{
		"method":         func(r *http.Request) string { r.Method = "PUT"; return body },
		"path":           func(r *http.Request) string { r.RequestURI = "/b%2Fc?x=1"; return body },
		"path decoded":   func(r *http.Request) string { r.RequestURI = "/a/c?x=1"; return body },
		"query value":    func(r *http.Request) string { r.RequestURI = "/a%2Fc?x=2"; return body },
		"query added":    func(r *http.Request) string { r.RequestURI = "/a%2Fc?x=1&y=1"; return body },
		"query dropped":  func(r *http.Request) string { r.RequestURI = "/a%2Fc"; return body },
		"body":           func(*http.Request) string { return `{"a":2}` },
		"host":           func(r *http.Request) string { r.Host = "other"; return body },
		"host port":      func(r *http.Request) string { r.Host += ":443"; return body },
		"content type":   func(r *http.Request) string { r.Header.Set("Content-Type", "text/plain"); return body },
		"content length": func(r *http.Request) string { r.ContentLength = 8; return body },
		"region": func(r *http.Request) string {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "eu-west-1", "us-east-1", 1))
			return body
		},
		"signature": func(r *http.Request) string {
			s := r.Header.Get("Authorization")
			r.Header.Set("Authorization", s[:len(s)-1]+string(rune('0'+(s[len(s)-1]+1)%10)))
			return body
		},
		"signature cut": func(r *http.Request) string {
			s := r.Header.Get("Authorization")
			r.Header.Set("Authorization", s[:len(s)-1])
			return body
		},
		"date, minutes": func(r *http.Request) string { r.Header.Set("X-Amz-Date", "20150830T123700Z"); return body },
		"header left out": func(r *http.Request) string {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "content-type;", "", 1))
			return body
		},
	}
	for name, tamper := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, "POST", "/a%2Fc?x=1", body)
			sign(t, r, body, exampleSecret, exampleTime)
			got, err := verifier("appfabric").Verify(r, []byte(tamper(r)))
			wantError(t, err, sigv4.CodeInvalidSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
			if got != (sigv4.Identity{}) {
				t.Errorf("identity %+v beside an error", got)
			}
		})
	}
}

func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var e *sigv4.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v, want %s", err, code)
	}
	if diff := cmp.Diff(&sigv4.Error{Code: code, Message: message}, e); diff != "" {
		t.Error(diff)
	}
}

func TestVerifyKeys(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ id, secret, code, message string }{
		"wrong secret": {exampleID, "wrong", sigv4.CodeInvalidSignature, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."},
		"unknown key":  {"NOBODY", exampleSecret, sigv4.CodeUnrecognizedClient, "The security token included in the request is invalid."},
		"empty secret": {"EMPTY", "", sigv4.CodeUnrecognizedClient, "The security token included in the request is invalid."},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(t, "GET", "/appbundles", "")
			sign(t, r, "", c.secret, exampleTime)
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), exampleID, c.id, 1))
			_, err := verifier("appfabric").Verify(r, nil)
			wantError(t, err, c.code, c.message)
		})
	}
}

func TestVerifyLookupFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	v := sigv4.New("appfabric", func(context.Context, string) (sigv4.Key, bool, error) { return sigv4.Key{}, false, broken },
		func() time.Time { return exampleTime })
	r := request(t, "GET", "/", "")
	sign(t, r, "", exampleSecret, exampleTime)
	_, err := v.Verify(r, nil)
	var e *sigv4.Error
	if !errors.Is(err, broken) || errors.As(err, &e) {
		t.Errorf("error %v, want the store's and no refusal", err)
	}
}

// A key that is made, or changes its secret, after its id was tried must work at once: nothing derived is remembered.
func TestVerifyRemembersNothing(t *testing.T) {
	t.Parallel()
	var known bool
	v := sigv4.New("appfabric", func(_ context.Context, id string) (sigv4.Key, bool, error) {
		return sigv4.Key{ID: id, Secret: exampleSecret, Account: account}, known, nil
	}, func() time.Time { return exampleTime })
	r := request(t, "GET", "/", "")
	sign(t, r, "", exampleSecret, exampleTime)
	if _, err := v.Verify(r, nil); err == nil {
		t.Fatal("an unknown key was accepted")
	}
	known = true
	if _, err := v.Verify(r, nil); err != nil {
		t.Fatal(err)
	}
}

func TestKeyKeepsItsSecret(t *testing.T) {
	t.Parallel()
	k := sigv4.Key{ID: exampleID, Secret: exampleSecret, Account: account}
	marshalled, err := json.Marshal(k)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", k)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v %#v %s", k, k, k), fmt.Sprintf("%v", &k), string(marshalled), log.String()} {
		if strings.Contains(s, exampleSecret) || !strings.Contains(s, exampleID) {
			t.Errorf("want the id and not the secret: %s", s)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	const body = `{"app":"OKTA","tenant":{"tenantDisplayName":"a","tenantIdentifier":"b"}}`
	r := request(b, "POST", "/appbundles/arn%3Aaws%3Aappfabric%3Aeu-west-1%3A123456789012%3Aappbundle%2F1/appauthorizations", body)
	sign(b, r, body, exampleSecret, exampleTime)
	v := verifier("appfabric")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, []byte(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// serve verifies real requests and answers 403 or an empty document.
func serve(v *sigv4.Verifier, seen func(*http.Request, sigv4.Identity, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		id, err := v.Verify(r, body)
		seen(r, id, err)
		if err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
	})
}
