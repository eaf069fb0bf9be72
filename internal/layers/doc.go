// Package layers holds the whole source tree to the rules of its layout: which
// package may import which, where SQL and HTTP servers may be, who may wait,
// how long a file and a function may be, and what has to have a comment. It
// has tests only: rules_test.go is the rules as data, check_test.go how they
// are checked, broken_test.go a piece of bad source for each of them.
package layers
