package encode

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// schema is the layout as the Parquet library wants it. Every column may be
// null; lists and maps are those of
// https://github.com/apache/parquet-format/blob/master/LogicalTypes.md (checked 2026-11-22).
func schema() *parquet.Schema { return parquet.NewSchema("event", structOf(columns())) }

// ordered is a group whose fields stay in the order in which they are given:
// the library's own sorts them.
type ordered struct {
	parquet.Group

	fields []parquet.Field
}

// Fields returns the fields in their order.
func (g ordered) Fields() []parquet.Field { return g.fields }

type field struct {
	parquet.Node

	name string
}

// Name returns the column's name.
func (f field) Name() string { return f.name }

// Value is for writing Go values, which is not done.
func (f field) Value(reflect.Value) reflect.Value { return reflect.Value{} }

func structOf(fields []column) parquet.Node {
	g := ordered{Group: parquet.Group{}}
	for _, c := range fields {
		g.fields = append(g.fields, field{nodeOf(c), c.name})
	}
	return g
}

// nodeOf encodes with what every reader knows since version 1 of the format,
// plain and dictionaries: those of version 2 are not known everywhere.
func nodeOf(c column) parquet.Node {
	var n parquet.Node
	switch c.kind {
	case word:
		n = parquet.Encoded(parquet.String(), &parquet.RLEDictionary)
	case text:
		n = parquet.Encoded(parquet.String(), &parquet.Plain)
	case whole:
		n = parquet.Encoded(parquet.Leaf(parquet.Int32Type), &parquet.RLEDictionary)
	case big:
		n = parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.Plain)
	case fraction:
		n = parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
	case yesno:
		n = parquet.Encoded(parquet.Leaf(parquet.BooleanType), &parquet.Plain)
	case object:
		n = structOf(c.fields)
	case list:
		n = parquet.List(nodeOf(c.fields[0]))
	case pairs:
		n = parquet.Map(parquet.Encoded(parquet.String(), &parquet.RLEDictionary), nodeOf(column{kind: text}))
	}
	return parquet.Optional(n)
}
