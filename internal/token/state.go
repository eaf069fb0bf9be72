package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"selvedge/internal/fabric"
)

// Why a callback is not accepted.
var (
	ErrState        = errors.New("token: the state is not one that this server gave out")
	ErrStateExpired = errors.New("token: the state has expired")
	ErrStateUsed    = errors.New("token: the state has been used, or the authorization has been updated since")
)

// stateLife is how long a person may take to consent.
const stateLife = 24 * time.Hour

// state is what the state parameter says. The account and the Region are not in
// it but under its MAC.
type state struct {
	id         string // of the authorization
	generation int64
	verifierNo int64
	expires    time.Time // whole seconds
}

const (
	stateFields = 16 + 3*8
	stateSize   = stateFields + sha256.Size
)

// encode writes the state for the authorization that it names.
func (s state) encode(key []byte, a fabric.AppAuthorization) string {
	return base64.RawURLEncoding.EncodeToString(append(s.fields(), s.mac(key, a)...))
}

func (s state) fields() []byte {
	id, err := hex.DecodeString(strings.ReplaceAll(s.id, "-", ""))
	if err != nil || len(id) != 16 {
		id = make([]byte, 16) // no authorization has this identifier
	}
	out := binary.BigEndian.AppendUint64(id, uint64(s.generation))
	out = binary.BigEndian.AppendUint64(out, uint64(s.verifierNo))
	return binary.BigEndian.AppendUint64(out, uint64(s.expires.Unix()))
}

func (s state) mac(key []byte, a fabric.AppAuthorization) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(s.fields())
	mac.Write([]byte(a.Account + "\x00" + a.Region + "\x00" + a.ID))
	return mac.Sum(nil)
}

// decodeState reads a state without judging it.
func decodeState(text string) (s state, mac []byte, err error) {
	encoding := base64.RawURLEncoding.Strict()
	raw, err := encoding.DecodeString(text)
	// The decoder skips line ends: the length of the text tells.
	if err != nil || len(raw) != stateSize || len(text) != encoding.EncodedLen(stateSize) {
		return state{}, nil, ErrState
	}
	h := hex.EncodeToString(raw[:16])
	s = state{
		id:         h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:],
		generation: int64(binary.BigEndian.Uint64(raw[16:])),
		verifierNo: int64(binary.BigEndian.Uint64(raw[24:])),
		expires:    time.Unix(int64(binary.BigEndian.Uint64(raw[32:])), 0),
	}
	return s, raw[stateFields:], nil
}

// check judges a state against the authorization that it names.
func (s state) check(key, mac []byte, a fabric.AppAuthorization, now time.Time) error {
	if !hmac.Equal(mac, s.mac(key, a)) {
		return ErrState
	}
	if now.After(s.expires) {
		return ErrStateExpired
	}
	return nil
}
