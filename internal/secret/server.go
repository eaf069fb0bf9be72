package secret

import (
	"context"
	"fmt"
)

// labelServer is of the key that seals what belongs to no app bundle.
const labelServer = "server secrets"

// SealServer encrypts a secret of the server's own, such as that of an access
// key: it is under a key of its own, not under a bundle's data key. OpenServer
// must name the same owner and field.
func (k *Keyring) SealServer(ctx context.Context, owner, field string, plaintext []byte) ([]byte, error) {
	m, err := k.inUse(ctx)
	if err != nil {
		return nil, fmt.Errorf("secret: seal %s: %w", field, err)
	}
	return m.sealServer(owner, field, plaintext), nil
}

func (m *master) sealServer(owner, field string, plaintext []byte) []byte {
	header := head(kindServer, m.id)
	return m.server.Seal(header, nil, plaintext, associated(header, []string{"server secret", owner, field}))
}

// OpenServer decrypts what SealServer made for the same owner and field. It
// answers ErrNotOpened for anything else.
func (k *Keyring) OpenServer(owner, field string, sealed []byte) ([]byte, error) {
	plaintext, err := k.openServer(owner, field, sealed)
	if err != nil {
		return nil, fmt.Errorf("secret: open %s of %s: %w", field, owner, err)
	}
	return plaintext, nil
}

func (k *Keyring) openServer(owner, field string, sealed []byte) ([]byte, error) {
	if len(sealed) > 0 && sealed[0] == format {
		for _, m := range k.masters {
			if plaintext, err := open(m.server, sealed, "server secret", owner, field); err == nil {
				return plaintext, nil
			}
		}
		return nil, ErrNotOpened
	}
	if len(sealed) < headSize || sealed[0] != format2 || sealed[1] != kindServer {
		return nil, ErrNotOpened
	}
	m := k.masterOf([markSize]byte(sealed[2:headSize]))
	if m == nil {
		return nil, lacksMaster("it is")
	}
	plaintext, err := m.server.Open(nil, nil, sealed[headSize:], associated(sealed[:headSize], []string{"server secret", owner, field}))
	if err != nil {
		return nil, ErrNotOpened
	}
	return plaintext, nil
}

// Reseal seals a server secret under the newest master key.
func (k *Keyring) Reseal(owner, field string, sealed []byte) ([]byte, error) {
	plaintext, err := k.OpenServer(owner, field, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plaintext)
	return k.masters[0].sealServer(owner, field, plaintext), nil
}
