package mapping

import (
	"strings"

	"selvedge/ocsf"
)

// taker is a record or an element of a list in it.
type taker interface {
	Text(path string) string
	Take(path string) string
}

// First takes the first text that there is at one of several paths, which have
// "|" between them.
func (r *Record) First(paths string) string { return first(r, paths) }

// First takes the first text that there is at one of several paths below the
// element, which have "|" between them.
func (el Element) First(paths string) string { return first(el, paths) }

func first[T taker](from T, paths string) string {
	if paths == "" {
		return "" // nowhere, and not the element itself
	}
	for path := range strings.SplitSeq(paths, "|") {
		if text := from.Take(path); text != "" {
			return text
		}
	}
	return ""
}

// Resource reads a resource: the first of those of which a name or an identifier
// is told, the zero Resource if none is. Each member is where its value stands, as
// First has it; a Type that begins with "=" is the text behind it. An address
// that is the name already is left out.
func (r *Record) Resource(paths ...ocsf.Resource) ocsf.Resource { return resource(r, paths) }

// Resource reads a resource, as Record.Resource does, of paths below the element.
func (el Element) Resource(paths ...ocsf.Resource) ocsf.Resource { return resource(el, paths) }

func resource[T taker](from T, list []ocsf.Resource) ocsf.Resource {
	for i := range list {
		at := &list[i]
		what := ocsf.Resource{Name: first(from, at.Name), UID: first(from, at.UID)}
		if what == (ocsf.Resource{}) {
			continue
		}
		var literal bool
		if what.Type, literal = strings.CutPrefix(at.Type, "="); !literal {
			what.Type = first(from, at.Type)
		}
		if what.URL = first(from, at.URL); what.URL == what.Name {
			what.URL = ""
		}
		return what
	}
	return ocsf.Resource{}
}

// User reads a user, the zero User if neither a name nor an identifier is told.
// Each member is where its value stands, as First has it. An address that is none
// is left, and so is a second identifier that is the first.
func (r *Record) User(paths ocsf.User) ocsf.User { return user(r, paths) }

// User reads a user, as Record.User does, of paths below the element.
func (el Element) User(paths ocsf.User) ocsf.User { return user(el, paths) }

func user[T taker](from T, at ocsf.User) ocsf.User {
	u := ocsf.User{UID: first(from, at.UID), Name: first(from, at.Name)}
	if u == (ocsf.User{}) {
		return u
	}
	if u.UIDAlt = first(from, at.UIDAlt); u.UIDAlt == u.UID {
		u.UIDAlt = ""
	}
	if at.Email != "" && ocsf.ValidEmail(from.Text(at.Email)) {
		u.Email = from.Take(at.Email)
	}
	return u
}

// Pairs is a list of names and values: [{"Name": "Role", "Value": "Reader"}].
type Pairs struct {
	List string // as Each takes it
	Name string // below an element
	// Values are the members that may have the value, with "|" between them; the
	// first that has one counts.
	Values string
	// Trim is set where a value is itself JSON in a text: what is taken off its
	// ends. Then "null" is none.
	Trim string
}

// Pair takes the value of the first of the names that has one.
func (r *Record) Pair(p Pairs, names ...string) string {
	for _, name := range names {
		for _, el := range r.Each(p.List) {
			if el.Text(p.Name) != name {
				continue
			}
			for path := range strings.SplitSeq(p.Values, "|") {
				text := el.Text(path)
				if p.Trim != "" {
					text = strings.Trim(text, p.Trim)
				}
				if text != "" && (p.Trim == "" || text != "null") {
					el.Use(p.Name)
					el.Take(path)
					return text
				}
			}
		}
	}
	return ""
}

// Pick returns what the table's Choices say that the text at a path means, and
// uses the leaf. Of a text that they do not have nothing is chosen, and the leaf
// stays.
func (r *Record) Pick(path string) ocsf.Choice { return r.pick(r.at(path)) }

// Choose is Pick, but for texts that the table does not have: they are the
// vendor's own word.
func (r *Record) Choose(path string) ocsf.Choice { return r.choose(r.at(path)) }

// Choose does of a path below the element what Record.Choose does.
func (el Element) Choose(path string) ocsf.Choice { return el.r.choose(el.leaf(path)) }

func (r *Record) pick(i int32) ocsf.Choice {
	if i == none {
		return ocsf.Choice{}
	}
	text := r.text(i)
	choice, known := r.m.choices[r.leaves[i].node][text]
	if known {
		r.use(i, text)
	}
	return choice
}

func (r *Record) choose(i int32) ocsf.Choice {
	if choice := r.pick(i); choice.IsSet() {
		return choice
	}
	text := r.text(i)
	r.use(i, text)
	return ocsf.Vendor(text)
}
