package encode

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// node is a column in the flat tree of them, in which a node's members follow
// it.
type node struct {
	name  string
	kind  kind
	end   int // the node behind its last member
	leaf  int // the first leaf that is its own or a member's
	after int // the leaf behind the last of them
	level int // the definition level at which it is there
}

// leaf is a column that has values. The levels of a value say how much of the
// way to it is there and where a list goes on:
// https://github.com/apache/parquet-format#nested-encoding (checked 2026-11-22).
type leaf struct {
	out      *parquet.ColumnWriter
	level    int    // of a value
	repeated bool   // it is within a list
	written  uint64 // when it last got a value, in openings

	// Nulls that are not kept yet, all at one level: most leaves have few
	// values, and many nulls at once cost little.
	nulls     int
	nullLevel int

	values []parquet.Value // of the present list; without a list, rows that are not written yet
}

// What rows wait for, so that a column is given many at once. The longest page
// is longer by no more than what one column keeps.
const (
	keepRows = 32
	keepText = 256       // bytes of one value: a longer one does not wait
	keepMost = 128 << 10 // bytes of all columns
	someNull = 256       // that are written at once
)

// frame is an object or a list that is open.
type frame struct {
	node   int
	next   int    // where to look for the next member
	opened uint64 // when
	repeat int    // the repetition level of what is in it
	items  int    // elements so far, of a list
}

// row puts the members of one event after the other into the columns. It is an
// ocsf.Visitor.
type row struct {
	nodes    []node
	leaves   []leaf
	stack    []frame
	openings uint64
	bytes    int // of text, since it was last set to 0
	err      error
	kept     []byte            // texts of values that wait
	null     [][]parquet.Value // many of each level
}

func newRow(fields []column) *row {
	r := &row{nodes: []node{{kind: object}}, kept: make([]byte, 0, keepMost)}
	r.add(fields, 0, false)
	r.nodes[0].end, r.nodes[0].after = len(r.nodes), len(r.leaves)
	deepest := 0
	for i := range r.leaves {
		deepest = max(deepest, r.leaves[i].level)
	}
	for level := range deepest {
		r.null = append(r.null, slices.Repeat([]parquet.Value{parquet.Value{}.Level(0, level, 0)}, someNull))
	}
	return r
}

// add adds the members of a struct, which is there at the level.
func (r *row) add(fields []column, level int, repeated bool) {
	for _, c := range fields {
		at := len(r.nodes)
		r.nodes = append(r.nodes, node{name: c.name, kind: c.kind, leaf: len(r.leaves), level: level + 1})
		// Below a list or a map there is one more node, its elements.
		switch c.kind {
		case object:
			r.add(c.fields, level+1, repeated)
		case list:
			r.add(c.fields, level+2, true)
		case pairs:
			r.leaves = append(r.leaves, leaf{level: level + 2, repeated: true}, leaf{level: level + 3, repeated: true})
		default:
			r.leaves = append(r.leaves, leaf{level: level + 1, repeated: repeated})
		}
		r.nodes[at].end, r.nodes[at].after = len(r.nodes), len(r.leaves)
	}
}

// take gives the leaves the columns of a file.
func (r *row) take(columns []*parquet.ColumnWriter) {
	for i := range r.leaves {
		r.leaves[i].out = columns[i]
	}
}

// flush writes what waits, and the nulls that are due.
func (r *row) flush() error {
	r.sendAll()
	for i := range r.leaves {
		r.settle(&r.leaves[i])
	}
	r.sendAll()
	return r.err
}

// begin starts a row.
func (r *row) begin() {
	r.openings++
	r.stack = append(r.stack[:0], frame{next: 1, opened: r.openings})
}

// finish ends the row: what had no value in it is null.
func (r *row) finish() error {
	if r.err == nil && len(r.stack) != 1 {
		r.err = errors.New("encode: an object of an event was not closed")
	}
	if r.err == nil {
		r.fill(&r.stack[0])
	}
	return r.err
}

// Open goes into a struct, a list or a map.
func (r *row) Open(key string) {
	f, at := r.find(key)
	if r.err != nil {
		return
	}
	r.openings++
	inner := frame{node: at, next: at + 1, opened: r.openings, repeat: f.repeat}
	if r.nodes[f.node].kind == list {
		inner.repeat = min(f.items, 1)
		f.items++
	}
	r.stack = append(r.stack, inner)
}

// Close leaves it.
func (r *row) Close() {
	if r.err != nil {
		return
	}
	f := &r.stack[len(r.stack)-1]
	switch n := &r.nodes[f.node]; n.kind {
	case list, pairs:
		for i := n.leaf; i < n.after; i++ {
			l := &r.leaves[i]
			r.settle(l)
			r.send(l)
		}
	default:
		r.fill(f)
	}
	r.stack = r.stack[:len(r.stack)-1]
}

// Text takes a string.
func (r *row) Text(key, s string) {
	r.bytes += len(s)
	f := &r.stack[len(r.stack)-1]
	if n := &r.nodes[f.node]; r.err == nil && n.kind == pairs {
		r.bytes += len(key)
		repeat := min(f.items, 1)
		f.items++
		r.put(n.leaf, repeat, bytesOf(key))
		r.put(n.leaf+1, repeat, bytesOf(s))
		return
	}
	f, at := r.find(key)
	if r.err != nil {
		return
	}
	// Whole lists are written before the event's memory is used again.
	l := &r.leaves[r.nodes[at].leaf]
	waits := len(s) <= keepText
	if waits && !l.repeated {
		s = r.keep(s)
	}
	r.item(f, at, bytesOf(s))
	if !waits && !l.repeated {
		r.send(l)
	}
}

// Int takes a number or a flag.
func (r *row) Int(key string, i int64) {
	f, at := r.find(key)
	if r.err != nil {
		return
	}
	v := parquet.Int32Value(int32(i)) //nolint:gosec // ids and ports, all of them small
	switch r.nodes[at].kind {
	case big:
		v = parquet.Int64Value(i)
	case yesno:
		v = parquet.BooleanValue(i == 1)
	}
	r.item(f, at, v)
}

// Float takes a number with a fraction.
func (r *row) Float(key string, n float64) {
	if f, at := r.find(key); r.err == nil {
		r.item(f, at, parquet.DoubleValue(n))
	}
}

// item puts a value into the column of a node.
func (r *row) item(f *frame, at int, v parquet.Value) {
	repeat := f.repeat
	if r.nodes[f.node].kind == list {
		repeat = min(f.items, 1)
		f.items++
	}
	r.put(r.nodes[at].leaf, repeat, v)
}

// find returns the open frame and its member of that name. Members come nearly
// always in the order of the columns, so that it is the next one or one of those
// behind it.
func (r *row) find(key string) (*frame, int) {
	f := &r.stack[len(r.stack)-1]
	n := &r.nodes[f.node]
	if n.kind == list {
		return f, f.node + 1
	}
	first := f.node + 1
	for pass := 0; pass < 2; pass++ {
		for at := f.next; at < n.end; at = r.nodes[at].end {
			if r.nodes[at].name == key {
				f.next = r.nodes[at].end
				return f, at
			}
		}
		f.next = first
	}
	if r.err == nil {
		r.err = fmt.Errorf("encode: Parquet has no column for %s below %q", key, n.name)
	}
	return f, f.node
}

// put gives a leaf a value: a whole row, or an element of the present list.
func (r *row) put(at, repeat int, v parquet.Value) {
	l := &r.leaves[at]
	l.written = r.openings
	if l.repeated {
		l.values = append(l.values, v.Level(repeat, l.level, at))
		return
	}
	if l.nulls > 0 {
		r.settle(l)
	}
	l.values = append(l.values, v.Level(repeat, l.level, at))
	if len(l.values) >= keepRows {
		r.send(l)
	}
}

// fill makes null what got no value since the frame was opened. How far the way
// to it is there is the frame's level.
func (r *row) fill(f *frame) {
	n := &r.nodes[f.node]
	for i := n.leaf; i < n.after; i++ {
		l := &r.leaves[i]
		switch {
		case l.written >= f.opened:
		case l.repeated && r.inList():
			l.values = append(l.values, parquet.Value{}.Level(f.repeat, n.level, i))
			l.written = r.openings
		default:
			if l.nullLevel != n.level {
				r.settle(l)
				l.nullLevel = n.level
			}
			l.nulls++
			l.written = r.openings
		}
	}
}

// inList tells whether the frame on top is an element of a list.
func (r *row) inList() bool {
	for i := range r.stack {
		if r.nodes[r.stack[i].node].kind == list {
			return true
		}
	}
	return false
}

// keep copies a text that waits, for the event's memory is used again before it
// is written.
func (r *row) keep(s string) string {
	if len(r.kept)+len(s) > cap(r.kept) {
		r.sendAll()
		r.kept = r.kept[:0]
	}
	from := len(r.kept)
	r.kept = append(r.kept, s...)
	return unsafe.String(unsafe.SliceData(r.kept[from:]), len(s)) //nolint:gosec // what is kept does not move, and is written to only behind it
}

// settle puts the nulls that are due behind the rows that wait, or writes both.
func (r *row) settle(l *leaf) {
	if !l.repeated && len(l.values)+l.nulls <= keepRows {
		l.values = append(l.values, r.null[l.nullLevel][:l.nulls]...)
		l.nulls = 0
		return
	}
	if !l.repeated {
		r.send(l)
	}
	for l.nulls > 0 && r.err == nil {
		some := r.null[l.nullLevel][:min(l.nulls, someNull)]
		_, r.err = l.out.WriteRowValues(some)
		l.nulls -= len(some)
	}
}

// send writes the rows that wait, or the present list.
func (r *row) send(l *leaf) {
	if len(l.values) > 0 && r.err == nil {
		_, r.err = l.out.WriteRowValues(l.values)
	}
	clear(l.values)
	l.values = l.values[:0]
}

// sendAll writes the rows that wait in all columns, but no list: one is not at
// its end.
func (r *row) sendAll() {
	for i := range r.leaves {
		if l := &r.leaves[i]; !l.repeated {
			r.send(l)
		}
	}
}

// bytesOf looks at a string as a value. Columns copy what they are given.
func bytesOf(s string) parquet.Value {
	return parquet.ByteArrayValue(unsafe.Slice(unsafe.StringData(s), len(s))) //nolint:gosec // nobody writes to it
}
