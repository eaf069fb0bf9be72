package simulator

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// seal writes numbers as an opaque text that nobody else can make: a cursor that
// a client must not take apart.
func (m *mint) seal(numbers ...int64) string {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return base64.RawURLEncoding.EncodeToString(append(b, m.mac(b)[:8]...))
}

// open reads what seal wrote of so many numbers.
func (m *mint) open(sealed string, count int) ([]int64, bool) {
	b, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(b) != 8*count+8 || !bytes.Equal(m.mac(b[:8*count])[:8], b[8*count:]) {
		return nil, false
	}
	numbers := make([]int64, count)
	for i := range numbers {
		numbers[i] = int64(binary.BigEndian.Uint64(b[8*i:]))
	}
	return numbers, true
}
