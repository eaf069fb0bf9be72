package secret

import (
	"container/list"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"selvedge/internal/fabric"
)

// ErrNotOpened says that sealed bytes do not open: another key, another place
// than they were sealed for, or damage.
var ErrNotOpened = errors.New("secret: does not open")

const (
	format     = 1 // of wrapped keys and of sealed secrets
	keyVersion = 1 // of the data keys that are made now
	headerSize = 5
)

// Bounds of the cache of unwrapped data keys.
const (
	cacheSize = 1000
	cacheTime = 5 * time.Minute
)

// Context is the place of a sealed secret. Open must name the place that Seal
// named.
type Context struct {
	Bundle  string // UUID of the app bundle, whose data key seals
	Owner   string // UUID of what the secret belongs to
	Field   string // which of the owner's secrets it is
	Version int64  // of the secret, where it has versions
}

// Loader returns the wrapped data key of a bundle, and the bundle's ARN.
type Loader func(ctx context.Context, bundleID string) (wrapped []byte, bundleARN string, err error)

// Keyring seals and opens under the data keys of app bundles. Unwrapped keys are
// kept for 5 minutes, at most 1,000 of them. It is safe for concurrent use.
type Keyring struct {
	kek    cipher.AEAD
	server cipher.AEAD
	load   Loader
	now    func() time.Time

	mu    sync.Mutex
	byID  map[string]*list.Element // of *cached
	order *list.List               // most recently used first
}

type cached struct {
	bundle string
	aead   cipher.AEAD
	until  time.Time
}

// NewKeyring returns a keyring under the master key.
func NewKeyring(m Master, load Loader, now func() time.Time) *Keyring {
	return &Keyring{
		kek: newAEAD(m.Derive(labelKEK)), server: newAEAD(m.Derive(labelServer)), load: load, now: now,
		byID: map[string]*list.Element{}, order: list.New(),
	}
}

func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // only of a key of another length
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err) // only of a cipher of another block size
	}
	return aead
}

// NewDataKey makes the data key of a new bundle and returns it wrapped. The
// bundle's identifier, account and Region must be set and never change.
func (k *Keyring) NewDataKey(_ context.Context, b fabric.AppBundle) ([]byte, error) {
	if b.ID == "" || b.Account == "" || b.Region == "" {
		return nil, errors.New("secret: new data key: the bundle has no ARN yet")
	}
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	return seal(k.kek, keyVersion, key, "data key", b.ARN().String()), nil
}

// Seal encrypts plaintext for its place.
func (k *Keyring) Seal(ctx context.Context, c Context, plaintext []byte) ([]byte, error) {
	aead, err := k.dataKey(ctx, c.Bundle)
	if err != nil {
		return nil, fmt.Errorf("secret: seal %s: %w", c.Field, err)
	}
	return seal(aead, keyVersion, plaintext, c.parts()...), nil
}

// Open decrypts what Seal made for the same place. It answers ErrNotOpened for
// anything else.
func (k *Keyring) Open(ctx context.Context, c Context, sealed []byte) ([]byte, error) {
	aead, err := k.dataKey(ctx, c.Bundle)
	if err != nil {
		return nil, fmt.Errorf("secret: open %s: %w", c.Field, err)
	}
	plaintext, err := open(aead, sealed, c.parts()...)
	if err != nil {
		return nil, fmt.Errorf("secret: open %s: %w", c.Field, err)
	}
	return plaintext, nil
}

func (c Context) parts() []string {
	return []string{"secret", c.Bundle, c.Owner, c.Field, fmt.Sprint(c.Version)}
}

// seal puts the header before the ciphertext and binds it and the parts to it.
func seal(aead cipher.AEAD, version uint32, plaintext []byte, parts ...string) []byte {
	out := make([]byte, 0, headerSize+len(plaintext)+aead.Overhead())
	out = append(out, format)
	out = binary.BigEndian.AppendUint32(out, version)
	return aead.Seal(out, nil, plaintext, associated(out, parts))
}

func open(aead cipher.AEAD, sealed []byte, parts ...string) ([]byte, error) {
	if len(sealed) < headerSize || sealed[0] != format || binary.BigEndian.Uint32(sealed[1:]) != keyVersion {
		return nil, ErrNotOpened
	}
	plaintext, err := aead.Open(nil, nil, sealed[headerSize:], associated(sealed[:headerSize], parts))
	if err != nil {
		return nil, ErrNotOpened
	}
	return plaintext, nil
}

// associated writes the parts with their lengths, so that no two lists of parts
// have the same bytes.
func associated(header []byte, parts []string) []byte {
	out := append([]byte(nil), header...)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint64(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

// dataKey returns the key of a bundle, from the cache or unwrapped.
func (k *Keyring) dataKey(ctx context.Context, bundle string) (cipher.AEAD, error) {
	if aead, ok := k.recall(bundle); ok {
		return aead, nil
	}
	wrapped, arn, err := k.load(ctx, bundle)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	key, err := open(k.kek, wrapped, "data key", arn)
	if err != nil || len(key) != keySize {
		return nil, fmt.Errorf("data key of %s: %w", arn, ErrNotOpened)
	}
	aead := newAEAD(key)
	k.keep(bundle, aead)
	return aead, nil
}

func (k *Keyring) recall(bundle string) (cipher.AEAD, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	e, ok := k.byID[bundle]
	if !ok {
		return nil, false
	}
	c, _ := e.Value.(*cached)
	if !k.now().Before(c.until) {
		k.order.Remove(e)
		delete(k.byID, bundle)
		return nil, false
	}
	k.order.MoveToFront(e)
	return c.aead, true
}

func (k *Keyring) keep(bundle string, aead cipher.AEAD) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e, ok := k.byID[bundle]; ok {
		k.order.Remove(e)
	}
	k.byID[bundle] = k.order.PushFront(&cached{bundle: bundle, aead: aead, until: k.now().Add(cacheTime)})
	for k.order.Len() > cacheSize {
		last := k.order.Back()
		k.order.Remove(last)
		if c, ok := last.Value.(*cached); ok {
			delete(k.byID, c.bundle)
		}
	}
}
