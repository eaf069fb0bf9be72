package mapping

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"

	"selvedge/ocsf"
)

// Errors of records that are JSON and yet no events.
var (
	errType = errors.New("mapping: the record does not tell its type")
	errTime = errors.New("mapping: the record does not tell its time")
	errPath = errors.New("mapping: a path that is not in the table")
	errFit  = errors.New("mapping: the record lacks what its class requires")
)

// Mapper is a table made ready for use. It is safe for concurrent use.
type Mapper struct {
	table   Table
	trie    *trie
	rows    []row
	absent  [][][]byte // by node
	choices map[int32]map[string]ocsf.Choice
	rules   rules
	seed    maphash.Seed
	records sync.Pool
}

type row struct {
	node   int32
	every  bool // of the elements of a list, each
	setter ocsf.Setter
}

// sent is a leaf that a row has put into the event.
type sent struct {
	row, leaf int32
	whole     bool // no part of it will be cut
}

// New makes a table ready for use. Its errors are mistakes in the table: a row
// to no attribute, a rule with an activity that its class does not have.
func New(t Table) (*Mapper, error) {
	m := &Mapper{table: t, trie: newTrie(), seed: maphash.MakeSeed(), records: sync.Pool{New: func() any { return new(Record) }}}
	setters := ocsf.Setters()
	for _, path := range append([]string{t.Time, t.Type}, t.Read...) {
		m.trie.add(path)
	}
	for _, r := range t.Rows {
		setter, ok := setters[r.To]
		if !ok {
			return nil, fmt.Errorf("mapping: row %q: there is no attribute %q", r.From, r.To)
		}
		m.rows = append(m.rows, row{m.trie.add(r.From), strings.Contains(r.From, elementStep), setter})
	}
	m.choices = make(map[int32]map[string]ocsf.Choice, len(t.Choices))
	for path, choices := range t.Choices {
		m.choices[m.trie.add(path)] = choices
	}
	m.absent = make([][][]byte, len(m.trie.nodes))
	for path, texts := range t.Absent {
		n := m.trie.find(0, path)
		if n == none {
			return nil, fmt.Errorf("mapping: the table does not have the path %q, of which it says what is absent", path)
		}
		for _, text := range texts {
			m.absent[n] = append(m.absent[n], []byte(text))
		}
	}
	if (t.Type == "") == (t.Code == nil) {
		return nil, errors.New("mapping: a table has either Type or Code")
	}
	if m.table.Clock == nil {
		m.table.Clock = RFC3339
	}
	var err error
	m.rules, err = newRules(t)
	return m, err
}

// MustNew is New for a table that is written in the source.
func MustNew(t Table) *Mapper {
	m, err := New(t)
	if err != nil {
		panic(err) //nolint:forbidigo // the first test that calls it sees it: it does not depend on what is read
	}
	return m
}

// Normalize fills e, which is empty, from a record. It is pure and total, as
// connector.App.Normalize has to be. After an error the event holds its
// identifier, if that was found out, and nothing else that counts.
func (m *Mapper) Normalize(raw []byte, e *ocsf.Event) error {
	r := m.records.Get().(*Record) //nolint:forcetypeassert // the pool holds nothing else
	defer m.records.Put(r)
	defer r.release()
	r.start(m, raw, e)
	if err := r.scan(); err != nil {
		return err
	}
	code := m.code(r)
	v, instead := m.rules.judge(code)
	if err := m.fill(r, v, code); err != nil {
		return err
	}
	if !e.Fits() && v.class != ocsf.WebResources {
		// What the class requires is not in this record. As a web resource
		// everything fits that names what it is about.
		m.again(r)
		if err := m.fill(r, instead, code); err != nil {
			return err
		}
	}
	if !e.Fits() {
		return errFit
	}
	r.unused()
	return nil
}

func (m *Mapper) code(r *Record) string {
	if m.table.Code != nil {
		return m.table.Code(r)
	}
	return r.Take(m.table.Type)
}

// again begins the event anew.
func (m *Mapper) again(r *Record) {
	r.e.Clear()
	for i := range r.leaves {
		r.leaves[i].used = false
	}
	m.code(r)
}

func (m *Mapper) fill(r *Record, v verdict, code string) error {
	e := r.e
	e.Class, e.Activity, e.ActivityName = v.class, v.activity, v.name
	e.Metadata.LogVersion, e.Metadata.Product = m.table.Version, m.table.Product
	r.sent = r.sent[:0]
	for i := range m.rows {
		m.send(r, int32(i))
	}
	if code == "" {
		return errType
	}
	e.Metadata.EventCode = code
	if err := m.time(r); err != nil {
		return err
	}
	if m.table.Finish != nil {
		m.table.Finish(r, e)
	}
	if r.err != nil {
		return r.err
	}
	shown := e.Shown()
	for _, s := range r.sent {
		if s.whole && m.rows[s.row].setter.Shows(e, shown) {
			r.leaves[s.leaf].used = true
		}
	}
	return nil
}

func (m *Mapper) time(r *Record) error {
	text := r.Take(m.table.Time)
	t, ok := m.table.Clock(text)
	if !ok {
		return errTime
	}
	r.e.Time = t.UnixMilli()
	r.e.Metadata.OriginalTime = text
	return nil
}

// send puts the leaves of a row into the event, where its class has a place for
// them.
func (m *Mapper) send(r *Record, n int32) {
	row := &m.rows[n]
	if !r.e.Allows(row.setter.Attr) {
		return
	}
	if !row.every {
		m.sendLeaf(r, n, r.slots[row.node])
		return
	}
	for i := range r.leaves {
		if r.leaves[i].node == row.node {
			m.sendLeaf(r, n, int32(i))
		}
	}
}

func (m *Mapper) sendLeaf(r *Record, n, i int32) {
	if i == none || r.leaves[i].kind == kindNull {
		return
	}
	if text := r.text(i); m.rows[n].setter.Set(r.e, text) {
		r.sent = append(r.sent, sent{row: n, leaf: i, whole: !ocsf.TooLong(text)})
	}
}
