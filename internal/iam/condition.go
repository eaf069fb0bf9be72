package iam

import (
	"fmt"
	"strings"
)

// condition compares the values that a request has under one key with those of the policy.
type condition struct {
	operator
	key    key
	tag    string // of requestTag and resourceTag
	values []string
	every  bool // a tag that a request has in several spellings has to fit in each of them
}

// operator is what stands before a key, taken apart.
type operator struct {
	set      set
	negated  bool
	like     bool
	ifExists bool
}

// set is how a key of several values is compared.
type set int

const (
	single set = iota
	allValues
	anyValue
)

type key int

const (
	requestTag key = iota
	resourceTag
	tagKeys
	requestedRegion
)

// readConditions reads a Condition element. Every says that what is doubtful is to fail: it is true of an Allow.
func readConditions(n node, path string, every bool) ([]condition, error) {
	if n.kind != object {
		return nil, at(path, "%s; an object of operators is needed", n.describe())
	}
	var all []condition
	for i, name := range n.names {
		inner := member(path, name)
		op, ok := readOperator(name)
		if !ok {
			return nil, at(path, "unknown operator %q; StringEquals, StringNotEquals, StringLike and StringNotLike are allowed, "+
				"with IfExists behind and with ForAllValues: or ForAnyValue: before", name)
		}
		keys := n.items[i]
		if keys.kind != object {
			return nil, at(inner, "%s; an object of condition keys is needed", keys.describe())
		}
		seen := make(map[string]string)
		for j, name := range keys.names {
			if twin, ok := seen[strings.ToLower(name)]; ok {
				return nil, at(inner, "%q and %q are the same condition key", twin, name)
			}
			seen[strings.ToLower(name)] = name
			c, err := readCondition(op, inner, name, keys.items[j])
			if err != nil {
				return nil, err
			}
			c.every = every
			all = append(all, c)
		}
	}
	return all, nil
}

func readOperator(name string) (operator, bool) {
	var op operator
	if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		op.set, name = allValues, rest
	} else if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		op.set, name = anyValue, rest
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	switch name {
	case "StringEquals":
	case "StringNotEquals":
		op.negated = true
	case "StringLike":
		op.like = true
	case "StringNotLike":
		op.negated, op.like = true, true
	default:
		return operator{}, false
	}
	return op, true
}

func readCondition(op operator, path, name string, values node) (condition, error) {
	c := condition{operator: op}
	prefix, tag, hasTag := strings.Cut(name, "/")
	switch lower := strings.ToLower(prefix); {
	case lower == "aws:requesttag" && hasTag:
		c.key, c.tag = requestTag, tag
	case lower == "aws:resourcetag" && hasTag:
		c.key, c.tag = resourceTag, tag
	case lower == "aws:tagkeys" && !hasTag:
		c.key = tagKeys
	case lower == "aws:requestedregion" && !hasTag:
		c.key = requestedRegion
	default:
		return c, at(path, "unknown condition key %q; aws:RequestTag/<tag key>, aws:ResourceTag/<tag key>, aws:TagKeys "+
			"and aws:RequestedRegion are allowed", name)
	}
	if hasTag && (tag == "" || strings.ContainsAny(tag, "*?")) {
		return c, at(path, "%q: a tag key is needed behind the /, and it has no wildcards", name)
	}
	// AWS takes such a policy but calls it an error, and does not say how it is decided.
	if c.key == tagKeys && op.set == single {
		return c, at(path, "%q has several values: ForAllValues: or ForAnyValue: is needed before the operator", name)
	}
	var err error
	c.values, err = values.texts(member(path, fmt.Sprintf("%q", name)))
	return c, err
}

// matches says whether the condition is fulfilled.
func (c *condition) matches(r *Request) bool {
	var few [2]string
	values := c.of(r, few[:0])
	if len(values) == 0 {
		switch {
		case c.ifExists:
			return true
		case c.set == allValues:
			return true
		case c.set == anyValue:
			return false
		}
		return c.negated
	}
	every := c.set == allValues || c.set == single && c.every
	for _, v := range values {
		if c.accepts(v) != every {
			return !every
		}
	}
	return every
}

// accepts compares one value of the request: it is one of the policy's or, negated, none of them.
func (c *condition) accepts(value string) bool {
	for _, v := range c.values {
		if v == value || c.like && glob(v, value) {
			return !c.negated
		}
	}
	return c.negated
}

// of appends the values that the request has under the condition's key; none if it does not have the key.
func (c *condition) of(r *Request, values []string) []string {
	switch c.key {
	case requestTag:
		return spelled(r.RequestTags, c.tag, values)
	case resourceTag:
		return spelled(r.ResourceTags, c.tag, values)
	case requestedRegion:
		if r.Region != "" {
			values = append(values, r.Region)
		}
	case tagKeys:
		if len(r.TagKeys) > 0 {
			return r.TagKeys
		}
		for k := range r.RequestTags {
			values = append(values, k)
		}
	}
	return values
}

// spelled appends the values of all tags whose key is name in whatever case. AWS says that a key of a condition
// matches one spelling "but not both" and leaves open which one; so an Allow asks each of them to fit, and to a Deny
// any one is enough.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_tags.html (checked 2026-11-22)
func spelled(tags map[string]string, name string, values []string) []string {
	for k, v := range tags {
		if strings.EqualFold(k, name) {
			values = append(values, v)
		}
	}
	return values
}
