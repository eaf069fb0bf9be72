package secret_test

import (
	"errors"
	"testing"
	"time"

	"selvedge/internal/secret"
)

func TestServerSecrets(t *testing.T) {
	t.Parallel()
	k, _, _ := newKeyring(t, 1)
	sealed, err := k.SealServer(t.Context(), "AKIA1", "secret", []byte("hush"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := k.OpenServer("AKIA1", "secret", sealed); err != nil || string(got) != "hush" {
		t.Errorf("got %q, %v", got, err)
	}
	bundles, err := k.Seal(t.Context(), secret.Context{Bundle: bundle(0).ID, Owner: "AKIA1", Field: "secret"}, []byte("hush"))
	if err != nil {
		t.Fatal(err)
	}
	other := secret.NewKeyring(newMaster(t), nil, time.Now)
	for name, open := range map[string]func() ([]byte, error){
		"another owner":        func() ([]byte, error) { return k.OpenServer("AKIA2", "secret", sealed) },
		"another field":        func() ([]byte, error) { return k.OpenServer("AKIA1", "secre", sealed) },
		"a shifted name":       func() ([]byte, error) { return k.OpenServer("AKIA1s", "ecret", sealed) },
		"another master key":   func() ([]byte, error) { return other.OpenServer("AKIA1", "secret", sealed) },
		"a secret of a bundle": func() ([]byte, error) { return k.OpenServer("AKIA1", "secret", bundles) },
		"cut":                  func() ([]byte, error) { return k.OpenServer("AKIA1", "secret", sealed[:len(sealed)-1]) },
		"nothing":              func() ([]byte, error) { return k.OpenServer("AKIA1", "secret", nil) },
	} {
		if got, err := open(); !errors.Is(err, secret.ErrNotOpened) || got != nil {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
