package mapping

import (
	"unicode/utf16"
	"unicode/utf8"
)

// appendUnquoted appends the text of a JSON string, of which src is what stands
// between its quotes. Half a surrogate pair becomes U+FFFD.
func appendUnquoted(dst, src []byte) []byte {
	for i := 0; i < len(src); {
		if src[i] != '\\' {
			dst = append(dst, src[i])
			i++
			continue
		}
		n := escapeLen(src[i:])
		if n == 0 { // not of the scanner's strings
			return append(dst, src[i:]...)
		}
		if n == 2 {
			dst = append(dst, unescape(src[i+1]))
			i += 2
			continue
		}
		r, _ := hex4(src[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			low, ok := rune(0), false
			if i+6 <= len(src) && src[i] == '\\' && src[i+1] == 'u' {
				low, ok = hex4(src[i+2:])
			}
			if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
				i += 6
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default:
		return c
	}
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
