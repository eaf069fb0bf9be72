package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Policy is a policy that was understood whole. It never changes and may be used by any number of goroutines. The zero
// Policy has no statement: it allows and denies nothing.
type Policy struct {
	statements []statement
}

// statement is one statement, its patterns ready to match.
type statement struct {
	deny           bool
	exceptAction   bool     // actions is a NotAction
	actions        []string // patterns in lower case
	exceptResource bool     // resources is a NotResource
	resources      []resource
	conditions     []condition
}

// Parse reads an identity-based policy. Its error names the first place that is wrong, such as
// "Statement[0].Action[2]", and what is allowed there; the package comment has the whole of it.
func Parse(json []byte) (Policy, error) {
	root, err := readJSON(json)
	if err != nil {
		return Policy{}, fmt.Errorf("iam: parse policy: %w", err)
	}
	p, err := readPolicy(root)
	if err != nil {
		return Policy{}, fmt.Errorf("iam: parse policy: %w", err)
	}
	return p, nil
}

func readPolicy(root node) (Policy, error) {
	elements, err := root.elements("", "Version", "Id", "Statement")
	if err != nil {
		return Policy{}, err
	}
	if v, ok := elements["Version"]; ok && v.text != "2012-10-17" && v.text != "2008-10-17" {
		return Policy{}, at("Version", "%q; \"2012-10-17\" and \"2008-10-17\" are allowed", v.text)
	}
	if id, ok := elements["Id"]; ok && id.kind != text {
		return Policy{}, at("Id", "%s; a string is allowed", id.describe())
	}
	statements, ok := elements["Statement"]
	if !ok {
		return Policy{}, at("", "no Statement; one or a list of them is needed")
	}
	switch {
	case statements.kind == object:
		statements = node{kind: list, items: []node{statements}}
	case statements.kind != list:
		return Policy{}, at("Statement", "%s; an object or a list of objects is allowed", statements.describe())
	case len(statements.items) == 0:
		return Policy{}, at("Statement", "an empty list; at least one statement is needed")
	}
	var p Policy
	sids := make(map[string]bool)
	for i, item := range statements.items {
		path := fmt.Sprintf("Statement[%d]", i)
		s, sid, err := readStatement(item, path)
		if err != nil {
			return Policy{}, err
		}
		if sid != "" && sids[sid] {
			return Policy{}, at(path+".Sid", "%q is the Sid of another statement too", sid)
		}
		sids[sid] = true
		p.statements = append(p.statements, s)
	}
	return p, nil
}

func readStatement(n node, path string) (s statement, sid string, err error) {
	elements, err := n.elements(path, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition")
	if err != nil {
		return s, "", err
	}
	if id, ok := elements["Sid"]; ok {
		if id.kind != text || strings.ContainsFunc(id.text, notAlphanumeric) {
			return s, "", at(path+".Sid", "%q; letters and digits are allowed", id.text)
		}
		sid = id.text
	}
	switch effect := elements["Effect"]; effect.text {
	case "Allow":
	case "Deny":
		s.deny = true
	default:
		return s, "", at(path+".Effect", "%q; \"Allow\" and \"Deny\" are allowed, one is needed", effect.text)
	}
	if s.actions, s.exceptAction, err = oneOf(elements, path, "Action", readAction); err != nil {
		return s, "", err
	}
	if s.resources, s.exceptResource, err = oneOf(elements, path, "Resource", readResource); err != nil {
		return s, "", err
	}
	if c, ok := elements["Condition"]; ok {
		s.conditions, err = readConditions(c, path+".Condition", !s.deny)
	}
	return s, sid, err
}

// elements returns the members of an object in which only the names of known may occur.
func (n node) elements(path string, known ...string) (map[string]node, error) {
	if n.kind != object {
		return nil, at(path, "%s; an object is needed", n.describe())
	}
	all := make(map[string]node, len(n.names))
	for i, name := range n.names {
		if !slices.Contains(known, name) {
			note := ""
			if name == "Principal" || name == "NotPrincipal" {
				note = ", since a policy applies to the access key that it is given to"
			}
			return nil, at(path, "unknown element %q; %s are allowed%s", name, strings.Join(known, ", "), note)
		}
		all[name] = n.items[i]
	}
	return all, nil
}

// oneOf reads the element of that name or its opposite, of which a statement has exactly one. Not says that it was the
// opposite.
func oneOf[T any](elements map[string]node, path, name string, read func(path, s string) (T, error)) (all []T, not bool, err error) {
	n, ok := elements[name]
	opposite, not := elements["Not"+name]
	if ok == not {
		return nil, false, at(path, "%s and Not%s: exactly one of them is needed", name, name)
	}
	if not {
		n, name = opposite, "Not"+name
	}
	path = member(path, name)
	texts, err := n.texts(path)
	if err != nil {
		return nil, false, err
	}
	for i, s := range texts {
		place := path
		if n.kind == list {
			place = fmt.Sprintf("%s[%d]", path, i)
		}
		item, err := read(place, s)
		if err != nil {
			return nil, false, err
		}
		all = append(all, item)
	}
	return all, not, nil
}

func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
