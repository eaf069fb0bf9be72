package mapping

import (
	"errors"
	"strconv"
)

// errJSON is returned for a record that is not JSON.
var errJSON = errors.New("mapping: the record is not JSON")

// errObject is returned for a record that is JSON, but no object.
var errObject = errors.New("mapping: the record is not an object")

// Bounds of the scanner.
const (
	maxDepth     = 10000 // of nesting, as encoding/json has it
	maxFlatDepth = 32    // deeper containers are one leaf
	maxFlatPath  = 512   // bytes; likewise
	maxRecord    = 1 << 30
)

// kind is what a leaf is.
type kind uint8

const (
	kindText kind = iota // a string, val without its quotes
	kindEscaped
	kindNumber
	kindTrue
	kindFalse
	kindNull
	kindNested // a container that is kept as one leaf
)

// leaf is one value of the record. Spans are of the record, the path's of
// Record.paths.
type leaf struct {
	node int32
	kind kind
	used bool
	path [2]int32
	val  [2]int32
}

// element is one element of a list that the table knows.
type element struct {
	node        int32 // of the elements
	first, last int32 // its leaves, last excluded
}

// scanner reads one record into rec.
type scanner struct {
	data []byte
	pos  int
	flat int // containers deeper than this are one leaf
	rec  *Record
}

// scan reads the record. One whose paths would take many times the record's own
// size, which nobody's is, is read again with the members of its root as leaves.
func (r *Record) scan() error {
	if len(r.data) > maxRecord {
		return errJSON
	}
	s := scanner{data: r.data, flat: maxFlatDepth, rec: r}
	err := s.scan()
	if r.over {
		r.clear()
		s = scanner{data: r.data, flat: 0, rec: r}
		err = s.scan()
	}
	return err
}

func (s *scanner) scan() error {
	s.space()
	object := s.pos < len(s.data) && s.data[s.pos] == '{'
	if !s.value(0, 0) {
		return errJSON
	}
	s.space()
	switch {
	case s.pos != len(s.data):
		return errJSON
	case !object:
		return errObject
	}
	return nil
}

func (s *scanner) space() {
	for s.pos < len(s.data) {
		switch s.data[s.pos] {
		case ' ', '\n', '\t', '\r':
			s.pos++
		default:
			return
		}
	}
}

// value reads a value whose path is the record's current one.
func (s *scanner) value(at int32, depth int) bool {
	if s.pos >= len(s.data) {
		return false
	}
	from := s.pos
	switch c := s.data[s.pos]; c {
	case '"':
		escaped, ok := s.str()
		k := kindText
		if escaped {
			k = kindEscaped
		}
		return ok && s.rec.leaf(at, k, from+1, s.pos-1)
	case '{', '[':
		if depth > s.flat || len(s.rec.path) > maxFlatPath {
			return s.skip(depth) && s.rec.leaf(at, kindNested, from, s.pos)
		}
		if c == '{' {
			return s.object(at, depth+1)
		}
		return s.array(at, depth+1)
	case 't':
		return s.word("true") && s.rec.leaf(at, kindTrue, from, s.pos)
	case 'f':
		return s.word("false") && s.rec.leaf(at, kindFalse, from, s.pos)
	case 'n':
		return s.word("null") && s.rec.leaf(at, kindNull, from, s.pos)
	default:
		return s.number() && s.rec.leaf(at, kindNumber, from, s.pos)
	}
}

// object reads from behind its brace on.
func (s *scanner) object(at int32, depth int) bool {
	s.pos++
	s.space()
	if s.next('}') {
		return true
	}
	for {
		here := len(s.rec.path)
		to, ok := s.member(at)
		if !ok || !s.value(to, depth) {
			return false
		}
		s.rec.path = s.rec.path[:here]
		s.space()
		if s.next('}') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}

// member reads a name and the colon behind it, and goes down the path.
func (s *scanner) member(at int32) (to int32, ok bool) {
	from := s.pos + 1
	if s.pos >= len(s.data) || s.data[s.pos] != '"' {
		return none, false
	}
	escaped, ok := s.str()
	if !ok {
		return none, false
	}
	r := s.rec
	if len(r.path) > 0 {
		r.path = append(r.path, '.')
	}
	name := len(r.path)
	if escaped {
		r.path = appendUnquoted(r.path, s.data[from:s.pos-1])
	} else {
		r.path = append(r.path, s.data[from:s.pos-1]...)
	}
	to = none
	if at != none {
		to = r.m.trie.childBytes(at, r.path[name:])
	}
	s.space()
	if !s.next(':') {
		return none, false
	}
	s.space()
	return to, true
}

// childBytes is child for a name that is no string yet.
func (t *trie) childBytes(at int32, key []byte) int32 {
	for _, e := range t.nodes[at].edges {
		if e.key == string(key) {
			return e.to
		}
	}
	return none
}

// array reads from behind its bracket on.
func (s *scanner) array(at int32, depth int) bool {
	s.pos++
	s.space()
	if s.next(']') {
		return true
	}
	r := s.rec
	to := int32(none)
	if at != none {
		to = r.m.trie.nodes[at].element
	}
	for i := int64(0); ; i++ {
		here := len(r.path)
		r.path = append(r.path, '[')
		r.path = strconv.AppendInt(r.path, i, 10)
		r.path = append(r.path, ']')
		first := len(r.leaves)
		if !s.value(to, depth) {
			return false
		}
		if to != none {
			r.elements = append(r.elements, element{to, int32(first), int32(len(r.leaves))}) //nolint:gosec // bounded by the record
		}
		r.path = r.path[:here]
		s.space()
		if s.next(']') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}

// next reads c, if it is there.
func (s *scanner) next(c byte) bool {
	if s.pos < len(s.data) && s.data[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) word(w string) bool {
	if len(s.data)-s.pos < len(w) || string(s.data[s.pos:s.pos+len(w)]) != w {
		return false
	}
	s.pos += len(w)
	return true
}

// inString are the bytes that do not simply belong to a string. Read only.
var inString = func() (t [256]bool) {
	for b := range ' ' {
		t[b] = true
	}
	t['"'], t['\\'] = true, true
	return t
}()

// str reads a string with its quotes and tells whether it has escapes.
func (s *scanner) str() (escaped, ok bool) {
	data, i := s.data, s.pos+1
	for {
		for i < len(data) && !inString[data[i]] {
			i++
		}
		if i >= len(data) {
			return false, false
		}
		switch data[i] {
		case '"':
			s.pos = i + 1
			return escaped, true
		case '\\':
			escaped = true
			n := escapeLen(data[i:])
			if n == 0 {
				return false, false
			}
			i += n
		default:
			return false, false
		}
	}
}

// escapeLen returns the length of the escape that b begins with, 0 for none.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(b[2:]); ok {
			return 6
		}
	}
	return 0
}

func (s *scanner) number() bool {
	s.next('-')
	if !s.next('0') && !s.digits() {
		return false
	}
	if s.next('.') && !s.digits() {
		return false
	}
	if s.next('e') || s.next('E') {
		if !s.next('+') {
			s.next('-')
		}
		return s.digits()
	}
	return true
}

func (s *scanner) digits() bool {
	from := s.pos
	for s.pos < len(s.data) && s.data[s.pos] >= '0' && s.data[s.pos] <= '9' {
		s.pos++
	}
	return s.pos > from
}

// skip reads a value and keeps nothing of it.
func (s *scanner) skip(depth int) bool {
	if s.pos >= len(s.data) || depth >= maxDepth {
		return false
	}
	switch s.data[s.pos] {
	case '{':
		return s.skipMembers(depth + 1)
	case '[':
		return s.skipElements(depth + 1)
	case '"':
		_, ok := s.str()
		return ok
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	default:
		return s.number()
	}
}

func (s *scanner) skipMembers(depth int) bool {
	s.pos++
	s.space()
	if s.next('}') {
		return true
	}
	for {
		if s.pos >= len(s.data) || s.data[s.pos] != '"' {
			return false
		}
		if _, ok := s.str(); !ok {
			return false
		}
		s.space()
		if !s.next(':') {
			return false
		}
		s.space()
		if !s.skip(depth) {
			return false
		}
		s.space()
		if s.next('}') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}

func (s *scanner) skipElements(depth int) bool {
	s.pos++
	s.space()
	if s.next(']') {
		return true
	}
	for {
		if !s.skip(depth) {
			return false
		}
		s.space()
		if s.next(']') {
			return true
		}
		if !s.next(',') {
			return false
		}
		s.space()
	}
}
