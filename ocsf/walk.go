package ocsf

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Visitor is shown the members of an event. The elements of a list have the
// empty key. A text is UTF-8, and is good until the event's Reset.
type Visitor interface {
	Open(key string) // an object or a list begins
	Close()          // what was opened last ends
	Text(key, text string)
	Int(key string, n int64) // of a flag: 1 is true
	Float(key string, n float64)
}

// Walk shows v the members that AppendJSON writes, in its order and with the
// same values: whoever reads what v makes of them reads the same event. Like
// AppendJSON it sets Replaced.
func (e *Event) Walk(v Visitor) {
	e.append(&object{to: v, e: e})
	if len(e.unmapped) > 0 {
		v.Open("unmapped")
		for rest := e.unmapped; len(rest) > 0; {
			var key, text string
			key, rest = e.unquote(rest)
			text, rest = e.unquote(rest)
			v.Text(key, text)
		}
		v.Close()
	}
	e.Replaced = 0
	from := len(e.arena)
	if e.RawText {
		e.arena = append(e.arena, e.Raw...)
	} else {
		e.arena = AppendCompact(e.arena, e.Raw)
	}
	if raw := e.replaceInvalid(view(e.arena[from:]), &e.Replaced); raw != "" {
		v.Text("raw_data", raw)
	}
}

// wellFormed returns s as UTF-8, as AppendJSON writes it.
func (e *Event) wellFormed(s string) string { return e.replaceInvalid(s, nil) }

// replaceInvalid puts U+FFFD in the place of each byte that is no UTF-8, and
// counts them where count is not nil.
func (e *Event) replaceInvalid(s string, count *int) string {
	if utf8.ValidString(s) {
		return s
	}
	grown, n := e.Arena(), 0
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], replacement) {
			n++
		}
		grown = utf8.AppendRune(grown, r)
	}
	if count != nil {
		*count += n
	}
	return e.KeepArena(grown)
}

// unquote takes a string that AddUnmapped quoted, and the byte behind it, from
// the beginning of quoted.
func (e *Event) unquote(quoted []byte) (text string, rest []byte) {
	end := stringEnd(quoted, 1)
	inner, rest := quoted[1:end-1], quoted[end+1:]
	first := strings.IndexByte(view(inner), '\\')
	if first < 0 {
		return view(inner), rest
	}
	grown := append(e.Arena(), inner[:first]...)
	for i := first; i < len(inner); i++ {
		if inner[i] != '\\' {
			grown = append(grown, inner[i])
			continue
		}
		i++
		switch c := inner[i]; c {
		case 'n':
			grown = append(grown, '\n')
		case 'r':
			grown = append(grown, '\r')
		case 't':
			grown = append(grown, '\t')
		case 'u':
			// Only control characters are written so.
			code, _ := strconv.ParseUint(view(inner[i+1:i+5]), 16, 8)
			grown = append(grown, byte(code))
			i += len("0000")
		default:
			grown = append(grown, c)
		}
	}
	return e.KeepArena(grown), rest
}
