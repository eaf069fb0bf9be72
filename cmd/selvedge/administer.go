package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"selvedge/internal/config"
	"selvedge/internal/fabric"
	"selvedge/internal/sigv4"
)

// reach is how a command finds the running server and its own access key.
type reach struct {
	Endpoint string `help:"URL of the server (AWS_ENDPOINT_URL_APPFABRIC; default: http://127.0.0.1:8686)." placeholder:"URL"`
	DataDir  string `help:"Data directory whose credentials sign, when the environment has no access key (SELVEDGE_DATA_DIR; default: ./selvedge-data)." placeholder:"DIR"`
}

const (
	defaultEndpoint = "http://127.0.0.1:8686"
	defaultRegion   = "us-east-1"
	answerTime      = time.Minute
	maxAnswer       = 64 << 20
)

// administrator calls the operations below /selvedge/v1/.
type administrator struct {
	endpoint string
	key      sigv4.Key
	region   string
	http     *http.Client
}

// connect finds the server and the key. An empty Region is the environment's.
func (r reach) connect(w world, region string) (*administrator, error) {
	env := variables(w.environ)
	a := &administrator{
		endpoint: firstOf(r.Endpoint, env["AWS_ENDPOINT_URL_APPFABRIC"], defaultEndpoint),
		region:   firstOf(region, env["AWS_REGION"], env["AWS_DEFAULT_REGION"], defaultRegion),
		http:     &http.Client{Timeout: answerTime},
	}
	u, err := url.Parse(a.endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint %q is no http or https URL", a.endpoint)
	}
	a.endpoint = strings.TrimSuffix(a.endpoint, "/")
	if a.http.Transport, err = trusting(env["AWS_CA_BUNDLE"]); err != nil {
		return nil, err
	}
	a.key, err = r.accessKey(w, env)
	return a, err
}

// trusting is a transport that takes the certificates which a file of
// authorities vouches for, as the AWS clients do with AWS_CA_BUNDLE; without a
// file, those of the system
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html,
// checked 2026-11-23).
func trusting(file string) (http.RoundTripper, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if file == "" {
		return t, nil
	}
	text, err := os.ReadFile(filepath.Clean(file))
	if err != nil {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("AWS_CA_BUNDLE: %s has no certificate, PEM", file)
	}
	t.TLSClientConfig.RootCAs = pool
	return t, nil
}

// accessKey is the key of the environment, as the AWS clients read it, else the
// one in the data directory.
func (r reach) accessKey(w world, env map[string]string) (sigv4.Key, error) {
	id, hidden := env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]
	if (id == "") != (hidden == "") {
		return sigv4.Key{}, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both, or neither")
	}
	if id != "" {
		return sigv4.Key{ID: id, Secret: hidden}, nil
	}
	path := env["AWS_SHARED_CREDENTIALS_FILE"]
	if path == "" || r.DataDir != "" {
		var f config.Flags
		if r.DataDir != "" {
			f.DataDir = &r.DataDir
		}
		s, _, err := settings(f, w)
		if err != nil {
			return sigv4.Key{}, err
		}
		path = credentialsFile(s)
	}
	key, err := readCredentials(path, firstOf(env["AWS_PROFILE"], "default"))
	if errors.Is(err, fs.ErrNotExist) {
		return sigv4.Key{}, fmt.Errorf("there is no access key to sign with: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "+
			"or name the server's data directory with --data-dir (%s is not there)", path)
	}
	return key, err
}

func variables(environ []string) map[string]string {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok {
			env[name] = value
		}
	}
	return env
}

// firstOf is the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// call does an operation. The answer is read into out.
func (a *administrator) call(ctx context.Context, operation string, in map[string]any, out any) error {
	res, err := a.send(ctx, operation, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("%s does not answer as Selvedge does: %w", a.endpoint, err)
	}
	return nil
}

// send asks for an operation and returns the answer of one that succeeded, whose
// body the caller reads and closes.
func (a *administrator) send(ctx context.Context, operation string, in map[string]any) (*http.Response, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.endpoint+"/selvedge/v1/"+operation, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: a.key.ID, SecretAccessKey: a.key.Secret}
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "appfabric", a.region, time.Now()); err != nil {
		return nil, fmt.Errorf("sign the request: %w", err)
	}
	res, err := a.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the server at %s: %w", a.endpoint, err)
	}
	if res.StatusCode < http.StatusBadRequest {
		return res, nil
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read the server's answer: %w", err)
	}
	return nil, refusal(res, text)
}

// refusal is the server's exception as an error.
func refusal(res *http.Response, text []byte) error {
	var fault struct {
		Message string `json:"message"`
	}
	name := res.Header.Get("X-Amzn-Errortype")
	if err := json.Unmarshal(text, &fault); err != nil || name == "" {
		return fmt.Errorf("the server answers %s, which is not how Selvedge does", res.Status)
	}
	return fmt.Errorf("%s: %s", name, fault.Message)
}

// show prints an answer as JSON.
func show(out io.Writer, v any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// connectFor finds the server and the key for a resource of a kind, in the Region of
// its ARN.
func (r reach) connectFor(w world, arn string, kind fabric.Kind) (*administrator, error) {
	parsed, ok := fabric.ParseARN(arn)
	if !ok || parsed.Kind != kind {
		return nil, fmt.Errorf("%q is not the ARN of an %s", arn, map[fabric.Kind]string{
			fabric.KindAppAuthorization: "app authorization", fabric.KindIngestion: "ingestion",
		}[kind])
	}
	return r.connect(w, parsed.Region)
}

// showResource asks for the state of a resource and prints it.
func (r reach) showResource(ctx context.Context, w world, operation, arn string, kind fabric.Kind) error {
	a, err := r.connectFor(w, arn, kind)
	if err != nil {
		return err
	}
	var answer map[string]json.RawMessage
	if err := a.call(ctx, operation, map[string]any{"resourceArn": arn}, &answer); err != nil {
		return err
	}
	for _, state := range answer { // there is one
		if err := show(w.stdout, state); err != nil {
			return err
		}
	}
	return nil
}

// authorizationCmd is the commands over app authorizations.
type authorizationCmd struct {
	Show authorizationShowCmd `cmd:"" help:"Show an app authorization: status, reason, and what became of its grants."`
}

type authorizationShowCmd struct {
	reach
	ARN string `arg:"" name:"arn" help:"ARN of the app authorization."`
}

// Run shows the authorization as JSON.
func (c authorizationShowCmd) Run(ctx context.Context, w world) error {
	return c.showResource(ctx, w, "ShowAuthorization", c.ARN, fabric.KindAppAuthorization)
}

// ingestionCmd is the commands over ingestions.
type ingestionCmd struct {
	Show   ingestionShowCmd   `cmd:"" help:"Show an ingestion: its streams with cursor, coverage and gaps, its destinations with their backlog."`
	Events ingestionEventsCmd `cmd:"" help:"Print the events that an ingestion collected last: each record, and its OCSF."`
}

type ingestionShowCmd struct {
	reach
	ARN string `arg:"" name:"arn" help:"ARN of the ingestion."`
}

// Run shows the ingestion as JSON.
func (c ingestionShowCmd) Run(ctx context.Context, w world) error {
	return c.showResource(ctx, w, "ShowIngestion", c.ARN, fabric.KindIngestion)
}
