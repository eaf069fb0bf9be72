package control_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"selvedge/connector"
	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
	"selvedge/internal/token"
	"selvedge/sink"
)

const nobody = "00000000-0000-4000-8000-000000000000"

// rig is a Control over a real store, whose collaborators are made up.
type rig struct {
	*control.Control
	store  *store.Store
	caller fabric.Caller
	woken  int
	log    bytes.Buffer
	seal   func(a fabric.AppAuthorization)
	place  error // of Prepare
	now    time.Time
}

func newRig(t *testing.T, more ...connector.App) *rig {
	t.Helper()
	r := &rig{caller: storetest.Caller(), now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return r.now }
	r.store = storetest.New(t, clock)
	var err error
	r.Control, err = control.New(control.Options{
		Store: r.store, Grants: r, Keys: keys{}, Places: r,
		Apps: append(more, []connector.App{
			{Name: "OKTA", Streams: []connector.Stream{{Name: "a"}, {Name: "b"}}, Open: func(connector.Env) connector.Session { return finder{} }},
			{Name: "LOGS", Open: func(connector.Env) connector.Session { return logs{} }}, // without users
			{Name: "AUDIT", Requires: "OKTA"},
			{Name: "NEW"}, // without a connector
		}...),
		Derive: func(label string) []byte { sum := sha256.Sum256([]byte(label)); return sum[:] },
		Now:    clock, Log: slog.New(slog.NewTextHandler(&r.log, nil)), Wake: func() { r.woken++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) Seal(_ context.Context, a fabric.AppAuthorization, _ fabric.Credential) (token.Sealed, error) {
	if r.seal != nil {
		r.seal(a)
	}
	return token.Sealed{Credential: []byte("sealed")}, nil
}

func (r *rig) AuthURL(context.Context, fabric.AppAuthorization) (string, error) { return "", nil }

func (r *rig) Connect(_ context.Context, a fabric.AppAuthorization, _ *token.AuthRequest) (fabric.AppAuthorization, error) {
	a.Status = fabric.Connected
	return a, nil
}

func (r *rig) Revoke(context.Context, fabric.AppAuthorization) func(context.Context) { return nil }

// keys seals by writing the place before the text.
type keys struct{}

func (keys) ResolveKey(ctx context.Context, b fabric.AppBundle, identifier string) (string, error) {
	return secret.NewKeyring(secret.Master{}, nil, time.Now).ResolveKey(ctx, b, identifier)
}

func (keys) NewDataKey(context.Context, fabric.AppBundle) ([]byte, error) { return []byte("key"), nil }

func (keys) Seal(_ context.Context, c secret.Context, plaintext []byte) ([]byte, error) {
	return []byte(fmt.Sprint(c, " ", string(plaintext))), nil
}

func (keys) Open(_ context.Context, c secret.Context, sealed []byte) ([]byte, error) {
	plaintext, ok := bytes.CutPrefix(sealed, []byte(fmt.Sprint(c, " ")))
	if !ok {
		return nil, fmt.Errorf("sealed for another place than %v", c)
	}
	return plaintext, nil
}

func (r *rig) Prepare(context.Context, fabric.Caller, fabric.Processing, fabric.Place) error {
	return r.place
}

// fault is the *fabric.Error that err must be.
func fault(t *testing.T, err error) *fabric.Error {
	t.Helper()
	e, ok := errors.AsType[*fabric.Error](err)
	if !ok {
		t.Fatalf("%v is no *fabric.Error", err)
	}
	return e
}

func TestNewNeedsAKey(t *testing.T) {
	t.Parallel()
	_, err := control.New(control.Options{Derive: func(string) []byte { return nil }})
	if err == nil {
		t.Error("a Control without a key was made")
	}
}

func TestKeyIdentifier(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	own := "arn:aws:kms:us-east-1:" + r.caller.Account + ":key/"
	const id = "12345678-90ab-cdef-1234-567890abcdef"
	tests := []struct{ name, identifier, want string }{
		{"none", "", ""},
		{"id", id, own + id},
		{"ARN", own + id, own + id},
		{"multi-Region key", own + "mrk-1234567890abcdef1234567890abcdef", own + "mrk-1234567890abcdef1234567890abcdef"},
		{"alias", "arn:aws:kms:us-east-1:" + r.caller.Account + ":alias/x", "refused"},
		{"another account", "arn:aws:kms:us-east-1:999999999999:key/" + id, "arn:aws:kms:us-east-1:999999999999:key/" + id},
		{"no account", "arn:aws:kms:us-east-1::key/" + id, "refused"},
		{"no ARN", "arn:key/" + id, "refused"},
		{"another Region", "arn:aws:kms:eu-west-1:" + r.caller.Account + ":key/" + id, "refused"},
		{"another service", "arn:aws:s3:us-east-1:" + r.caller.Account + ":key/" + id, "refused"},
		{"no key id", own, "refused"},
		{"a path", own + id + "/x", "refused"},
	}
	for _, tt := range tests {
		b, err := r.CreateAppBundle(t.Context(), r.caller, control.CreateAppBundleInput{KeyIdentifier: tt.identifier})
		switch {
		case tt.want == "refused":
			if e := fault(t, err); e.Kind != fabric.Validation || e.Fields[0].Name != "customerManagedKeyIdentifier" {
				t.Errorf("%s: %v", tt.name, err)
			}
		case err != nil || b.KeyARN != tt.want:
			t.Errorf("%s: %s, %v; want %s", tt.name, b.KeyARN, err, tt.want)
		}
	}
	china := r.caller
	china.Region = "cn-north-1"
	b, err := r.CreateAppBundle(t.Context(), china, control.CreateAppBundleInput{KeyIdentifier: id})
	if want := "arn:aws-cn:kms:cn-north-1:" + r.caller.Account + ":key/" + id; err != nil || b.KeyARN != want {
		t.Errorf("got %s, %v; want %s", b.KeyARN, err, want)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const bucket, prefix, stream = "s3Bucket.bucketName", "s3Bucket.prefix", "firehoseStream.streamName"
	tests := []struct {
		place fabric.Place
		field string // empty: allowed
	}{
		{fabric.Place{Bucket: "logs"}, ""},
		{fabric.Place{Bucket: "my.logs-1"}, ""},
		{fabric.Place{Bucket: "amzn-s3-demo-bucket"}, ""},
		{fabric.Place{Bucket: "Logs"}, bucket},
		{fabric.Place{Bucket: "-logs"}, bucket},
		{fabric.Place{Bucket: "lo..gs"}, bucket},
		{fabric.Place{Bucket: "10.0.0.1"}, bucket},
		{fabric.Place{Bucket: "../logs"}, bucket},
		{fabric.Place{Bucket: "xn--logs"}, bucket},
		{fabric.Place{Bucket: "logs-s3alias"}, bucket},
		{fabric.Place{Bucket: "logs", Prefix: "a/b c/é"}, ""},
		{fabric.Place{Bucket: "logs", Prefix: "/a"}, prefix},
		{fabric.Place{Bucket: "logs", Prefix: "a/"}, prefix},
		{fabric.Place{Bucket: "logs", Prefix: "a//b"}, prefix},
		{fabric.Place{Bucket: "logs", Prefix: "a/../b"}, prefix},
		{fabric.Place{Bucket: "logs", Prefix: ".."}, prefix},
		{fabric.Place{Bucket: "logs", Prefix: "a\nb"}, prefix},
		{fabric.Place{Stream: "Events_1.x-y"}, ""},
		{fabric.Place{Stream: "a b"}, stream},
		{fabric.Place{Stream: "a/b"}, stream},
	}
	for _, tt := range tests {
		_, create := r.CreateIngestionDestination(t.Context(), r.caller, control.CreateIngestionDestinationInput{
			Bundle: nobody, Ingestion: nobody, Place: tt.place, Processing: fabric.Processing{Schema: fabric.SchemaOCSF, Format: fabric.FormatJSON},
		})
		_, update := r.UpdateIngestionDestination(t.Context(), r.caller, control.UpdateIngestionDestinationInput{
			Bundle: nobody, Ingestion: nobody, Destination: nobody, Place: tt.place,
		})
		for _, err := range []error{create, update} {
			e := fault(t, err)
			switch {
			case tt.field == "" && e.Kind != fabric.NotFound:
				t.Errorf("%+v: %v, want it allowed", tt.place, err)
			case tt.field != "" && (e.Kind != fabric.Validation || len(e.Fields) != 1 || !strings.HasSuffix(e.Fields[0].Name, tt.field)):
				t.Errorf("%+v: %v, want a fault of %s", tt.place, err, tt.field)
			}
		}
	}
}

func TestPrepareFails(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	have := storetest.Make(t, r.store, storetest.Spec{Now: r.now})
	try := func(err error) string {
		r.place = err
		_, got := r.CreateIngestionDestination(t.Context(), r.caller, control.CreateIngestionDestinationInput{
			Bundle: have.Bundle.ID, Ingestion: have.Ingestion.ID, Place: fabric.Place{Bucket: "logs"},
		})
		e := fault(t, got)
		if e.Kind != fabric.Validation {
			t.Errorf("got %v", got)
		}
		return e.Message
	}
	if got := try(errors.New("open /inner/path")); strings.Contains(got, "inner") || !strings.Contains(r.log.String(), "/inner/path") {
		t.Errorf("told %q, logged %s", got, &r.log)
	}
	if got := try(&sink.Error{Reason: "the disk is full", Err: errors.New("inner")}); !strings.Contains(got, "the disk is full") || strings.Contains(got, "inner") {
		t.Errorf("told %q", got)
	}
	if got := try(fabric.Invalid("as it is")); got != "as it is" {
		t.Errorf("told %q", got)
	}
}

// What makes something due tells the dispatcher.
func TestWake(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	have := storetest.Make(t, r.store, storetest.Spec{Now: r.now})
	b, i := have.Bundle.ID, have.Ingestion.ID
	step := func(want int, err error) {
		t.Helper()
		if err != nil || r.woken != want {
			t.Errorf("woken %d times, %v; want %d", r.woken, err, want)
		}
	}
	step(0, r.StopIngestion(t.Context(), r.caller, b, i))
	step(1, r.StartIngestion(t.Context(), r.caller, b, i))
	d, err := r.CreateIngestionDestination(t.Context(), r.caller, control.CreateIngestionDestinationInput{Bundle: b, Ingestion: i, Place: fabric.Place{Bucket: "logs"}})
	step(2, err)
	_, err = r.UpdateIngestionDestination(t.Context(), r.caller, control.UpdateIngestionDestinationInput{Bundle: b, Ingestion: i, Destination: d.ID, Place: fabric.Place{Bucket: "logs"}})
	step(3, err)
}

// An ingestion reads from six hours before it was made, in every stream.
func TestCreateIngestionReachesBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	have := storetest.Make(t, r.store, storetest.Spec{Now: r.now})
	if err := r.DeleteIngestion(t.Context(), r.caller, have.Bundle.ID, have.Ingestion.ID); err != nil {
		t.Fatal(err)
	}
	i, err := r.CreateIngestion(t.Context(), r.caller, control.CreateIngestionInput{
		Bundle: have.Bundle.ID, App: "OKTA", TenantID: have.Authorization.Tenant.Identifier, Type: fabric.IngestionTypeAuditLog,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		st, _, err := r.store.LoadStream(t.Context(), i.ID+"/"+name)
		if err != nil || st.Cursor != `{"from":"2026-11-22T06:00:00Z"}` || !st.Watermark.Equal(r.now.Add(-6*time.Hour)) {
			t.Errorf("stream %s: %+v, %v", name, st, err)
		}
	}
}

// Two updates at once come one after the other, each over what the other wrote.
func TestUpdatesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	have := storetest.Make(t, r.store, storetest.Spec{Now: r.now})
	with := func(secret fabric.Secret) control.UpdateAppAuthorizationInput {
		return control.UpdateAppAuthorizationInput{
			Bundle: have.Bundle.ID, Authorization: have.Authorization.ID,
			Credential: &fabric.Credential{ClientID: "id", ClientSecret: secret},
		}
	}
	r.seal = func(fabric.AppAuthorization) {
		r.seal = nil
		if _, err := r.UpdateAppAuthorization(t.Context(), r.caller, with("other")); err != nil {
			t.Error(err)
		}
	}
	a, err := r.UpdateAppAuthorization(t.Context(), r.caller, with("one"))
	if err != nil || a.Generation != 3 {
		t.Errorf("generation %d, %v; want 3", a.Generation, err)
	}
	r.seal = func(a fabric.AppAuthorization) { // somebody is always quicker
		a.Generation += 10
		if err := r.store.UpdateAppAuthorization(t.Context(), r.caller, a, a.Generation-11, nil); err != nil {
			t.Error(err)
		}
	}
	if _, err := r.UpdateAppAuthorization(t.Context(), r.caller, with("never")); !errors.Is(err, store.ErrStale) {
		t.Errorf("got %v, want %v", err, store.ErrStale)
	}
}
