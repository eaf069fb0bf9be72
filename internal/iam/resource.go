package iam

import (
	"slices"
	"strings"
)

// arnParts is how many parts, divided by colons, an ARN has. The last may have colons of its own.
const arnParts = 6

// resource is a pattern for ARNs, part by part: a wildcard stays within its part.
type resource struct {
	any   bool // "*", which also matches what is not an ARN
	parts [arnParts]string
}

// readResource reads "*" or a pattern for AppFabric's ARNs. One that ends in * may leave out the parts behind it,
// since such a * reaches beyond the colon: arn:aws:appfabric:eu-* is all there is in these Regions. A pattern that can
// match no AppFabric resource is refused: in a Deny it would look like a protection.
func readResource(path, s string) (resource, error) {
	if s == "*" {
		return resource{any: true}, nil
	}
	const form = "\"*\" and arn:<partition>:appfabric:<Region>:<account>:appbundle/... are allowed"
	parts := strings.SplitN(s, ":", arnParts)
	if len(parts) < 3 || parts[0] != "arn" || parts[2] != "appfabric" {
		return resource{}, at(path, "%q; %s", s, form)
	}
	if !slices.ContainsFunc(partitions(), func(p string) bool { return glob(parts[1], p) }) {
		return resource{}, at(path, "%q: %q is no partition; aws, aws-cn and aws-us-gov are", s, parts[1])
	}
	if len(parts) < arnParts && !strings.HasSuffix(s, "*") {
		return resource{}, at(path, "%q has %d parts, an ARN %d; %s", s, len(parts), arnParts, form)
	}
	if !written(parts[3], "abcdefghijklmnopqrstuvwxyz0123456789-*?") {
		return resource{}, at(path, "%q: %q is no Region; one such as us-east-1 or a pattern is needed", s, parts[3])
	}
	r := resource{parts: [arnParts]string{parts[0], parts[1], parts[2], parts[3], "*", "*"}}
	if len(parts) > 4 {
		if !written(parts[4], "0123456789*?") || !strings.Contains(parts[4], "*") && len(parts[4]) != 12 {
			return resource{}, at(path, "%q: %q is no account; twelve digits or a pattern are needed", s, parts[4])
		}
		r.parts[4] = parts[4]
	}
	if len(parts) == arnParts {
		if !canBeResource(parts[5]) {
			return resource{}, at(path, "%q: %q names no resource; appbundle/<id>, appbundle/<id>/appauthorization/<id>, "+
				"appbundle/<id>/ingestion/<id> and appbundle/<id>/ingestion/<id>/ingestiondestination/<id> do", s, parts[5])
		}
		r.parts[5] = parts[5]
	}
	return r, nil
}

// partitions are those that fabric's ARNs have.
func partitions() []string { return []string{"aws", "aws-cn", "aws-us-gov"} }

// written says whether s is not empty and of these characters only.
func written(s, characters string) bool {
	return s != "" && strings.Trim(s, characters) == ""
}

// canBeResource finds misspelt types: all of them where there is no wildcard, else what stands before the first one.
func canBeResource(s string) bool {
	const start = "appbundle/"
	if i := strings.IndexAny(s, "*?"); i >= 0 {
		return strings.HasPrefix(s[:i], start) || strings.HasPrefix(start, s[:i])
	}
	types := ""
	for i, segment := range strings.Split(s, "/") {
		switch {
		case segment == "" || strings.Contains(segment, ":"):
			return false
		case i%2 == 0:
			types += segment + "/"
		default:
			types += "*/"
		}
	}
	return slices.Contains([]string{
		"appbundle/*/", "appbundle/*/appauthorization/*/", "appbundle/*/ingestion/*/",
		"appbundle/*/ingestion/*/ingestiondestination/*/",
	}, types)
}

// split takes a resource of a request apart.
func split(s string) target {
	var t target
	for i := range arnParts - 1 {
		part, rest, found := strings.Cut(s, ":")
		if !found {
			return target{}
		}
		t.parts[i], s = part, rest
	}
	t.parts[arnParts-1] = s
	return t
}

// matches says whether a resource is meant.
func (r *resource) matches(t *target) bool {
	if r.any {
		return true
	}
	for i := range r.parts {
		if !glob(r.parts[i], t.parts[i]) {
			return false
		}
	}
	return true
}
