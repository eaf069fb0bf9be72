package secret_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/internal/secret"
)

func TestCreateMaster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "master.key")
	made, err := secret.CreateMaster(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %04o, want 0600", info.Mode().Perm())
	}
	loaded, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made.Derive("a"), loaded.Derive("a")) {
		t.Error("the loaded key is not the one that was made")
	}
	if _, err := secret.CreateMaster(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second CreateMaster: %v, want fs.ErrExist", err)
	}
	again, err := load(path)
	if err != nil || !bytes.Equal(again.Derive("a"), made.Derive("a")) {
		t.Errorf("the key was replaced (%v)", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v (%v)", left, err)
	}
}

func TestLoadMaster(t *testing.T) {
	t.Parallel()
	key := bytes.Repeat([]byte{0xfb, 0x07, 0xff, 0x80}, 8)
	tests := map[string]struct {
		text string
		mode fs.FileMode
		want string // part of the error; empty: it loads
	}{
		"hex":                  {hex.EncodeToString(key), 0o600, ""},
		"hex with line end":    {hex.EncodeToString(key) + "\r\n", 0o400, ""},
		"base64":               {base64.StdEncoding.EncodeToString(key) + "\n", 0o600, ""},
		"base64 for addresses": {base64.RawURLEncoding.EncodeToString(key), 0o600, ""},
		"empty":                {"", 0o600, "holds no master key"},
		"too short":            {hex.EncodeToString(key[:31]), 0o600, "holds no master key"},
		"too long":             {hex.EncodeToString(append(key[:32:32], 1)), 0o600, "holds no master key"},
		"the same twice":       {hex.EncodeToString(key) + "\n" + base64.StdEncoding.EncodeToString(key), 0o600, "a master key twice"},
		"an older one below":   {hex.EncodeToString(key) + "\n\n" + strings.Repeat("ab", 32) + "\n", 0o600, ""},
		"a wrong one below":    {hex.EncodeToString(key) + "\nabcdef\n", 0o600, "holds no master key"},
		"group may read":       {hex.EncodeToString(key), 0o640, "chmod 600"},
		"world may read":       {hex.EncodeToString(key), 0o604, "chmod 600"},
		"world may write":      {hex.EncodeToString(key), 0o602, "chmod 600"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := load(path)
			switch {
			case test.want == "" && err != nil:
				t.Fatal(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Fatalf("error %v, want %q in it", err, test.want)
			case err != nil && len(test.text) > 40 && strings.Contains(err.Error(), test.text[:40]):
				t.Error("the error repeats the key")
			}
		})
	}
	if _, err := load(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := load(t.TempDir()); err == nil {
		t.Error("a folder was taken for a key")
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	one, other := newMaster(t), newMaster(t)
	if err := one.Verify(one.Check()); err != nil {
		t.Error(err)
	}
	for _, check := range [][]byte{other.Check(), nil, one.Check()[:16], one.Derive("x")} {
		if err := one.Verify(check); !errors.Is(err, secret.ErrWrongMaster) {
			t.Errorf("Verify(%x) = %v, want ErrWrongMaster", check, err)
		}
	}
}

func TestDerive(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	seen := map[string]string{}
	for _, label := range []string{"state", "next token", "", "state "} {
		key := m.Derive(label)
		if len(key) != 32 {
			t.Errorf("%q: %d bytes, want 32", label, len(key))
		}
		if twin, ok := seen[string(key)]; ok {
			t.Errorf("%q and %q have one key", label, twin)
		}
		seen[string(key)] = label
		if !bytes.Equal(key, m.Derive(label)) {
			t.Errorf("%q: another key the second time", label)
		}
	}
}

func TestMasterRedacts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	text := hex.EncodeToString(bytes.Repeat([]byte("canary01"), 4))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := load(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("key", "m", m, "p", &m)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("key", "m", m, "in", struct{ M secret.Master }{m})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&out, verb+"\n", m)
		fmt.Fprintf(&out, verb+"\n", []any{m, &m, map[string]any{"m": m}})
	}
	doc, err := json.Marshal(map[string]any{"m": m, "p": &m})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(doc)
	for _, canary := range []string{"canary01", text[:16], "[99 97 110"} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("%q is seen in:\n%s", canary, out.String())
		}
	}
}

// load returns the newest key of a file.
func load(path string) (secret.Master, error) {
	keys, err := secret.LoadMasters(path)
	if err != nil {
		return secret.Master{}, err
	}
	return keys[0], nil
}

func newMaster(t *testing.T) secret.Master {
	t.Helper()
	m, err := secret.CreateMaster(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}
