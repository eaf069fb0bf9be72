package simulator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf16"
)

// The records of the feeds are written by hand, never through encoding/json:
// what they are to prove is that their bytes come through unchanged, so strings,
// numbers and white space take every form that JSON allows.

// jsonWriter writes the text of one record.
type jsonWriter struct{ escapes escapeStyle }

type escapeStyle int

const (
	escapeLeast escapeStyle = iota // only what must be
	escapeLower                    // beyond ASCII as \u00e9, / as \/
	escapeUpper                    // beyond ASCII as \u00E9
)

// object writes members alternating key and value text.
func (w *jsonWriter) object(members ...string) string {
	var out strings.Builder
	out.WriteByte('{')
	for i := 0; i+1 < len(members); i += 2 {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString(`"` + members[i] + `":` + members[i+1])
	}
	out.WriteByte('}')
	return out.String()
}

func (w *jsonWriter) list(elements ...string) string {
	return "[" + strings.Join(elements, ",") + "]"
}

// text writes a string; the empty one is null, as both providers have it.
func (w *jsonWriter) text(s string) string {
	if s == "" {
		return "null"
	}
	var out strings.Builder
	out.Grow(len(s) + 2)
	out.WriteByte('"')
	for _, r := range s {
		w.rune(&out, r)
	}
	out.WriteByte('"')
	return out.String()
}

func (w *jsonWriter) rune(out *strings.Builder, r rune) {
	switch {
	case r == '"' || r == '\\':
		out.WriteByte('\\')
		out.WriteRune(r)
	case r == '\n':
		out.WriteString(`\n`)
	case r == '\t':
		out.WriteString(`\t`)
	case r == '/' && w.escapes == escapeLower:
		out.WriteString(`\/`)
	case r < 0x20, r > 0x7e && w.escapes != escapeLeast:
		format := `\u%04x`
		if w.escapes == escapeUpper {
			format = `\u%04X`
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(out, format, unit)
		}
	default:
		out.WriteRune(r)
	}
}

// respace puts white space between the tokens of a compact document: none, one
// after each comma and colon, an indent, or anything anywhere.
func respace(compact string, style int, rng *rand.Rand) []byte {
	if style == 0 {
		return []byte(compact)
	}
	var out bytes.Buffer
	odd := []string{"", "", " ", "  ", "\t", "\n", "\r\n", " \t "}
	inside, escaped, depth := false, false, 0
	for i := range len(compact) {
		c := compact[i]
		if inside {
			out.WriteByte(c)
			inside = escaped || c != '"'
			escaped = !escaped && c == '\\'
			continue
		}
		inside = c == '"'
		structural := strings.IndexByte("{}[],:", c) >= 0
		if structural && style == 3 {
			out.WriteString(odd[rng.IntN(len(odd))])
		}
		if c == '}' || c == ']' {
			depth--
			indent(&out, style, depth)
		}
		out.WriteByte(c)
		if c == '{' || c == '[' {
			depth++
		}
		switch {
		case structural && style == 3:
			out.WriteString(odd[rng.IntN(len(odd))])
		case c == ',' && style == 2, c == '{' && style == 2, c == '[' && style == 2:
			indent(&out, style, depth)
		case c == ':' || c == ',':
			out.WriteByte(' ')
		}
	}
	return bytes.TrimSpace(out.Bytes())
}

func indent(out *bytes.Buffer, style, depth int) {
	if style == 2 {
		out.WriteByte('\n')
		out.WriteString(strings.Repeat("  ", depth))
	}
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

// newUUID is a version 4 UUID.
func newUUID(rng *rand.Rand) string {
	hi, lo := rng.Uint64()&^0xf000|0x4000, rng.Uint64()&^(0b11<<62)|0b10<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&0xffffffffffff)
}

// randomID is prefix and length characters of [0-9a-z].
func randomID(rng *rand.Rand, prefix string, length int) string {
	random := make([]byte, length)
	for i := range random {
		random[i] = byte(rng.UintN(256)) //nolint:gosec // below 256
	}
	return prefix + alphanumeric(random, length)
}
