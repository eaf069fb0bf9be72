package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
)

// row is one figure of the report.
type row struct {
	name, unit string
	values     series
	target     target
	peer       string // what did the same work in this run; empty: nothing did
	peerValues series
	note       string
}

// target is what a figure should reach; the zero target is none.
type target struct {
	value float64
	below bool // smaller is better
}

func atLeast(v float64) target { return target{value: v} }

func atMost(v float64) target { return target{value: v, below: true} }

func (t target) String() string {
	switch {
	case t.value == 0:
		return "-"
	case t.below:
		return "<= " + number(t.value)
	}
	return ">= " + number(t.value)
}

// verdict says in a word whether the target is reached.
func (t target) verdict(v float64) string {
	switch {
	case t.value == 0 || math.IsNaN(v):
		return "-"
	case t.below == (v <= t.value), v == t.value:
		return "yes"
	}
	return "no"
}

// write prints the rows as a table.
func write(out io.Writer, rows []row) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  figure\tmeasured\trange\ttarget\treached\tpeer\tratio\tunit")
	for _, r := range rows {
		peer, ratio := "-", "-"
		if r.peer != "" {
			peer = r.peer + " " + number(r.peerValues.median())
			ratio = number(r.values.ratios(r.peerValues).median()) + "x"
		}
		v := r.values.median()
		fmt.Fprintln(w, strings.Join([]string{"  " + r.name, number(v), spread(r.values), r.target.String(), r.target.verdict(v), peer, ratio, r.unit}, "\t"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		if r.note != "" {
			fmt.Fprintf(out, "  (%s: %s)\n", r.name, r.note)
		}
	}
	return nil
}

// spread is the least and the most of what was measured more than once.
func spread(s series) string {
	if len(s) < 2 {
		return "-"
	}
	return number(slices.Min(s)) + " - " + number(slices.Max(s))
}

// number writes three digits that count, and groups those of large numbers.
func number(v float64) string {
	switch size := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "-"
	case size >= 999.5:
		return group(fmt.Sprintf("%.0f", v))
	case size >= 99.95 || v == math.Trunc(v):
		return fmt.Sprintf("%.0f", v)
	case size >= 9.995:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// group puts a comma before each three digits.
func group(digits string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}
