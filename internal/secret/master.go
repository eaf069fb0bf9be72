package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

// keySize is that of every key here, in bytes.
const keySize = 32

// ErrWrongMaster says that the master key is not the one that the database was
// made with.
var ErrWrongMaster = errors.New("secret: this master key is not the one that the database was made with: give the right master key file, or restore it from a backup")

// Master is the key that all others come from. It redacts itself.
type Master struct{ key [keySize]byte }

// Masters is the master keys that a server knows, the newest first. It is never
// empty.
type Masters []Master

// LoadMasters reads a file of master keys: lines of 64 hexadecimal digits, or of
// base64 of 32 bytes, the newest first. A file that group or others may read is
// refused. errors.Is(err, fs.ErrNotExist) tells a file that is not there.
func LoadMasters(path string) (Masters, error) {
	f, err := os.Open(filepath.Clean(path))
	if err != nil {
		return nil, fmt.Errorf("secret: master key: %w", err)
	}
	text, err := readPrivate(f)
	defer clear(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("secret: master key %s: %w", path, err)
	}
	keys, err := decodeKeys(text)
	if err != nil {
		return nil, fmt.Errorf("secret: master key %s: %w", path, err)
	}
	return keys, nil
}

// InUse returns the key that the check value is of, or ErrWrongMaster.
func (ms Masters) InUse(check []byte) (Master, error) {
	for _, m := range ms {
		if m.Verify(check) == nil {
			return m, nil
		}
	}
	return Master{}, ErrWrongMaster
}

// maxKeyFile is more than any spelling of maxKeys keys needs.
const (
	maxKeyFile = 4096
	maxKeys    = 16
)

func readPrivate(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 {
		return nil, fmt.Errorf("can be read or written by others than its owner (mode %04o): run chmod 600 on it, and replace the key if others have seen it", perm)
	}
	return io.ReadAll(io.LimitReader(f, maxKeyFile))
}

func decodeKeys(text []byte) (Masters, error) {
	var keys Masters
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		key, err := decodeKey(line)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(m Master) bool { return m.key == key }) {
			return nil, errors.New("holds a master key twice")
		}
		keys = append(keys, Master{key: key})
	}
	if len(keys) == 0 || len(keys) > maxKeys {
		return nil, fmt.Errorf("holds no master key, or more than %d", maxKeys)
	}
	return keys, nil
}

// decodeKey never repeats what it read: it may be a key with one wrong letter.
func decodeKey(line []byte) (key [keySize]byte, err error) {
	decoders := []func(string) ([]byte, error){
		hex.DecodeString,
		base64.StdEncoding.DecodeString, base64.RawStdEncoding.DecodeString,
		base64.URLEncoding.DecodeString, base64.RawURLEncoding.DecodeString,
	}
	for _, decode := range decoders {
		if raw, err := decode(string(line)); err == nil && len(raw) == keySize {
			return [keySize]byte(raw), nil
		}
	}
	return key, errors.New("holds no master key: each line must be 64 hexadecimal digits, or the base64 of 32 bytes")
}

// CreateMaster makes a master key and its file, readable by its owner alone and
// on disk with its folder when it returns. It refuses to replace a file: then
// errors.Is(err, fs.ErrExist). The file appears whole or not at all.
func CreateMaster(path string) (Master, error) {
	var m Master
	_, _ = rand.Read(m.key[:]) // never fails: see crypto/rand
	if err := writeNew(path, base64.StdEncoding.EncodeToString(m.key[:])+"\n"); err != nil {
		return Master{}, fmt.Errorf("secret: make master key %s: %w", path, err)
	}
	return m, nil
}

// writeNew writes beside path first: a process that dies half-way must not leave
// an empty key file that a later start would take for a lost key.
func writeNew(path, text string) error {
	folder := filepath.Dir(path)
	f, err := os.CreateTemp(folder, ".master-key-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path) // unlike a rename it never replaces
	}
	err = errors.Join(err, os.Remove(f.Name()))
	return errors.Join(err, syncFolder(folder))
}

func syncFolder(path string) error {
	d, err := os.Open(filepath.Clean(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Derive returns the 32-byte key for a purpose. Keys of different labels tell
// nothing of each other or of the master key.
func (m Master) Derive(label string) []byte {
	key, err := hkdf.Key(sha256.New, m.key[:], nil, "selvedge/"+label, keySize)
	if err != nil {
		panic(err) // only of a length that HKDF cannot give; this one is constant
	}
	return key
}

// The labels that are this package's own.
const (
	labelCheck = "database check"
	labelID    = "key id"
	labelKEK   = "key-encryption key"
	labelKMS   = "kms key " // and the ARN of the key
)

// Check returns the value by which a database knows its master key. It is no
// secret.
func (m Master) Check() []byte { return m.Derive(labelCheck) }

// Verify returns ErrWrongMaster unless check is this key's.
func (m Master) Verify(check []byte) error {
	if !hmac.Equal(check, m.Check()) {
		return ErrWrongMaster
	}
	return nil
}

const redacted = "[redacted]"

// String redacts.
func (m Master) String() string { return redacted }

// GoString redacts %#v.
func (m Master) GoString() string { return redacted }

// Format redacts every verb.
func (m Master) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue redacts in logs.
func (m Master) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText redacts in JSON and other text.
func (m Master) MarshalText() ([]byte, error) { return []byte(redacted), nil }
