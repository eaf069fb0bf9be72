package secret

import "fmt"

// labelServer is of the key that seals what belongs to no app bundle.
const labelServer = "server secrets"

// SealServer encrypts a secret of the server's own, such as that of an access
// key: it is under a key of its own, not under a bundle's data key. OpenServer
// must name the same owner and field.
func (k *Keyring) SealServer(owner, field string, plaintext []byte) []byte {
	return seal(k.server, keyVersion, plaintext, "server secret", owner, field)
}

// OpenServer decrypts what SealServer made for the same owner and field. It
// answers ErrNotOpened for anything else.
func (k *Keyring) OpenServer(owner, field string, sealed []byte) ([]byte, error) {
	plaintext, err := open(k.server, sealed, "server secret", owner, field)
	if err != nil {
		return nil, fmt.Errorf("secret: open %s of %s: %w", field, owner, err)
	}
	return plaintext, nil
}
