package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/internal/store/storetest"
	"selvedge/simulator"
)

// canary begins every code, token and key that the simulated applications make
// in these tests. It is nothing else: wherever a server leaves it in the open, it
// has leaked a secret.
const canary = "C4nArYc4NaRy"

// needles are spellings of what must not be found.
func needles(secrets ...string) map[string][]byte {
	out := map[string][]byte{}
	for _, s := range secrets {
		if s == "" {
			continue
		}
		out[s] = []byte(s)
		out[s+" in hexadecimal"] = []byte(hex.EncodeToString([]byte(s)))
		// In base64 the beginning depends on what stands before it: of each of
		// the three spellings what does not.
		for shift := range 3 {
			text := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s...))
			text = strings.TrimRight(text, "=")
			out[s+" in base64, "+string(rune('0'+shift))] = []byte(text[(shift*8+5)/6 : len(text)-1])
		}
	}
	return out
}

// simulatedSecrets are those that the simulated applications do not make but
// have, and the canary.
func simulatedSecrets(t *testing.T) []string {
	t.Helper()
	all := []string{canary}
	sim := simulator.New(simulator.Options{Mark: canary})
	for _, name := range sim.Names() {
		account, err := sim.Account(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, account.ClientSecret)
	}
	return append(all, peerSecret)
}

// keepsSecrets looks for secrets in all that a server has left: its log, panics
// included, its metrics, its data directory with database, trail and buckets,
// its database.
func (p *process) keepsSecrets(t *testing.T, args []string) {
	t.Helper()
	secrets := needles(simulatedSecrets(t)...)
	look := func(where string, text []byte) {
		for name, needle := range secrets {
			if i := bytes.Index(text, needle); i >= 0 {
				t.Errorf("%s has a secret in the open, %s: ...%.200q...", where, name, text[max(0, i-80):min(len(text), i+80)])
			}
		}
	}
	look("the log", []byte(p.stderr.String()))
	look("the metrics", []byte(p.shown))
	if !p.first {
		return // the first one looks when all others have ended
	}
	for i, arg := range args {
		if i > 0 && args[i-1] == "--database-url" {
			look("the database", []byte(storetest.Dump(t, arg)))
		}
	}
	err := filepath.WalkDir(p.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		look(path, text)
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
}

// The search finds what it is for, in every spelling.
func TestNeedles(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"a " + canary + " b", hex.EncodeToString([]byte("xyz" + canary + "1")),
		base64.StdEncoding.EncodeToString([]byte(canary + "tail")), base64.StdEncoding.EncodeToString([]byte("i" + canary + "tail")),
		base64.RawURLEncoding.EncodeToString([]byte("id" + canary)), base64.StdEncoding.EncodeToString([]byte("id:" + canary)),
	} {
		found := false
		for _, needle := range needles(canary) {
			found = found || bytes.Contains([]byte(text), needle)
		}
		if !found {
			t.Errorf("%s: nothing is found", text)
		}
	}
}
