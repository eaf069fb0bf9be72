package connector_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
)

// TestCompiled has patterns that are compiled beforehand tell the same.
func TestCompiled(t *testing.T) {
	t.Parallel()
	tenant := connector.Tenant{Hint: "a name", Forms: []connector.TenantForm{
		{Pattern: `https://(?P<name>[a-z]+)\.example\.com`, Vars: map[string]string{"host": "{name}.example.com"}},
		{Pattern: `(?P<name>[a-z]+)`},
	}}
	wrong := connector.Tenant{Forms: []connector.TenantForm{{Pattern: `(`}}}
	tests := []struct {
		tenant     connector.Tenant
		identifier string
		want       map[string]string // nil: an error
	}{
		{tenant, "https://acme.example.com", map[string]string{"name": "acme", "host": "acme.example.com"}},
		{tenant, "acme", map[string]string{"name": "acme"}},
		{tenant, "acme and more", nil},
		{wrong, "acme", nil},
	}
	for _, test := range tests {
		plain, err := test.tenant.Vars(test.identifier)
		compiled, again := test.tenant.Compiled().Vars(test.identifier)
		if (err == nil) != (test.want != nil) || (err == nil) != (again == nil) || err != nil && err.Error() != again.Error() {
			t.Errorf("%s: %v, and compiled %v", test.identifier, err, again)
		}
		for _, got := range []map[string]string{plain, compiled} {
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s: %s", test.identifier, diff)
			}
		}
	}
}

// TestAllows has an asterisk stand for names of hosts and for nothing else.
func TestAllows(t *testing.T) {
	t.Parallel()
	auth := connector.Auth{Origin: "https://{site}.example.com", Origins: []string{"https://*.zoom.us", "https://other.example"}}
	for origin, want := range map[string]bool{
		"https://acme.example.com": true, "https://other.example": true, "https://api.zoom.us": true, "https://a.b.zoom.us": true,
		"https://zoom.us": false, "https://.zoom.us": false, "http://api.zoom.us": false, "https://api.zoom.us.evil.test": false,
		"https://evil.test/x.zoom.us": false, "https://evil.test?x.zoom.us": false, "https://evil.test#x.zoom.us": false,
		"https://evil.test\\x.zoom.us": false, "https://user@x.zoom.us": false, "https://evil.test:443/.zoom.us": false, "": false,
	} {
		if got := auth.Allows(origin, map[string]string{"site": "acme"}); got != want {
			t.Errorf("%s: %v", origin, got)
		}
	}
}

// BenchmarkVars is of a pattern as applications have it.
func BenchmarkVars(b *testing.B) {
	plain := connector.Tenant{Forms: []connector.TenantForm{
		{Pattern: `(?:https://)?(?P<domain>(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,})/?`},
	}}
	for name, tenant := range map[string]connector.Tenant{"plain": plain, "compiled": plain.Compiled()} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := tenant.Vars("acme.okta.com"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
