package mapping

import (
	"fmt"
	"strings"

	"selvedge/ocsf"
)

// rules judges types of events.
type rules struct {
	exact  map[string]Rule
	prefix map[string]Rule // without the asterisk
	words  map[string]Verb // the table's own
	first  bool            // a verb at the beginning counts before others
}

// verdict is the class and activity of an event.
type verdict struct {
	class    ocsf.Class
	activity int
	name     string // under Other
}

func newRules(t Table) (rules, error) {
	r := rules{exact: map[string]Rule{}, prefix: map[string]Rule{}, words: t.Words, first: t.VerbFirst}
	for _, rule := range t.Rules {
		if _, known := rule.Class.Activity(rule.Activity); !known {
			return r, fmt.Errorf("mapping: rule %q: %s has no activity %d", rule.Type, rule.Class.Name(), rule.Activity)
		}
		if _, known := ocsf.WebResources.Activity(rule.Else); !known {
			return r, fmt.Errorf("mapping: rule %q: web resources have no activity %d", rule.Type, rule.Else)
		}
		into, key := r.exact, rule.Type
		if p, ok := strings.CutSuffix(rule.Type, "*"); ok {
			into, key = r.prefix, p
		}
		if _, twice := into[key]; twice {
			return r, fmt.Errorf("mapping: rule %q: there are two", rule.Type)
		}
		into[key] = rule
	}
	return r, nil
}

// judge returns what a type of event is, and what it is as a web resource, in
// case the record lacks what the class requires.
func (r *rules) judge(code string) (first, instead verdict) {
	rule, ok := r.exact[code]
	for n := len(code); n > 0 && !ok; n-- {
		rule, ok = r.prefix[code[:n]]
	}
	if !ok {
		rule.Class = ocsf.WebResources
	}
	first = r.in(rule.Class, rule.Activity, rule.Name, code)
	if rule.Class == ocsf.WebResources {
		return first, first
	}
	return first, r.in(ocsf.WebResources, rule.Else, rule.Name, code)
}

// in returns what a type of event is in a class.
func (r *rules) in(class ocsf.Class, activity int, name, code string) verdict {
	verb := None
	if activity == 0 && class != ocsf.BaseEvent {
		verb = r.verb(code)
		if activity = activities[class][verb]; activity == 0 {
			activity = ocsf.Other
		}
	}
	if activity != ocsf.Other {
		return verdict{class: class, activity: activity}
	}
	if name == "" {
		name = code
		if verb == Update {
			name = "Update"
		}
	}
	return verdict{class, activity, name}
}

// verb returns what the last verb among the words of a type says, or the first
// word.
func (r *rules) verb(code string) Verb {
	if r.first {
		end := 1
		for end <= longest && end < len(code) && letter(code[end]) && wordStart(code, end+1) == 0 {
			end++
		}
		if v := r.meaning(code[:min(end, len(code))]); v != None {
			return v
		}
	}
	end := len(code)
	for end > 0 {
		begin := wordStart(code, end)
		if v := r.meaning(code[begin:end]); v != None {
			return v
		}
		end = begin
		for end > 0 && !letter(code[end-1]) {
			end--
		}
	}
	return None
}

// longest is the length of the longest word that may be a verb.
const longest = 32

// meaning returns the verb that a word is, in whatever case.
func (r *rules) meaning(word string) Verb {
	var lower [longest]byte
	if len(word) > len(lower) {
		return None
	}
	for i := range len(word) {
		lower[i] = fold(word[i])
	}
	if v, ok := r.words[string(lower[:len(word)])]; ok {
		return v
	}
	return verbs[string(lower[:len(word)])]
}

// wordStart returns where the word begins that ends at end. Words end where
// letters do and before the capital that begins another: UserLoggedIn,
// streamCSVDownload.
func wordStart(code string, end int) int {
	i := end
	for i > 0 && letter(code[i-1]) {
		i--
		if i > 0 && upper(code[i]) && letter(code[i-1]) && (!upper(code[i-1]) || i+1 < end && !upper(code[i+1])) {
			break
		}
	}
	return i
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || upper(c) }

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

func fold(c byte) byte {
	if upper(c) {
		return c + 'a' - 'A'
	}
	return c
}
