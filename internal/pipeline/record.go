package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"selvedge/connector"
	"selvedge/internal/encode"
)

// codec turns the records of a page into the bytes that a batch keeps, before
// they are sealed, and back. It is safe for concurrent use.
type codec struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxPlain bounds what a page may unpack to: the largest answer that outbound
// lets through, and the framing.
const maxPlain = 64 << 20

func newCodec() (*codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("pipeline: codec: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, fmt.Errorf("pipeline: codec: %w", err)
	}
	return &codec{enc: enc, dec: dec}, nil
}

// pack frames each record (id, time, bytes; lengths as varints) and compresses
// the whole.
func (c *codec) pack(records []connector.Record) []byte {
	var plain []byte
	for _, r := range records {
		plain = binary.AppendUvarint(plain, uint64(len(r.ID)))
		plain = append(plain, r.ID...)
		plain = binary.AppendVarint(plain, millisOf(r.Time))
		plain = binary.AppendUvarint(plain, uint64(len(r.Raw)))
		plain = append(plain, r.Raw...)
	}
	return c.enc.EncodeAll(plain, nil)
}

var errCodec = errors.New("pipeline: a stored page cannot be read")

// unpack is the reverse of pack. The records share one piece of memory.
func (c *codec) unpack(packed []byte) ([]connector.Record, error) {
	plain, err := c.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCodec, err)
	}
	var records []connector.Record
	for len(plain) > 0 {
		var id, raw []byte
		var ms int64
		var ok bool
		if id, plain, ok = chunk(plain); !ok {
			return nil, errCodec
		}
		var n int
		if ms, n = binary.Varint(plain); n <= 0 {
			return nil, errCodec
		}
		if raw, plain, ok = chunk(plain[n:]); !ok {
			return nil, errCodec
		}
		records = append(records, connector.Record{ID: string(id), Time: timeOf(ms), Raw: raw})
	}
	return records, nil
}

func chunk(b []byte) (head, rest []byte, ok bool) {
	size, n := binary.Uvarint(b)
	if n <= 0 || size > uint64(len(b)-n) {
		return nil, nil, false
	}
	end := n + int(size) //nolint:gosec // size is at most len(b)
	return b[n:end:end], b[end:], true
}

func millisOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// contentID is what a record without an id is known by, together with its number
// among the equal ones of its window.
func contentID(r connector.Record) [16]byte {
	sum := sha256.Sum256(append([]byte("raw\x00"), encode.AppendRaw(nil, r.Raw)...))
	return [16]byte(sum[:])
}

// identity is what a record is known by: its identifier, or its content where it
// has none. The first of equal records is known by the content alone. Of what is
// taken in once more, whatever is known, salt is the name.
func identity(r connector.Record, number int64, salt string) [16]byte {
	id := contentID(r)
	h := sha256.New()
	switch {
	case r.ID != "":
		h.Write([]byte("id\x00" + r.ID))
	case number == 0 && salt == "":
		return id
	default:
		h.Write(binary.AppendVarint(id[:], number))
	}
	if salt != "" {
		h.Write([]byte("\x00again\x00" + salt))
	}
	return [16]byte(h.Sum(nil))
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }
