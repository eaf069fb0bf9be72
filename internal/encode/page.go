package encode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"selvedge/connector"
)

// Pages turns the records of a page into the bytes that a batch keeps, before
// they are sealed, and back. It is safe for concurrent use.
type Pages struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// maxPlain bounds what a page may unpack to: the largest answer that outbound
// lets through, and the framing.
const maxPlain = 64 << 20

// NewPages makes a Pages.
func NewPages() (*Pages, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, fmt.Errorf("encode: pages: %w", err)
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderConcurrency(0))
	if err != nil {
		return nil, fmt.Errorf("encode: pages: %w", err)
	}
	return &Pages{enc: enc, dec: dec}, nil
}

// Pack frames each record (id, time, bytes; lengths as varints) and compresses
// the whole.
func (p *Pages) Pack(records []connector.Record) []byte {
	var plain []byte
	for _, r := range records {
		plain = binary.AppendUvarint(plain, uint64(len(r.ID)))
		plain = append(plain, r.ID...)
		plain = binary.AppendVarint(plain, millisOf(r.Time))
		plain = binary.AppendUvarint(plain, uint64(len(r.Raw)))
		plain = append(plain, r.Raw...)
	}
	return p.enc.EncodeAll(plain, nil)
}

// ErrPage says that what should be a page is none.
var ErrPage = errors.New("encode: a stored page cannot be read")

// Unpack is the reverse of Pack. The records share one piece of memory. It answers
// ErrPage.
func (p *Pages) Unpack(packed []byte) ([]connector.Record, error) {
	plain, err := p.dec.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPage, err)
	}
	var records []connector.Record
	for len(plain) > 0 {
		var id, raw []byte
		var ms int64
		var ok bool
		if id, plain, ok = chunk(plain); !ok {
			return nil, ErrPage
		}
		var n int
		if ms, n = binary.Varint(plain); n <= 0 {
			return nil, ErrPage
		}
		if raw, plain, ok = chunk(plain[n:]); !ok {
			return nil, ErrPage
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
