package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxCharacters is the size of a managed policy, in which IAM does not count white space. White space within strings
// is counted here; AWS does not say.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (checked 2026-11-22)
const maxCharacters = 6144

// maxBytes is what IAM takes as a policy document with its white space.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html (checked 2026-11-22)
const maxBytes = 131072

// maxDepth is beyond what a policy can need: policy, statements, statement, conditions, operator, values.
const maxDepth = 8

// node is a JSON value with its members in order. Numbers, true, false and null have no place in a policy: other.
type node struct {
	kind  kind
	text  string   // of a text; of an other: as it is written
	names []string // of an object, each once
	items []node   // of a list; of an object: the values of names
}

type kind int

const (
	object kind = iota
	list
	text
	other
)

func (k kind) String() string { return [...]string{"an object", "a list", "a string", "a value"}[k] }

// readJSON reads a document and refuses what two readers could understand differently: a member twice, bytes that are
// not UTF-8, half a surrogate pair.
func readJSON(data []byte) (node, error) {
	if len(data) > maxBytes {
		return node{}, fmt.Errorf("%d bytes long; at most %d are allowed", len(data), maxBytes)
	}
	if !utf8.Valid(data) {
		return node{}, errors.New("not UTF-8")
	}
	var raw json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return node{}, notJSON(data, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return node{}, fmt.Errorf("not JSON: %w", err)
	}
	if n := utf8.RuneCount(compact.Bytes()); n > maxCharacters {
		return node{}, fmt.Errorf("%d characters long without white space; at most %d are allowed", n, maxCharacters)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return readNode(d, "", 0)
}

func notJSON(data []byte, err error) error {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("not JSON: %w", err)
	}
	before := string(data[:min(max(syntax.Offset-1, 0), int64(len(data)))])
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("not JSON: line %d, column %d: %w", line, column, err)
}

func readNode(d *json.Decoder, path string, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, at(path, "nested too deeply")
	}
	token, err := d.Token()
	if err != nil {
		return node{}, at(path, "not JSON: %w", err)
	}
	switch t := token.(type) {
	case string:
		return node{kind: text, text: t}, checkText(path, t)
	case json.Delim:
		return readMany(d, t, path, depth)
	case nil:
		return node{kind: other, text: "null"}, nil
	default:
		return node{kind: other, text: fmt.Sprint(token)}, nil
	}
}

func readMany(d *json.Decoder, open json.Delim, path string, depth int) (node, error) {
	n := node{kind: list}
	if open == '{' {
		n.kind = object
	}
	for d.More() {
		inner := fmt.Sprintf("%s[%d]", path, len(n.items))
		if n.kind == object {
			token, err := d.Token()
			if err != nil {
				return node{}, at(path, "not JSON: %w", err)
			}
			name := fmt.Sprint(token) // the decoder gives nothing but strings here
			if slices.Contains(n.names, name) {
				return node{}, at(path, "%q is there twice", name)
			}
			if err := checkText(path, name); err != nil {
				return node{}, err
			}
			n.names = append(n.names, name)
			inner = member(path, name)
		}
		item, err := readNode(d, inner, depth+1)
		if err != nil {
			return node{}, err
		}
		n.items = append(n.items, item)
	}
	if _, err := d.Token(); err != nil {
		return node{}, at(path, "not JSON: %w", err)
	}
	return n, nil
}

func checkText(path, s string) error {
	switch {
	case strings.ContainsRune(s, utf8.RuneError):
		return at(path, "%q has a character that is not Unicode", s)
	case strings.Contains(s, "${"):
		return at(path, "%q has a policy variable; ${...} is not supported", s)
	}
	return nil
}

// texts returns what may be one string or a list of strings, at least one.
func (n node) texts(path string) ([]string, error) {
	if n.kind == text {
		return []string{n.text}, nil
	}
	if n.kind != list {
		return nil, at(path, "%s; a string or a list of strings is allowed", n.describe())
	}
	if len(n.items) == 0 {
		return nil, at(path, "an empty list; at least one string is needed")
	}
	all := make([]string, len(n.items))
	for i, item := range n.items {
		if item.kind != text {
			return nil, at(fmt.Sprintf("%s[%d]", path, i), "%s; a string is allowed, in quotation marks", item.describe())
		}
		all[i] = item.text
	}
	return all, nil
}

func (n node) describe() string {
	if n.kind == other {
		return n.text
	}
	return n.kind.String()
}

// member is the path of a member of what is at path.
func member(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// at is an error about one place of the policy.
func at(path, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if path == "" {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
