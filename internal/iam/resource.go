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
	if len(parts) < arnParts && (len(parts) == 3 || !strings.HasSuffix(s, "*")) {
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

// splitARN returns the parts of an ARN; false if there are too few.
func splitARN(s string) (parts [arnParts]string, ok bool) {
	for i := range arnParts - 1 {
		part, rest, found := strings.Cut(s, ":")
		if !found {
			return parts, false
		}
		parts[i], s = part, rest
	}
	parts[arnParts-1] = s
	return parts, true
}

// matches says whether an ARN, in its parts, is meant; isARN is false for what is none, such as "*".
func (r *resource) matches(parts *[arnParts]string, isARN bool) bool {
	if r.any {
		return true
	}
	if !isARN {
		return false
	}
	for i := range parts {
		if !glob(r.parts[i], parts[i]) {
			return false
		}
	}
	return true
}
