package rest

import (
	"strings"
	"unicode"
)

// maxLine is the most characters that a provider's words may have.
const maxLine = 300

// Line makes foreign words safe to show: valid UTF-8 on one line, without
// control or formatting characters, at most 300 characters.
func Line(s string) string {
	var b strings.Builder
	n, gap := 0, false
	for _, r := range strings.ToValidUTF8(s, "\ufffd") {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			gap = n > 0
			continue
		}
		if gap {
			if n+1 >= maxLine {
				break
			}
			b.WriteByte(' ')
			n, gap = n+1, false
		}
		if n == maxLine {
			break
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// parseParams reads what follows a header's first word: name=value pairs with
// commas, semicolons or spaces between them, values quoted or not. Names come
// back in lower case, the first of a name staying.
func parseParams(s string) (first string, params map[string]string) {
	s = strings.TrimSpace(s)
	first, s, _ = strings.Cut(s, " ")
	params = make(map[string]string)
	for {
		s = strings.TrimLeft(s, " \t,;")
		end := strings.IndexAny(s, "= \t,;")
		if s == "" || end == 0 {
			return first, params
		}
		name, value := s, ""
		if end < 0 {
			s = ""
		} else {
			name, s = s[:end], strings.TrimLeft(s[end:], " \t")
		}
		if rest, ok := strings.CutPrefix(s, "="); ok {
			value, s = parseValue(strings.TrimLeft(rest, " \t"))
		}
		name = strings.ToLower(name)
		if _, seen := params[name]; !seen {
			params[name] = value
		}
	}
}

// parseValue reads a token or a quoted string and returns what is behind it.
func parseValue(s string) (value, rest string) {
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t,;")
		if end < 0 {
			return s, ""
		}
		return s[:end], s[end:]
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}
