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
)

// ErrNotOpened says that sealed bytes do not open: another key, another place
// than they were sealed for, or damage.
var ErrNotOpened = errors.New("secret: does not open")

const (
	format     = 1 // of sealed secrets; of wrapped keys that do not say what they are under
	keyVersion = 1 // of the data keys that are made now
	headerSize = 5
)

// Bounds of the cache of unwrapped data keys. A key is kept from the moment at
// which it was asked for: one that is taken away stops within that time.
const (
	cacheSize = 1000
	cacheTime = 5 * time.Minute

	awayTime   = 5 * time.Second  // for which nobody asks again after a KeyError
	unwrapTime = 20 * time.Second // for loading and unwrapping
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

// Options is what a keyring works with.
type Options struct {
	Masters Masters // newest first; at least one
	Load    Loader
	Now     func() time.Time

	// InUse returns the check value of the master key that what is made now goes
	// under: the newest may not have reached all replicas yet. nil: the newest.
	InUse func(ctx context.Context) (check []byte, err error)

	// KMS holds keys of users' own. nil: they are derived from the master key.
	KMS KEK
}

// Keyring seals and opens under the data keys of app bundles. Unwrapped keys are
// kept for 5 minutes, at most 1,000 of them; one that is not there is unwrapped
// once, however many wait for it. It is safe for concurrent use.
type Keyring struct {
	masters []*master // newest first
	current func(ctx context.Context) (check []byte, err error)
	kms     KEK
	load    Loader
	now     func() time.Time

	mu      sync.Mutex
	byID    map[string]*list.Element // of *cached
	order   *list.List               // most recently used first
	flights map[string]*flight       // by bundle
}

// cached is a data key, or why there is none.
type cached struct {
	bundle string
	aead   cipher.AEAD
	err    error
	until  time.Time
}

// flight is an unwrapping under way.
type flight struct {
	ended chan struct{}
	aead  cipher.AEAD
	err   error
}

// master is what a master key is used as here.
type master struct {
	key    Master
	id     [markSize]byte
	kek    cipher.AEAD
	server cipher.AEAD
}

// New returns a keyring.
func New(o Options) *Keyring {
	k := &Keyring{
		current: o.InUse, kms: o.KMS, load: o.Load, now: o.Now,
		byID: map[string]*list.Element{}, order: list.New(), flights: map[string]*flight{},
	}
	for _, m := range o.Masters {
		k.masters = append(k.masters, &master{
			key: m, id: [markSize]byte(m.Derive(labelID)), kek: newAEAD(m.Derive(labelKEK)), server: newAEAD(m.Derive(labelServer)),
		})
	}
	return k
}

// NewKeyring returns a keyring under one master key.
func NewKeyring(m Master, load Loader, now func() time.Time) *Keyring {
	return New(Options{Masters: Masters{m}, Load: load, Now: now})
}

// kekOf returns the key-encryption key of a KMS key, which is the master's own
// where there is none.
func (m *master) kekOf(keyARN string) cipher.AEAD {
	if keyARN == "" {
		return m.kek
	}
	return newAEAD(m.key.Derive(labelKMS + keyARN))
}

func (k *Keyring) masterOf(id [markSize]byte) *master {
	for _, m := range k.masters {
		if m.id == id {
			return m
		}
	}
	return nil
}

// Newest returns the check value of the newest master key.
func (k *Keyring) Newest() []byte { return k.masters[0].key.Check() }

// inUse returns the master key that what is made now goes under.
func (k *Keyring) inUse(ctx context.Context) (*master, error) {
	if k.current == nil {
		return k.masters[0], nil
	}
	check, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range k.masters {
		if m.key.Verify(check) == nil {
			return m, nil
		}
	}
	return nil, lacksMaster("new keys go")
}

func random() []byte {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // never fails: see crypto/rand
	return key
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

// Held is the data key of a bundle, for work that must be able to seal what it
// gets, whatever becomes of the key meanwhile.
type Held struct {
	bundle string
	aead   cipher.AEAD
}

// Hold returns the data key of a bundle. It is to be used at once and not kept.
func (k *Keyring) Hold(ctx context.Context, bundle string) (Held, error) {
	aead, err := k.dataKey(ctx, bundle)
	if err != nil {
		return Held{}, fmt.Errorf("secret: hold: %w", err)
	}
	return Held{bundle, aead}, nil
}

// Seal encrypts plaintext for its place, which is in the bundle that the key is
// of.
func (h Held) Seal(c Context, plaintext []byte) ([]byte, error) {
	if h.aead == nil || c.Bundle != h.bundle {
		return nil, fmt.Errorf("secret: seal %s: the key that is held is another bundle's", c.Field)
	}
	return seal(h.aead, keyVersion, plaintext, c.parts()...), nil
}

// dataKey returns the key of a bundle, from the cache or unwrapped. One caller
// unwraps it for all who want it.
func (k *Keyring) dataKey(ctx context.Context, bundle string) (cipher.AEAD, error) {
	k.mu.Lock()
	if c, ok := k.recall(bundle); ok {
		k.mu.Unlock()
		return c.aead, c.err
	}
	f, ok := k.flights[bundle]
	if !ok {
		f = &flight{ended: make(chan struct{})}
		k.flights[bundle] = f
		go k.fly(context.WithoutCancel(ctx), bundle, f)
	}
	k.mu.Unlock()
	select {
	case <-f.ended:
		return f.aead, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("data key: %w", ctx.Err())
	}
}

// fly unwraps a data key. It is nobody's call: who began it may give up.
func (k *Keyring) fly(ctx context.Context, bundle string, f *flight) {
	ctx, cancel := context.WithTimeout(ctx, unwrapTime)
	defer cancel()
	began := k.now()
	f.aead, f.err = k.fetch(ctx, bundle)
	c := &cached{bundle: bundle, aead: f.aead, err: f.err, until: began.Add(cacheTime)}
	_, away := errors.AsType[*KeyError](f.err)
	if away {
		c.until = k.now().Add(awayTime)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if f.err == nil || away {
		k.keep(c)
	}
	delete(k.flights, bundle)
	close(f.ended)
}

func (k *Keyring) fetch(ctx context.Context, bundle string) (cipher.AEAD, error) {
	sealed, arn, err := k.load(ctx, bundle)
	if err != nil {
		return nil, fmt.Errorf("data key: %w", err)
	}
	key, err := k.unwrap(ctx, sealed, arn)
	defer clear(key)
	if err == nil && len(key) != keySize {
		err = ErrNotOpened
	}
	if err != nil {
		return nil, fmt.Errorf("data key of %s: %w", arn, err)
	}
	return newAEAD(key), nil
}

// recall looks into the cache. The caller holds the lock.
func (k *Keyring) recall(bundle string) (*cached, bool) {
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
	return c, true
}

// keep puts a key into the cache. The caller holds the lock.
func (k *Keyring) keep(c *cached) {
	if e, ok := k.byID[c.bundle]; ok {
		k.order.Remove(e)
	}
	k.byID[c.bundle] = k.order.PushFront(c)
	for k.order.Len() > cacheSize {
		last := k.order.Back()
		k.order.Remove(last)
		if c, ok := last.Value.(*cached); ok {
			delete(k.byID, c.bundle)
		}
	}
}
