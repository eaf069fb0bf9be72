package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"selvedge/connector"
	"selvedge/internal/encode"
)

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
