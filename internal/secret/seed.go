package secret

import (
	"fmt"
	"log/slog"
)

// The place of the seed among the server secrets.
const (
	SeedOwner = "server"
	SeedField = "derivation seed"
)

// Seed is what the keys of the server's own purposes come from: of states, next
// tokens and keyed hashes. It is kept in the database, sealed as a server secret,
// and outlives every master key: hashes that are in the database must be found
// again. It redacts itself.
type Seed struct{ key Master }

// NewSeed makes a seed and returns it sealed under the newest master key. A
// database that is older than seeds has hashes under its master key: then that
// key is the seed.
func (k *Keyring) NewSeed(from *Master) []byte {
	key := random()
	defer clear(key)
	if from != nil {
		copy(key, from.key[:])
	}
	return k.masters[0].sealServer(SeedOwner, SeedField, key)
}

// OpenSeed opens what NewSeed made.
func (k *Keyring) OpenSeed(sealed []byte) (Seed, error) {
	key, err := k.OpenServer(SeedOwner, SeedField, sealed)
	if err != nil {
		return Seed{}, err
	}
	defer clear(key)
	if len(key) != keySize {
		return Seed{}, fmt.Errorf("secret: open seed: %w", ErrNotOpened)
	}
	return Seed{Master{key: [keySize]byte(key)}}, nil
}

// Derive returns the 32-byte key for a purpose. Keys of different labels tell
// nothing of each other.
func (s Seed) Derive(label string) []byte { return s.key.Derive(label) }

// Format redacts every verb.
func (s Seed) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue redacts in logs.
func (s Seed) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText redacts in JSON and other text.
func (s Seed) MarshalText() ([]byte, error) { return []byte(redacted), nil }
