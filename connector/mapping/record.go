package mapping

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"strconv"

	"selvedge/ocsf"
)

// Record is a record that has been read. It is good during one call of
// Table.Code or Table.Finish; its texts are good as long as the event.
//
// A path that is asked for must be in the table. That it is not is a mistake of
// the mapping, by which every record fails that comes upon it.
type Record struct {
	m    *Mapper
	e    *ocsf.Event
	data []byte

	leaves   []leaf
	elements []element
	sent     []sent
	found    []Element // what Each has returned
	slots    []int32   // by node: the last leaf there, or none
	path     []byte    // of what is being read
	paths    []byte    // of the leaves
	scratch  []byte    // an unquoted text that is compared
	over     bool      // paths has grown out of proportion
	err      error     // the first mistake of the mapping

	table []int32 // of leaves by the hash of their path; see dedupe
}

func (r *Record) start(m *Mapper, raw []byte, e *ocsf.Event) {
	r.m, r.e, r.data = m, e, raw
	r.clear()
}

func (r *Record) clear() {
	r.leaves, r.elements, r.found = r.leaves[:0], r.elements[:0], r.found[:0]
	r.path, r.paths, r.over, r.err = r.path[:0], r.paths[:0], false, nil
	if len(r.slots) != len(r.m.trie.nodes) {
		r.slots = make([]int32, len(r.m.trie.nodes))
	}
	for i := range r.slots {
		r.slots[i] = none
	}
}

// release lets go of what is not the record's own.
func (r *Record) release() { r.e, r.data = nil, nil }

// leaf notes a value at the current path.
func (r *Record) leaf(at int32, k kind, from, to int) bool {
	start := len(r.paths)
	if start > 8*len(r.data)+1<<16 {
		r.over = true
		return false
	}
	r.paths = append(r.paths, r.path...)
	if at != none {
		r.slots[at] = int32(len(r.leaves)) //nolint:gosec // bounded by maxRecord
		if r.isAbsent(at, k, r.data[from:to]) {
			r.slots[at], at = none, none
		}
	}
	r.leaves = append(r.leaves, leaf{
		node: at, kind: k,
		path: [2]int32{int32(start), int32(len(r.paths))}, //nolint:gosec // bounded by over
		val:  [2]int32{int32(from), int32(to)},            //nolint:gosec // bounded by maxRecord
	})
	return true
}

// isAbsent says whether a text at a node says that there is no value.
func (r *Record) isAbsent(at int32, k kind, text []byte) bool {
	if len(r.m.absent[at]) == 0 || k != kindText && k != kindEscaped {
		return false
	}
	if k == kindEscaped {
		r.scratch = appendUnquoted(r.scratch[:0], text)
		text = r.scratch
	}
	for _, absent := range r.m.absent[at] {
		if bytes.EqualFold(absent, text) {
			return true
		}
	}
	return false
}

// text returns a leaf's text in the event's memory; "" for null and for what is
// not there.
func (r *Record) text(i int32) string {
	if i == none {
		return ""
	}
	l := &r.leaves[i]
	val := r.data[l.val[0]:l.val[1]]
	switch l.kind {
	case kindNull:
		return ""
	case kindTrue:
		return "true"
	case kindFalse:
		return "false"
	case kindEscaped:
		return r.e.KeepArena(appendUnquoted(r.e.Arena(), val))
	case kindNested:
		return r.e.KeepArena(ocsf.AppendCompact(r.e.Arena(), val))
	default:
		return r.e.Keep(val)
	}
}

// use marks a leaf as used, unless the attribute holds only a part of it.
func (r *Record) use(i int32, text string) {
	if i != none && !ocsf.TooLong(text) {
		r.leaves[i].used = true
	}
}

// at returns the last leaf at a path, or none.
func (r *Record) at(path string) int32 {
	n := r.m.trie.find(0, path)
	if n == none {
		return r.unknown(path)
	}
	return r.slots[n]
}

// unknown notes that the mapping asks for a path that is not in its table.
func (r *Record) unknown(path string) int32 {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", errPath, path)
	}
	return none
}

// Text returns the text at a path, "" where there is none. The leaf stays for
// `unmapped`.
func (r *Record) Text(path string) string { return r.text(r.at(path)) }

// Take returns the text at a path and uses the leaf.
func (r *Record) Take(path string) string {
	i := r.at(path)
	text := r.text(i)
	r.use(i, text)
	return text
}

// Use uses the leaf at a path: its meaning is elsewhere in the event.
func (r *Record) Use(path string) {
	i := r.at(path)
	r.use(i, "")
}

// Join returns the texts of two paths with sep between them, and uses the
// leaves. Without either text there is nothing to join.
func (r *Record) Join(path, sep, path2 string) string {
	a, b := r.Take(path), r.Take(path2)
	if a == "" || b == "" {
		return a + b
	}
	grown := append(r.e.Arena(), a...)
	grown = append(grown, sep...)
	return r.e.KeepArena(append(grown, b...))
}

// Point returns the point on earth whose degrees stand at two paths, and uses
// the leaves if both are there.
func (r *Record) Point(lat, lon string) ocsf.Point {
	i, j := r.at(lat), r.at(lon)
	y, err := strconv.ParseFloat(r.text(i), 64)
	if err != nil {
		return ocsf.Point{}
	}
	x, err := strconv.ParseFloat(r.text(j), 64)
	if err != nil || x < -180 || x > 180 || y < -90 || y > 90 || x != x || y != y {
		return ocsf.Point{}
	}
	r.leaves[i].used, r.leaves[j].used = true, true
	return ocsf.Point{Lon: x, Lat: y, Set: true}
}

// Element is one element of a list.
type Element struct {
	r           *Record
	node        int32
	first, last int32
}

// Each returns the elements of the list at a path, which has no brackets at its
// end, in their order.
func (r *Record) Each(path string) []Element {
	return r.each(path, Element{r: r, node: 0, first: 0, last: int32(len(r.leaves))}) //nolint:gosec // bounded by the record
}

// Each returns the elements of a list within the element.
func (el Element) Each(path string) []Element { return el.r.each(path, el) }

func (r *Record) each(path string, within Element) []Element {
	list := r.m.trie.find(within.node, path)
	if list == none || r.m.trie.nodes[list].element == none {
		r.unknown(path)
		return nil
	}
	node := r.m.trie.nodes[list].element
	from := len(r.found)
	for _, e := range r.elements {
		if e.node == node && e.first >= within.first && e.last <= within.last {
			r.found = append(r.found, Element{r, node, e.first, e.last})
		}
	}
	return r.found[from:len(r.found):len(r.found)]
}

func (el Element) leaf(path string) int32 {
	n := el.r.m.trie.find(el.node, path)
	if n == none {
		return el.r.unknown(path)
	}
	found := int32(none)
	for i := el.first; i < el.last; i++ {
		if el.r.leaves[i].node == n {
			found = i
		}
	}
	return found
}

// Text returns the text at a path below the element; the empty path is the
// element itself.
func (el Element) Text(path string) string { return el.r.text(el.leaf(path)) }

// Take returns the text at a path below the element and uses the leaf.
func (el Element) Take(path string) string {
	i := el.leaf(path)
	text := el.r.text(i)
	el.r.use(i, text)
	return text
}

// Use uses the leaf at a path below the element.
func (el Element) Use(path string) { el.r.use(el.leaf(path), "") }

// unused gives the event what nobody took.
func (r *Record) unused() {
	r.dedupe()
	for i := range r.leaves {
		l := &r.leaves[i]
		if l.used || l.kind == kindNull {
			continue
		}
		path := r.paths[l.path[0]:l.path[1]]
		switch l.kind {
		case kindEscaped:
			r.path = appendUnquoted(r.path[:0], r.data[l.val[0]:l.val[1]])
			r.e.AddUnmapped(path, r.path)
		case kindNested:
			r.path = ocsf.AppendCompact(r.path[:0], r.data[l.val[0]:l.val[1]])
			r.e.AddUnmapped(path, r.path)
		default:
			r.e.AddUnmapped(path, r.data[l.val[0]:l.val[1]])
		}
	}
}

// dedupe uses all but the last of the leaves that have one path: the members of
// `unmapped` must differ.
func (r *Record) dedupe() {
	size := 64
	for size < 2*len(r.leaves) {
		size *= 2
	}
	if len(r.table) < size {
		r.table = make([]int32, size)
	}
	table := r.table[:size]
	for i := range table {
		table[i] = none
	}
	mask := uint64(size - 1)
	for i := len(r.leaves) - 1; i >= 0; i-- {
		path := r.paths[r.leaves[i].path[0]:r.leaves[i].path[1]]
		at := maphash.Bytes(r.m.seed, path) & mask
		for ; table[at] != none; at = (at + 1) & mask {
			other := r.leaves[table[at]].path
			if string(r.paths[other[0]:other[1]]) == string(path) {
				r.leaves[i].used = true
				break
			}
		}
		if table[at] == none {
			table[at] = int32(i) //nolint:gosec // bounded by the record
		}
	}
}
