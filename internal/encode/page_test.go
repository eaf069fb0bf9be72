package encode_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"selvedge/connector"
	"selvedge/internal/encode"
)

func newPages(tb testing.TB) *encode.Pages {
	tb.Helper()
	p, err := encode.NewPages()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// FuzzPage: what was packed comes back as it was, and other bytes are refused or
// give records, whatever they are.
func FuzzPage(f *testing.F) {
	pages := newPages(f)
	f.Add("id", int64(1795375500123), []byte(`{"a":1}`), []byte{})
	f.Add("", int64(0), []byte{}, pages.Pack([]connector.Record{{Raw: []byte("x")}}))
	f.Fuzz(func(t *testing.T, id string, ms int64, raw, foreign []byte) {
		ms %= 1 << 50
		records := []connector.Record{{ID: id, Raw: raw}, {ID: "second", Time: time.UnixMilli(ms).UTC(), Raw: []byte("{}")}}
		if ms == 0 {
			records[1].Time = time.Time{}
		}
		got, err := pages.Unpack(pages.Pack(records))
		if err != nil || len(got) != 2 {
			t.Fatal(got, err)
		}
		if records[0].Raw = append([]byte{}, raw...); !cmp.Equal(records, got) {
			t.Error(cmp.Diff(records, got))
		}
		if _, err := pages.Unpack(foreign); err != nil && !errors.Is(err, encode.ErrPage) {
			t.Error(err)
		}
	})
}

// What unpacks is not believed either.
func TestPageOfOtherBytes(t *testing.T) {
	t.Parallel()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, plain := range map[string][]byte{
		"an id that is too long":    {200, 1, 'a'},
		"no time":                   {1, 'a'},
		"no record":                 {1, 'a', 2},
		"a record that is too long": {1, 'a', 2, 9, '{'},
		"a length without an end":   {0xff, 0xff},
	} {
		if got, err := newPages(t).Unpack(enc.EncodeAll(plain, nil)); !errors.Is(err, encode.ErrPage) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestPageCutOff(t *testing.T) {
	t.Parallel()
	packed := newPages(t).Pack([]connector.Record{{ID: "a", Raw: []byte(`{"b":1}`)}})
	for n := 1; n < len(packed); n++ {
		if _, err := newPages(t).Unpack(packed[:n]); !errors.Is(err, encode.ErrPage) {
			t.Errorf("%d of %d bytes: %v", n, len(packed), err)
		}
	}
}
