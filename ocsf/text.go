package ocsf

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The special bytes of JSON text. Read only.
var (
	// inString: those that a quoted string cannot hold as they are, and those
	// that begin a rune of several bytes.
	inString = special(func(b int) bool { return b < ' ' || b >= utf8.RuneSelf || b == '"' || b == '\\' })
	// between: likewise, and white space, which is not significant there.
	between = special(func(b int) bool { return b <= ' ' || b >= utf8.RuneSelf || b == '"' || b == '\\' })
)

func special(is func(int) bool) (t [256]bool) {
	for b := range t {
		t[b] = is(b)
	}
	return t
}

const replacement = "\xef\xbf\xbd" // U+FFFD

// AppendQuoted appends s as a JSON string. Bytes that are no UTF-8 become
// U+FFFD, each its own, and are counted in replaced; the characters of HTML
// stay as they are.
func AppendQuoted(dst []byte, s string) (quoted []byte, replaced int) {
	dst = appendQuoted(dst, s, &replaced)
	return dst, replaced
}

func appendQuoted(dst []byte, s string, replaced *int) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		if !inString[s[i]] {
			i++
			continue
		}
		if s[i] >= utf8.RuneSelf {
			if r, n := utf8.DecodeRuneInString(s[i:]); r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		dst = appendSpecial(dst, s[i], replaced)
		i++
		from = i
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// appendSpecial appends, inside a quoted string, a byte that cannot stand
// there.
func appendSpecial(dst []byte, b byte, replaced *int) []byte {
	const hex = "0123456789abcdef"
	switch {
	case b >= utf8.RuneSelf:
		if replaced != nil {
			*replaced++
		}
		return append(dst, replacement...)
	case b == '"' || b == '\\':
		return append(dst, '\\', b)
	case b == '\n':
		return append(dst, '\\', 'n')
	case b == '\r':
		return append(dst, '\\', 'r')
	case b == '\t':
		return append(dst, '\\', 't')
	default:
		return append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
	}
}

// AppendCompact appends JSON text without its insignificant white space: the
// bytes that json.Compact gives. What is no JSON comes out as something that is
// none either.
func AppendCompact(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		switch src[i] {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			end := stringEnd(src, i+1)
			dst = append(dst, src[i:end]...)
			i = end
		default:
			from := i
			for i < len(src) && src[i] > ' ' && src[i] != '"' {
				i++
			}
			i = max(i, from+1)
			dst = append(dst, src[from:i]...)
		}
	}
	return dst
}

// stringEnd returns the place behind the quote that ends a string, of which
// src[i:] is the rest.
func stringEnd(src []byte, i int) int {
	for {
		// Eight bytes at once while none of them is special.
		for i+8 <= len(src) {
			special := quoteOrEscape(binary.LittleEndian.Uint64(src[i:]))
			if special != 0 {
				i += bits.TrailingZeros64(special) / 8
				break
			}
			i += 8
		}
		for i < len(src) && src[i] != '"' && src[i] != '\\' {
			i++
		}
		switch {
		case i >= len(src):
			return len(src)
		case src[i] == '"':
			return i + 1
		}
		i += 2
	}
}

// quoteOrEscape has the highest bit of the first byte of w that is a quote or a
// backslash, and of none before it. Of later bytes it may have too many: what a
// subtraction borrows goes upwards only.
func quoteOrEscape(w uint64) uint64 {
	const each, high = 0x0101010101010101, 0x8080808080808080
	quote, escape := w^each*'"', w^each*'\\'
	return ((quote-each)&^quote | (escape-each)&^escape) & high
}

// appendRaw appends JSON text, without its insignificant white space, as a JSON
// string: AppendCompact and AppendQuoted in one pass.
func appendRaw(dst, src []byte, replaced *int) []byte {
	dst = append(dst, '"')
	table, inside := &between, false
	for i := 0; i < len(src); {
		from := i
		for i < len(src) && !table[src[i]] {
			i++
		}
		dst = append(dst, src[from:i]...)
		if i == len(src) {
			break
		}
		switch c := src[i]; {
		case c == '"':
			inside = !inside
			if table = &between; inside {
				table = &inString
			}
			dst = append(dst, '\\', '"')
			i++
		case c == '\\':
			dst = append(dst, '\\', '\\')
			i++
			// The escaped byte does not end the string.
			if inside && i < len(src) && (src[i] == '"' || src[i] == '\\') {
				dst = append(dst, '\\', src[i])
				i++
			}
		case c >= utf8.RuneSelf:
			_, n := utf8.DecodeRune(src[i:])
			if n == 1 {
				dst = appendSpecial(dst, c, replaced)
			} else {
				dst = append(dst, src[i:i+n]...)
			}
			i += n
		case !inside && (c == ' ' || c == '\n' || c == '\t' || c == '\r'):
			i++
		default:
			dst = appendSpecial(dst, c, replaced)
			i++
		}
	}
	return append(dst, '"')
}
