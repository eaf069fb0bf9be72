// Package kmstest is an AWS KMS for tests: moto's, which answers as KMS does,
// behind a front that can be unplugged or refuse. moto 5.2 does not look at the
// state of a key when it decrypts; the front stands in for that.
package kmstest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"selvedge/internal/awstest"
)

// Region is where Key makes keys.
const Region = "us-east-1"

// Server is a KMS. Its zero faults let everything through.
type Server struct {
	URL   string // of the front
	front *httptest.Server

	mu     sync.Mutex
	down   bool
	refuse string // code of the exception
	status int
	calls  []string // operations
}

// Start starts moto with a front. Without moto_server the test is skipped; with
// CI set it fails.
func Start(tb testing.TB) *Server {
	tb.Helper()
	return Front(tb, awstest.Moto(tb))
}

// Front starts a front of a KMS. Without one every call must be refused.
func Front(tb testing.TB, to *url.URL) *Server {
	tb.Helper()
	s := &Server{}
	proxy := http.NotFoundHandler()
	if to != nil {
		proxy = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	}
	s.front = httptest.NewServer(s.faulty(proxy))
	s.URL = s.front.URL
	tb.Cleanup(s.front.Close)
	return s
}

func (s *Server) faulty(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		down, refuse, status := s.down, s.refuse, s.status
		s.calls = append(s.calls, r.Header.Get("X-Amz-Target"))
		s.mu.Unlock()
		switch {
		case down:
			panic(http.ErrAbortHandler) // the connection breaks
		case refuse != "":
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			w.WriteHeader(status)
			_ = json.NewEncoder(w).Encode(map[string]string{"__type": refuse, "message": "simulated"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Down unplugs KMS, or plugs it in again.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Refuse lets KMS answer every call with an exception; an empty code ends that.
func (s *Server) Refuse(code string, status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse, s.status = code, status
}

// Calls returns the operations that were called, and forgets them.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

// Environ is the AWS environment of a process that is to use this KMS.
func (s *Server) Environ() []string {
	return []string{
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_ENDPOINT_URL_KMS=" + s.URL,
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Config reaches this KMS.
func (s *Server) Config() aws.Config {
	return aws.Config{
		BaseEndpoint: &s.URL, Region: Region,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}, nil
		}),
	}
}

// Client is the SDK's, for what a key's owner does.
func (s *Server) Client() *kms.Client { return kms.NewFromConfig(s.Config()) }

// Key makes a symmetric key and returns its ARN and id.
func (s *Server) Key(tb testing.TB) (arn, id string) {
	tb.Helper()
	out, err := s.Client().CreateKey(tb.Context(), &kms.CreateKeyInput{KeyUsage: types.KeyUsageTypeEncryptDecrypt})
	if err != nil {
		tb.Fatal(fmt.Errorf("create a KMS key: %w", err))
	}
	return aws.ToString(out.KeyMetadata.Arn), aws.ToString(out.KeyMetadata.KeyId)
}
