package secret

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"selvedge/internal/fabric"
)

// format2 begins what says which key it is under: the kind of the key, and a
// mark of eight bytes. Of a master key the mark is its id, of KMS the time of
// the wrapping, since KMS does not tell which of its versions it used.
const (
	format2  = 2
	markSize = 8
	headSize = 2 + markSize
)

// The kinds of what format 2 is.
const (
	kindLocal  = 1 // a data key under the master key
	kindKMS    = 2 // a data key under AWS KMS
	kindServer = 3 // a server secret under the master key
)

func head(kind byte, mark [markSize]byte) []byte { return append([]byte{format2, kind}, mark[:]...) }

func markOf(t time.Time) (mark [markSize]byte) {
	binary.BigEndian.PutUint64(mark[:], uint64(t.UnixMilli()))
	return mark
}

// wrapped is a wrapped data key, read.
type wrapped struct {
	kind   byte
	mark   [markSize]byte
	keyARN string // empty: the server's own key
	header []byte // all before the body
	body   []byte
}

func readWrapped(b []byte) (wrapped, bool) {
	if len(b) < headSize+2 || b[0] != format2 {
		return wrapped{}, false
	}
	end := headSize + 2 + int(binary.BigEndian.Uint16(b[headSize:]))
	if len(b) < end {
		return wrapped{}, false
	}
	return wrapped{
		kind: b[1], mark: [markSize]byte(b[2:headSize]), keyARN: string(b[headSize+2 : end]), header: b[:end:end], body: b[end:],
	}, true
}

// withARN writes the header of a wrapped data key.
func withARN(kind byte, mark [markSize]byte, keyARN string) []byte {
	out := binary.BigEndian.AppendUint16(head(kind, mark), uint16(len(keyARN))) //nolint:gosec // AWS's ARNs have at most 2,048 characters
	return append(out, keyARN...)
}

// wrapLocal wraps a data key under the master key, or under the key that is
// derived from it for a key ARN.
func (m *master) wrapLocal(keyARN, bundleARN string, key []byte) []byte {
	header := withARN(kindLocal, m.id, keyARN)
	return m.kekOf(keyARN).Seal(header, nil, key, associated(header, []string{"data key", bundleARN}))
}

// unwrap returns the plain data key.
func (k *Keyring) unwrap(ctx context.Context, sealed []byte, bundleARN string) ([]byte, error) {
	if len(sealed) > 0 && sealed[0] == format {
		for _, m := range k.masters {
			if key, err := open(m.kek, sealed, "data key", bundleARN); err == nil {
				return key, nil
			}
		}
		return nil, lacksMaster("the app bundle's data key seems to be")
	}
	w, ok := readWrapped(sealed)
	switch {
	case ok && w.kind == kindKMS:
		if k.kms == nil {
			return nil, unavailable("the app bundle's data key is wrapped by AWS KMS (%s), and this server does not use KMS: start it with --kms-url aws://", w.keyARN)
		}
		return k.kms.Unwrap(ctx, w.keyARN, bundleARN, w.body)
	case ok && w.kind == kindLocal:
		m := k.masterOf(w.mark)
		if m == nil {
			return nil, lacksMaster("the app bundle's data key is")
		}
		key, err := m.kekOf(w.keyARN).Open(nil, nil, w.body, associated(w.header, []string{"data key", bundleARN}))
		if err != nil {
			return nil, ErrNotOpened
		}
		return key, nil
	}
	return nil, ErrNotOpened
}

func lacksMaster(what string) error {
	return &KeyError{
		Reason: what + " under a master key that this server's master key file does not have: put its line into the file",
		Err:    ErrNotOpened,
	}
}

// NewDataKey makes the data key of a new bundle and returns it wrapped. The
// bundle's identifier, account and Region must be set and never change, and so
// must its KeyARN where it is to be wrapped under a key of the user's own.
func (k *Keyring) NewDataKey(ctx context.Context, b fabric.AppBundle) ([]byte, error) {
	if b.ID == "" || b.Account == "" || b.Region == "" {
		return nil, fmt.Errorf("secret: new data key: the bundle has no ARN yet")
	}
	bundleARN := b.ARN().String()
	if b.KeyARN != "" && k.kms != nil {
		key, body, err := k.kms.Generate(ctx, b.KeyARN, bundleARN)
		clear(key)
		if err != nil {
			return nil, fmt.Errorf("secret: new data key: %w", err)
		}
		return append(withARN(kindKMS, markOf(k.now()), b.KeyARN), body...), nil
	}
	m, err := k.inUse(ctx)
	if err != nil {
		return nil, fmt.Errorf("secret: new data key: %w", err)
	}
	key := random()
	defer clear(key)
	return m.wrapLocal(b.KeyARN, bundleARN, key), nil
}

// Fresh tells what is under the newest keys from what is not, by how it begins.
type Fresh struct {
	DataKey []byte // a data key under the newest master key begins so
	Server  []byte // a server secret under it begins so
	KMS     []byte // a data key that KMS wrapped begins so,
	Since   []byte // and goes on with no less than this
	Local   bool   // keys of users' own are derived from the master key: KMS is not used
}

// Fresh returns how what is under the newest keys begins. What KMS wrapped
// before since is to be wrapped anew.
func (k *Keyring) Fresh(since time.Time) Fresh {
	mark := markOf(since)
	return Fresh{
		DataKey: head(kindLocal, k.masters[0].id), Server: head(kindServer, k.masters[0].id),
		KMS: []byte{format2, kindKMS}, Since: mark[:], Local: k.kms == nil,
	}
}

// Rewrap wraps a data key under the newest keys: a key of the user's own under
// KMS where the server uses it, any other under the newest master key.
func (k *Keyring) Rewrap(ctx context.Context, b fabric.AppBundle, sealed []byte, since time.Time) ([]byte, error) {
	bundleARN, now := b.ARN().String(), k.now()
	if now.Before(since) {
		now = since // by another replica's clock
	}
	if w, ok := readWrapped(sealed); ok && w.kind == kindKMS && k.kms != nil {
		body, err := k.kms.Rewrap(ctx, w.keyARN, bundleARN, w.body)
		if err != nil {
			return nil, fmt.Errorf("secret: rewrap: %w", err)
		}
		return append(withARN(kindKMS, markOf(now), w.keyARN), body...), nil
	}
	key, err := k.unwrap(ctx, sealed, bundleARN)
	if err != nil {
		return nil, fmt.Errorf("secret: rewrap: %w", err)
	}
	defer clear(key)
	if b.KeyARN != "" && k.kms != nil {
		body, err := k.kms.Wrap(ctx, b.KeyARN, bundleARN, key)
		if err != nil {
			return nil, fmt.Errorf("secret: rewrap: %w", err)
		}
		return append(withARN(kindKMS, markOf(now), b.KeyARN), body...), nil
	}
	return k.masters[0].wrapLocal(b.KeyARN, bundleARN, key), nil
}

// Opens says whether the file has the master key that the check value is of, and
// the one that the seed is under.
func (k *Keyring) Opens(check, seed []byte) error {
	if !slices.ContainsFunc(k.masters, func(m *master) bool { return m.key.Verify(check) == nil }) {
		return ErrWrongMaster
	}
	_, err := k.OpenSeed(seed)
	return err
}

// MissingMaster says whether something is under a master key that is not in the
// file, given how it begins.
func (k *Keyring) MissingMaster(begins []byte) bool {
	if len(begins) < headSize || begins[0] != format2 || begins[1] == kindKMS {
		return false
	}
	return k.masterOf([markSize]byte(begins[2:headSize])) == nil
}

// HeadSize is how many bytes tell which key something is under.
const HeadSize = headSize

// OldFormat is how what says nothing of its key begins.
func OldFormat() []byte { return bytes.Clone([]byte{format}) }
