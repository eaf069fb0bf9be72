package wire_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/appfabric"

	"selvedge/internal/control"
	"selvedge/internal/secret"
	"selvedge/internal/sigv4"
	"selvedge/internal/wire"
)

// key signs requests.
type key struct{ id, secret string }

// root is the root key of a keyServer. It is of account A.
func root() key { return key{keyA, who{key: keyA}.secret()} }

// replicated is a server that can have another beside it.
type replicated struct {
	*server
	replica func() http.Handler
}

// keyServer is a server whose keys are the root key and those that it made.
func keyServer(t testing.TB) replicated {
	t.Helper()
	master, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	var co control.Options
	var wo wire.Options
	s := replicated{server: newServer(t, func(c *control.Options, w *wire.Options) {
		c.Secrets = secret.NewKeyring(master, nil, time.Now)
		c.Root = sigv4.Key{ID: root().id, Secret: root().secret, Account: accountA}
		co, wo = *c, *w
	})}
	s.handler = replica(t, co, wo)
	s.replica = func() http.Handler { return replica(t, co, wo) }
	return s
}

// replica is another process over the same database, as far as keys go.
func replica(t testing.TB, co control.Options, wo wire.Options) http.Handler {
	t.Helper()
	c, err := control.New(co)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Wait)
	wo.Control, wo.Authorize, wo.Verifier = c, c.Authorize, sigv4.New("appfabric", c.LookupKey, time.Now)
	return wire.New(wo)
}

// by sends a request that the key signs.
func (s *server) by(t testing.TB, k key, method, target, body string) reply {
	t.Helper()
	return s.answer(t, s.signed(t, k, method, target, body))
}

func (s *server) signed(t testing.TB, k key, method, target, body string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	sum := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret},
		r, hex.EncodeToString(sum[:]), "appfabric", region, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// administer calls an operation below /selvedge/v1/.
func (s *server) administer(t testing.TB, k key, operation string, members map[string]any) reply {
	t.Helper()
	body, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return s.by(t, k, "POST", "/selvedge/v1/"+operation, string(body))
}

// key makes a key of an account.
func (s *server) key(t testing.TB, account, policy string) key {
	t.Helper()
	r := s.administer(t, root(), "CreateKey", map[string]any{"account": account, "policy": policy})
	if r.status != http.StatusCreated {
		t.Fatalf("CreateKey: %s %s", r.line(), r.raw)
	}
	made, _ := r.body["accessKey"].(map[string]any)
	id, _ := made["accessKeyId"].(string)
	hidden, _ := made["secretAccessKey"].(string)
	return key{id, hidden}
}

func (k key) client(t testing.TB, h http.Handler) *appfabric.Client {
	t.Helper()
	front := httptest.NewServer(h)
	t.Cleanup(front.Close)
	return appfabric.New(appfabric.Options{
		Region: region, BaseEndpoint: aws.String(front.URL), RetryMaxAttempts: 1, HTTPClient: front.Client(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, nil
		}),
	})
}

const readOnly, fullAccess = "AWSAppFabricReadOnlyAccess", "AWSAppFabricFullAccess"

// A revoked key is refused with the very next request, by every replica.
func TestRevokedKey(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	k := s.key(t, accountA, fullAccess)
	client, other := k.client(t, s.handler), k.client(t, s.replica())
	if _, err := other.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if r := s.administer(t, root(), "RevokeKey", map[string]any{"accessKeyId": k.id}); r.status != http.StatusOK {
			t.Fatalf("RevokeKey: %s %s", r.line(), r.raw)
		}
		for _, c := range []*appfabric.Client{client, other} {
			_, err := c.ListAppBundles(t.Context(), &appfabric.ListAppBundlesInput{})
			if err == nil || !strings.Contains(err.Error(), "UnrecognizedClientException") {
				t.Errorf("after the revocation: %v", err)
			}
		}
	}
	r := s.administer(t, root(), "ListKeys", map[string]any{})
	if !strings.Contains(r.raw, `"revokedAt"`) {
		t.Errorf("the revoked key is not shown as one: %s", r.raw)
	}
	for id, want := range map[string]string{
		root().id: "400 ValidationException", "AKIAAAAAAAAAAAAAAAAA": "404 ResourceNotFoundException",
	} {
		if r := s.administer(t, root(), "RevokeKey", map[string]any{"accessKeyId": id}); r.line() != want {
			t.Errorf("%s: %s %s", id, r.line(), r.raw)
		}
	}
}

// The secret of a key is shown once, to who made it; nothing else has it.
func TestSecretOfAKey(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	k := s.key(t, accountA, readOnly)
	if len(k.id) != 20 || len(k.secret) != 40 {
		t.Errorf("the key has not the form of AWS's: %s, %d characters", k.id, len(k.secret))
	}
	list := s.administer(t, root(), "ListKeys", map[string]any{"account": accountA})
	if !strings.Contains(list.raw, k.id) || strings.Contains(list.raw, k.secret) || strings.Contains(list.raw, "secret") {
		t.Errorf("ListKeys: %s", list.raw)
	}
	s.by(t, key{k.id, k.secret + "x"}, "GET", "/appbundles", "")
	s.by(t, k, "POST", "/appbundles", "{}")
	if logs := s.logs.String(); strings.Contains(logs, k.secret) {
		t.Errorf("the log has the secret: %s", logs)
	}
	found := false
	for name, text := range files(t) {
		found = found || strings.Contains(text, k.id)
		if strings.Contains(text, k.secret) {
			t.Errorf("%s has the secret", name)
		}
	}
	if !found {
		t.Error("no file has the key")
	}
}

// files reads the files that the test has made.
func files(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(filepath.Dir(t.TempDir()), func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Whatever is not understood is refused when it is given.
func TestRefusedPolicies(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[{` + s + `}]}` }
	for name, policy := range map[string]string{
		"no policy at all":       `AdministratorAccess`,
		"a role's policy":        `AWSAppFabricServiceRolePolicy`,
		"no JSON":                `{"Version":`,
		"a list":                 `[]`,
		"an unknown action":      statement(`"Effect":"Allow","Action":"appfabric:GetAppBundles","Resource":"*"`),
		"another service":        statement(`"Effect":"Allow","Action":"s3:*","Resource":"*"`),
		"an unknown operator":    statement(`"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}`),
		"a variable":             statement(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/a":"${aws:username}"}}`),
		"a principal":            statement(`"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"`),
		"Effect written wrongly": statement(`"Effect":"allow","Action":"*","Resource":"*"`),
	} {
		r := s.administer(t, root(), "CreateKey", map[string]any{"account": accountA, "policy": policy})
		if r.line() != "400 ValidationException" || len(r.fields()) != 1 || r.fields()[0] != "policy" {
			t.Errorf("%s: %s %s", name, r.line(), r.raw)
		}
	}
	for _, account := range []any{"", "12345", "1234567890123", "12345678901x", nil, 7} {
		r := s.administer(t, root(), "CreateKey", map[string]any{"account": account, "policy": readOnly})
		if r.line() != "400 ValidationException" {
			t.Errorf("account %v: %s %s", account, r.line(), r.raw)
		}
	}
	if r := s.administer(t, root(), "ListKeys", map[string]any{}); !strings.Contains(r.raw, `"accessKeys":[]`) {
		t.Errorf("a key was made: %s", r.raw)
	}
}

// Keys reach their own account, and manage the keys of their own account.
func TestKeysOfOtherAccounts(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	all := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	b, a := s.key(t, accountB, all), s.key(t, accountA, all)
	f := s.furnish(t, who{keyA, region})
	for _, c := range calls(f.bundle, f.authorization, f.ingestion, f.destination, f.destinationARN) {
		checkMissing(t, c, s.by(t, b, c.method, c.target, c.body))
	}
	for _, c := range calls(f.bundleARN, f.authorizationARN, f.ingestionARN, f.destinationARN, f.destinationARN) {
		checkInvalid(t, c, s.by(t, b, c.method, c.target, c.body))
	}
	for _, c := range []struct {
		by        key
		operation string
		members   map[string]any
		want      string
	}{
		{b, "CreateKey", map[string]any{"account": accountA, "policy": readOnly}, "403 AccessDeniedException"},
		{b, "CreateKey", map[string]any{"account": accountB, "policy": readOnly}, "201 "},
		{b, "ListKeys", map[string]any{"account": accountA}, "403 AccessDeniedException"},
		{b, "RevokeKey", map[string]any{"accessKeyId": a.id}, "404 ResourceNotFoundException"},
		{b, "ShowAuthorization", map[string]any{"resourceArn": f.authorizationARN}, "400 ValidationException"},
		{b, "ShowIngestion", map[string]any{"resourceArn": f.ingestionARN}, "400 ValidationException"},
		{a, "ShowIngestion", map[string]any{"resourceArn": f.ingestionARN}, "200 "},
		{a, "RevokeKey", map[string]any{"accessKeyId": a.id}, "200 "},
	} {
		if r := s.administer(t, c.by, c.operation, c.members); r.line() != c.want {
			t.Errorf("%s %v: %s %s, want %s", c.operation, c.members, r.line(), r.raw, c.want)
		}
	}
	if r := s.administer(t, b, "ListKeys", map[string]any{}); strings.Contains(r.raw, a.id) || !strings.Contains(r.raw, b.id) {
		t.Errorf("the keys of account B: %s", r.raw)
	}
	if r := s.administer(t, root(), "ListKeys", map[string]any{}); !strings.Contains(r.raw, a.id) || !strings.Contains(r.raw, b.id) {
		t.Errorf("all keys: %s", r.raw)
	}
	if r := s.administer(t, b, "RevokeKey", map[string]any{"accessKeyId": b.id}); r.status != 200 {
		t.Errorf("a key revokes itself: %s", r.raw)
	}
}

// The list of keys goes over pages like any other.
func TestKeysAreListedByPages(t *testing.T) {
	t.Parallel()
	s := keyServer(t)
	want := map[string]bool{}
	for range 5 {
		want[s.key(t, accountB, readOnly).id] = true
	}
	members := map[string]any{"maxResults": 2}
	for pages := 0; ; pages++ {
		r := s.administer(t, root(), "ListKeys", members)
		list, _ := r.body["accessKeys"].([]any)
		for _, k := range list {
			id := k.(map[string]any)["accessKeyId"].(string)
			if !want[id] {
				t.Errorf("%s is there twice, or not at all", id)
			}
			delete(want, id)
		}
		members["nextToken"] = r.text("nextToken")
		if r.text("nextToken") == "" {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
		if pages > 3 {
			t.Fatal("no end")
		}
	}
	if len(want) != 0 {
		t.Errorf("not listed: %v", want)
	}
}
