package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
)

// mint makes ids and secrets that follow from the seed: repeatable, and so of no
// use to guard anything but a simulation.
type mint struct {
	key   []byte
	mark  string // begins every secret
	count uint64
}

func newMint(seed uint64, name, mark string) *mint {
	key := sha256.Sum256(fmt.Appendf(nil, "%d %s", seed, name))
	return &mint{key: key[:], mark: mark}
}

// next is the next 32 bytes of the sequence.
func (m *mint) next() []byte {
	m.count++
	return m.mac(binary.BigEndian.AppendUint64(nil, m.count))
}

func (m *mint) mac(message []byte) []byte {
	h := hmac.New(sha256.New, m.key)
	h.Write(message)
	return h.Sum(nil)
}

func (m *mint) number() uint64 { return binary.BigEndian.Uint64(m.next()) }

// secret has 43 characters of the base64url alphabet, behind the mark.
func (m *mint) secret() string { return m.mark + base64.RawURLEncoding.EncodeToString(m.next()) }

// id is prefix and as many characters of [0-9a-z] as length asks, up to 32.
func (m *mint) id(prefix string, length int) string {
	return prefix + alphanumeric(m.next(), length)
}

func alphanumeric(random []byte, length int) string {
	const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz"
	out := make([]byte, length)
	for i := range out {
		out[i] = alphabet[int(random[i])%len(alphabet)]
	}
	return string(out)
}
