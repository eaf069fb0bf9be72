package rest

import (
	"bytes"
	"encoding/json"
	"errors"
	"iter"
	"strconv"
	"strings"
)

// Doc is a JSON text that has been seen to be valid, or a value within one.
// Its methods read it in place and copy nothing but the strings they return:
// pages are large, and all that a session wants of a record is its identifier
// and its time. On bytes that are not JSON they return nonsense, never a panic.
type Doc []byte

// Parse checks an answer, a byte order mark before it left aside. The Doc
// shares its memory.
func Parse(body []byte) (Doc, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if !json.Valid(body) {
		var v json.RawMessage
		if err := json.Unmarshal(body, &v); err != nil {
			return nil, err
		}
		return nil, errors.New("no JSON")
	}
	return Doc(bytes.Trim(body, whitespace)), nil
}

// Member returns the value that a dotted path of names and indexes leads to,
// the Doc itself for the empty path. A dot that belongs to a name is written
// "\.". Of members of one name the first counts.
func (d Doc) Member(path string) (Doc, bool) {
	if path == "" {
		return d, len(d) > 0
	}
	for more := true; more; {
		var name string
		name, path, more = cutName(path)
		found := false
		if d.is('[') {
			d, found = d.index(name)
		} else if d.is('{') {
			d, found = d.named(name)
		}
		if !found {
			return nil, false
		}
	}
	return d, true
}

// cutName takes the first name off a path.
func cutName(path string) (name, rest string, more bool) {
	name, rest, more = strings.Cut(path, ".")
	for more && strings.HasSuffix(name, `\`) {
		var next string
		next, rest, more = strings.Cut(rest, ".")
		name = strings.TrimSuffix(name, `\`) + "." + next
	}
	return name, rest, more
}

// Text returns the string at a path; empty where there is none, or another type.
func (d Doc) Text(path string) string {
	v, _ := d.Member(path)
	if !v.is('"') {
		return ""
	}
	return unquote(v)
}

// Scalar is Text that takes numbers too, as they are spelled.
func (d Doc) Scalar(path string) string {
	v, ok := d.Member(path)
	if ok && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') {
		return string(v)
	}
	return d.Text(path)
}

// Flag is the truth value at a path, if there is one.
func (d Doc) Flag(path string) (value, ok bool) {
	v, _ := d.Member(path)
	return string(v) == "true", string(v) == "true" || string(v) == "false"
}

func (d Doc) is(first byte) bool { return len(d) > 0 && d[0] == first }

func (d Doc) index(name string) (Doc, bool) {
	want, err := strconv.Atoi(name)
	if err != nil {
		return nil, false
	}
	i := 0
	for element := range d.elements() {
		if i == want {
			return element, true
		}
		i++
	}
	return nil, false
}

func (d Doc) named(name string) (Doc, bool) {
	i := skipSpace(d, 1)
	for i < len(d) && d[i] == '"' {
		end := skipValue(d, i)
		key := d[i:end]
		i = skipSpace(d, end)
		if i >= len(d) || d[i] != ':' {
			break
		}
		i = skipSpace(d, i+1)
		end = skipValue(d, i)
		if sameName(key, name) && i < end {
			return d[i:end:end], true
		}
		i = skipComma(d, end)
	}
	return nil, false
}

// elements yields what stands in a list.
func (d Doc) elements() iter.Seq[Doc] {
	return func(yield func(Doc) bool) {
		for i := skipSpace(d, 1); i < len(d) && d[i] != ']'; {
			end := skipValue(d, i)
			if end <= i || !yield(d[i:end:end]) {
				return
			}
			i = skipComma(d, end)
		}
	}
}

const whitespace = " \t\r\n"

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// skipComma returns where the next member or element begins.
func skipComma(b []byte, i int) int {
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ',' {
		i = skipSpace(b, i+1)
	}
	return i
}

// skipValue returns the end of the value that begins at i.
func skipValue(b []byte, i int) int {
	if i >= len(b) {
		return len(b)
	}
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		return skipNested(b, i)
	}
	for i < len(b) && !strings.ContainsRune(",]}"+whitespace, rune(b[i])) {
		i++
	}
	return i
}

func skipNested(b []byte, i int) int {
	depth := 0
	for i < len(b) {
		switch b[i] {
		case '"':
			i = skipString(b, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		i++
		if depth == 0 {
			break
		}
	}
	return i
}

func skipString(b []byte, i int) int {
	for i++; i < len(b); {
		end := bytes.IndexByte(b[i:], '"')
		if end < 0 {
			return len(b)
		}
		end += i
		escapes := 0
		for end-1-escapes >= i && b[end-1-escapes] == '\\' {
			escapes++
		}
		i = end + 1
		if escapes%2 == 0 {
			return i
		}
	}
	return len(b)
}

// sameName compares a quoted name with a plain one.
func sameName(quoted []byte, name string) bool {
	if len(quoted) == len(name)+2 && string(quoted[1:len(quoted)-1]) == name {
		return true
	}
	return bytes.IndexByte(quoted, '\\') >= 0 && unquote(quoted) == name
}

func unquote(quoted []byte) string {
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return ""
	}
	return s
}
