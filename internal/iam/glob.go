package iam

import (
	"strings"
	"unicode/utf8"
)

// glob says whether the whole of s fits a pattern in which * stands for any number of characters and ? for one. It
// takes at most len(pattern)*len(s) steps: only the last * is ever tried again, since an earlier one could only reach
// what the last one reaches too.
func glob(pattern, s string) bool {
	var p, i int
	star, from := -1, 0 // the last *, and where in s what follows it was last tried
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			i += width(s[i:])
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			from += width(s[from:])
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// width returns the bytes of the first character of s.
func width(s string) int {
	_, n := utf8.DecodeRuneInString(s)
	return n
}
