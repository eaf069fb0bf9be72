package doctor_test

import (
	"context"
	"crypto/tls"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/certificate/certificatetest"
	"selvedge/internal/doctor"
	"selvedge/internal/fabric"
	"selvedge/internal/outbound"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/sink"
	"selvedge/sink/local"
)

// patient is a server's set-up in which nothing is wrong, and what it consists
// of.
type patient struct {
	doctor.Setup
	dir      string
	store    *store.Store
	rig      storetest.Rig
	instance string           // what the public URL answers
	provider http.HandlerFunc // how the provider answers
}

const kmsKey = "arn:aws:kms:us-east-1:111122223333:key/00000000-0000-4000-8000-000000000001"

func healthy(t *testing.T, database store.Options) *patient {
	t.Helper()
	p := &patient{dir: t.TempDir(), provider: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMethodNotAllowed) }}
	if err := os.Chmod(p.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	database.Path = filepath.Join(p.dir, "selvedge.db")
	if database.URL == "" {
		storetest.Lay(t, database.Path)
	}
	var err error
	if p.store, err = store.Open(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.store.Close() })
	keyFile := filepath.Join(p.dir, "master.key")
	master, err := secret.CreateMaster(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	ring := secret.New(secret.Options{Masters: secret.Masters{master}, Load: p.store.DataKey, Now: time.Now})
	_, sealed, err := p.store.InitMeta(t.Context(), store.MetaMasterCheck, master.Check(), store.MetaSeed, ring.NewSeed(nil))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := ring.OpenSeed(sealed)
	if err != nil {
		t.Fatal(err)
	}
	p.instance = doctor.Instance(seed)
	p.fill(t, ring)

	public := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.Header().Set(doctor.InstanceHeader, p.instance)
		}
	}))
	t.Cleanup(public.Close)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.provider(w, r) }))
	t.Cleanup(provider.Close)
	p.Setup = doctor.Setup{
		Files:    []doctor.File{{Path: p.dir, Folder: true}, {Path: keyFile}},
		Database: database, DataDir: p.dir, Free: func(string) (int64, error) { return 2 << 30, nil }, FreeFloor: 1 << 30,
		MasterKeyFile: keyFile, Buckets: local.New(filepath.Join(p.dir, "buckets")), Streams: local.NewStreams(filepath.Join(p.dir, "streams")),
		PublicURL: public.URL, Web: http.DefaultTransport, Apps: []connector.App{app()}, Now: time.Now,
		Providers: outbound.New(outbound.Options{Origins: origins(t, provider.URL)}),
	}
	return p
}

// fill makes an ingestion with a destination in a bucket that is there, in a
// bundle with a KMS key of its own.
func (p *patient) fill(t *testing.T, ring *secret.Keyring) {
	t.Helper()
	const id = "00000000-0000-4000-8000-00000000000a"
	bundle := fabric.AppBundle{ID: id, Account: storetest.Caller().Account, Region: storetest.Caller().Region, KeyARN: kmsKey}
	wrapped, err := ring.NewDataKey(t.Context(), bundle)
	if err != nil {
		t.Fatal(err)
	}
	p.rig = storetest.Make(t, p.store, storetest.Spec{
		BundleID: id, DataKey: wrapped, Destinations: []fabric.Processing{{Schema: fabric.SchemaRaw, Format: fabric.FormatJSON}},
	})
	if err := local.New(filepath.Join(p.dir, "buckets")).Prepare(t.Context(), "audit-logs"); err != nil {
		t.Fatal(err)
	}
}

func app() connector.App {
	return connector.App{Name: "OKTA", Auth: connector.Auth{
		Tenant:   connector.Tenant{Forms: []connector.TenantForm{{Pattern: `(?P<domain>[a-z0-9.-]+\.okta\.com)`}}, Hint: "the Okta domain"},
		TokenURL: "https://{domain}/oauth2/v1/token",
	}}
}

func origins(t *testing.T, url string) []outbound.Origin {
	t.Helper()
	all, err := outbound.ParseOrigins("https://acme.okta.com=" + url)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func examine(t *testing.T, p *patient) []doctor.Finding {
	t.Helper()
	all, err := doctor.Examine(t.Context(), p.Setup)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	for name, database := range map[string]store.Options{"SQLite": {}, "PostgreSQL": {URL: storetest.PostgreSQL(t)}} {
		all := examine(t, healthy(t, database))
		seen := map[string]bool{}
		for _, f := range all {
			seen[f.Check] = true
			if f.Status != doctor.OK || f.Detail == "" || f.Subject == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
		for _, check := range []string{"settings", "files", "database", "keys", "destinations", "public url", "providers", "clock"} {
			if !seen[check] {
				t.Errorf("%s: nothing is said of %s", name, check)
			}
		}
		if !doctor.Healthy(all) {
			t.Errorf("%s: not healthy", name)
		}
	}
}

// kek is a KMS in which a key is disabled.
type kek struct{ secret.KEK }

func (kek) Unwrap(context.Context, string, string, []byte) ([]byte, error) {
	return nil, &secret.KeyError{Refused: true, Reason: "the key is disabled"}
}

func (kek) Generate(context.Context, string, string) (plain, wrapped []byte, err error) {
	return make([]byte, 32), []byte("wrapped"), nil
}

// unseen may not look.
type unseen struct{}

func (unseen) Look(context.Context, string, string) error {
	return fmt.Errorf("look: %w", sink.ErrUnseen)
}

// TestFaults breaks one thing at a time: it is found, and what to do is said.
func TestFaults(t *testing.T) {
	t.Parallel()
	const fault, warning, skipped = doctor.Fault, doctor.Warning, doctor.Skipped
	tests := []struct {
		name   string
		hurt   func(t *testing.T, p *patient)
		check  string
		status doctor.Status
		want   string // in what is said
	}{
		{"a misspelt variable", func(_ *testing.T, p *patient) { p.Warnings = []string{"SELVEDGE_X is no setting"} }, "settings", warning, "SELVEDGE_X"},
		{"a file that is not there", func(_ *testing.T, p *patient) { p.Files = append(p.Files, doctor.File{Path: p.dir + "/credentials"}) }, "files", fault, "is not there"},
		{"a key that others may read", func(t *testing.T, p *patient) { chmod(t, p.MasterKeyFile, 0o640) }, "files", fault, "chmod 600"},
		{"a folder that others may enter", func(t *testing.T, p *patient) { chmod(t, p.dir, 0o755) }, "files", fault, "chmod 700"},
		{"a file for a folder", func(_ *testing.T, p *patient) { p.Files[1].Folder = true }, "files", fault, "move it away"},
		{"no certificate", func(_ *testing.T, p *patient) { p.TLSCert, p.TLSKey = p.dir+"/c", p.dir+"/k" }, "certificate", fault, "PEM"},
		{"a certificate that has ended", func(t *testing.T, p *patient) { p.certify(t, -time.Hour, "127.0.0.1") }, "certificate", fault, "renew it"},
		{"a certificate that ends", func(t *testing.T, p *patient) { p.certify(t, 24*time.Hour, "127.0.0.1") }, "certificate", warning, "renew it"},
		{"another host's certificate", func(t *testing.T, p *patient) {
			p.certify(t, 90*24*time.Hour, "a.example.com")
			p.PublicURL = "https://b.example.com"
		}, "certificate", warning, "host of the public URL"},
		{"no database", func(_ *testing.T, p *patient) { p.Database.Path += "x" }, "database", fault, "--data-dir"},
		{"a database of another program", func(t *testing.T, p *patient) {
			p.Database.Path = p.dir + "/cats.db"
			write(t, p.Database.Path, "")
		}, "database", fault, "another program"},
		{"no PostgreSQL", func(_ *testing.T, p *patient) { p.Database.URL = "postgres://u:hunter22@127.0.0.1:1/d" }, "database", fault, "can be reached"},
		{"a newer schema", func(t *testing.T, p *patient) {
			p.sql(t, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`)
		}, "database", fault, "a later one"},
		{"an older schema", func(t *testing.T, p *patient) { p.sql(t, `DELETE FROM goose_db_version WHERE version_id > 3`) }, "database", warning, "brings it up to date"},
		{"a database that was moved", func(t *testing.T, p *patient) {
			p.sql(t, `INSERT INTO meta (name, value) VALUES ('move', '{"run":"r","to":"the database d at h","done":true}')`)
		}, "database", fault, "was moved to the database d"},
		{"a full disk", func(_ *testing.T, p *patient) { p.Free = func(string) (int64, error) { return 1 << 20, nil } }, "disk", fault, "--free-disk"},
		{"a disk that cannot be looked at", func(_ *testing.T, p *patient) {
			p.Free = func(string) (int64, error) { return 0, errors.New("no disk") }
		}, "disk", fault, "no disk"},
		{"another master key", func(t *testing.T, p *patient) { p.anotherMaster(t, false) }, "keys", fault, "put back the file"},
		{"no master key", func(_ *testing.T, p *patient) { p.MasterKeyFile += "x" }, "keys", fault, "put back the file"},
		{"a newer master key", func(t *testing.T, p *patient) { p.anotherMaster(t, true) }, "keys", warning, "selvedge rewrap"},
		{"a KMS key that is disabled", func(t *testing.T, p *patient) { p.underKMS(t) }, "key service", fault, "the key is disabled"},
		{"a bucket that is gone", func(t *testing.T, p *patient) {
			if err := os.RemoveAll(p.dir + "/buckets/audit-logs"); err != nil {
				t.Fatal(err)
			}
		}, "destinations", fault, "is not there"},
		{"a bucket that may not be looked at", func(_ *testing.T, p *patient) { p.Buckets = unseen{} }, "destinations", warning, "s3:ListBucket"},
		{"a public URL that leads nowhere", func(t *testing.T, p *patient) { p.PublicURL = "http://127.0.0.1:1" }, "public url", fault, "cannot be reached"},
		{"a public URL without a name", func(t *testing.T, p *patient) { p.PublicURL = "http://nowhere.invalid" }, "public url", fault, "is not found"},
		{"another server at the public URL", func(_ *testing.T, p *patient) { p.instance = "another" }, "public url", fault, "something else"},
		{"a public URL that redirects", func(t *testing.T, p *patient) {
			p.PublicURL = listen(t, httptest.NewServer, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://a.example.com/healthz", http.StatusFound)
			})
		}, "public url", fault, "https://a.example.com"},
		{"a public URL whose certificate is not trusted", func(t *testing.T, p *patient) {
			p.PublicURL = listen(t, httptest.NewTLSServer, func(http.ResponseWriter, *http.Request) {})
		}, "public url", fault, "not trusted"},
		{"a stopped server", func(t *testing.T, p *patient) {
			p.PublicURL = "http://127.0.0.1:1"
			if err := p.store.Close(); err != nil {
				t.Fatal(err)
			}
		}, "public url", skipped, "is stopped"},
		{"a provider that cannot be reached", func(t *testing.T, p *patient) {
			p.Providers = outbound.New(outbound.Options{Origins: origins(t, "http://127.0.0.1:1")})
		}, "providers", fault, "--proxy-url"},
		{"a provider with a fault", func(_ *testing.T, p *patient) {
			p.provider = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
		}, "providers", warning, "502"},
		{"an application that is not known", func(_ *testing.T, p *patient) { p.Apps = nil }, "providers", fault, "no application"},
		{"a tenant that cannot be", func(_ *testing.T, p *patient) { p.Apps[0].Auth.Tenant.Forms = nil }, "providers", fault, "the Okta domain"},
		{"a clock that is behind", func(_ *testing.T, p *patient) {
			p.provider = func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
			}
		}, "clock", fault, "10m0s off"},
		{"no clock", func(t *testing.T, p *patient) { p.sql(t, `DELETE FROM app_authorization`) }, "clock", skipped, "no other one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := healthy(t, store.Options{})
			tt.hurt(t, p)
			all := examine(t, p)
			found, healthy := false, true
			for _, f := range all {
				healthy = healthy && (f.Check != tt.check || f.Status != fault)
				found = found || f.Check == tt.check && f.Status == tt.status && strings.Contains(f.Detail+" "+f.Remedy, tt.want) &&
					(f.Status == skipped || f.Remedy != "")
				if strings.Contains(fmt.Sprint(f), "hunter22") {
					t.Errorf("a password is shown: %+v", f)
				}
			}
			if !found || healthy == (tt.status == fault) || tt.status == fault && doctor.Healthy(all) {
				t.Errorf("want a finding of %s, %s, that says %q; found:\n%+v", tt.check, tt.status, tt.want, all)
			}
		})
	}
}

// certify gives the server a certificate.
func (p *patient) certify(t *testing.T, left time.Duration, host string) {
	t.Helper()
	cert, key := certificatetest.New(t).IssueUntil(t, "server", time.Now().Add(left), host)
	p.TLSCert, p.TLSKey = filepath.Join(p.dir, "tls.crt"), filepath.Join(p.dir, "tls.key")
	write(t, p.TLSCert, string(cert))
	write(t, p.TLSKey, string(key))
	if _, err := tls.LoadX509KeyPair(p.TLSCert, p.TLSKey); err != nil {
		t.Fatal(err)
	}
}

// anotherMaster puts a master key into the place of the one before, or above it.
func (p *patient) anotherMaster(t *testing.T, above bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.key")
	if _, err := secret.CreateMaster(path); err != nil {
		t.Fatal(err)
	}
	if above {
		write(t, path, read(t, path)+read(t, p.MasterKeyFile))
	}
	p.MasterKeyFile = path
}

// underKMS wraps the bundle's data key under a KMS that then refuses its key.
func (p *patient) underKMS(t *testing.T) {
	t.Helper()
	masters, err := secret.LoadMasters(p.MasterKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	b := p.rig.Bundle
	b.KeyARN = kmsKey
	wrapped, err := secret.New(secret.Options{Masters: masters, Load: p.store.DataKey, Now: time.Now, KMS: kek{}}).NewDataKey(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	p.sql(t, `UPDATE app_bundle SET key_arn = ?, data_key = ?`, kmsKey, wrapped)
	p.KMS = kek{}
}

// sql changes the database beside its store.
func (p *patient) sql(t *testing.T, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", p.Database.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `PRAGMA foreign_keys = ON`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T, start func(http.Handler) *httptest.Server, answer http.HandlerFunc) string {
	t.Helper()
	s := start(answer)
	t.Cleanup(s.Close)
	return s.URL
}

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
