package mapping

import (
	"strings"
	"testing"

	"selvedge/ocsf"
)

// TestVerbs: a word has one meaning, and what a verb is in a class, the class
// has.
func TestVerbs(t *testing.T) {
	t.Parallel()
	if _, twice := words(map[Verb]string{Create: "a b", Read: "c"})["b"]; !twice {
		t.Error("words loses a word")
	}
	seen := map[string]Verb{}
	for verb, list := range common() {
		for word := range strings.FieldsSeq(list) {
			if other, ok := seen[word]; ok {
				t.Errorf("%q is verb %d and %d", word, other, verb)
			}
			seen[word] = verb
		}
	}
	for class, verbs := range activities {
		for verb, activity := range verbs {
			if _, known := class.Activity(activity); !known || activity == 0 || activity == ocsf.Other {
				t.Errorf("%s has no activity %d, of verb %d", class.Name(), activity, verb)
			}
		}
	}
}
