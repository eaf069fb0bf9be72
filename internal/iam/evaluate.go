package iam

import (
	"fmt"
	"strings"
)

// Request is what a caller wants to do.
type Request struct {
	Action string // "appfabric:CreateAppBundle"

	// Resources are the ARNs that the action needs permission on, each of them: of GetIngestion its bundle and the
	// ingestion (Action says which kinds). "*" stands for an action that has none. Without any, nothing is allowed.
	Resources []string

	RequestTags map[string]string // that come with the request
	TagKeys     []string          // of RequestTags, or those that UntagResource takes away; empty: the keys of RequestTags

	// ResourceTags are those that the resources have. Resources whose tags differ are asked about one by one.
	ResourceTags map[string]string

	Region string
}

// Decision is the answer to a request.
type Decision int

// The decisions. The zero one is that of a request that nothing allows.
const (
	DeniedImplicit Decision = iota
	DeniedExplicit
	Allowed
)

// String returns the decision's name.
func (d Decision) String() string {
	switch d {
	case DeniedImplicit:
		return "DeniedImplicit"
	case DeniedExplicit:
		return "DeniedExplicit"
	case Allowed:
		return "Allowed"
	}
	return fmt.Sprintf("Decision(%d)", int(d))
}

// Evaluate decides a request by all the policies of its caller together. A Deny that applies to any of the request's
// resources denies it; else each of them needs an Allow, not necessarily the same one.
func Evaluate(policies []Policy, r Request) Decision {
	action := strings.ToLower(r.Action)
	var few [4]target // no action is on more kinds of resources
	targets := few[:0]
	for _, resource := range r.Resources {
		targets = append(targets, split(resource))
	}
	for _, p := range policies {
		for i := range p.statements {
			s := &p.statements[i]
			if s.hasAction(action) != s.exceptAction && s.apply(&r, targets) && s.deny {
				return DeniedExplicit
			}
		}
	}
	for _, t := range targets {
		if !t.allowed {
			return DeniedImplicit
		}
	}
	if len(targets) == 0 {
		return DeniedImplicit
	}
	return Allowed
}

// target is one of a request's resources, and whether a statement has allowed it.
type target struct {
	parts   [arnParts]string // empty if it is no ARN, such as "*"
	allowed bool
}

// apply says whether the statement applies to one of the targets, and keeps what it allows. An Allow is not asked about
// a target that is allowed already, and conditions, which are the same for all of them, are asked about once.
func (s *statement) apply(r *Request, targets []target) bool {
	applies := false
	for i := range targets {
		t := &targets[i]
		if !s.deny && t.allowed || s.hasResource(t) == s.exceptResource {
			continue
		}
		if !applies && !s.fulfilled(r) {
			return false
		}
		applies, t.allowed = true, !s.deny
	}
	return applies
}

func (s *statement) fulfilled(r *Request) bool {
	for i := range s.conditions {
		if !s.conditions[i].matches(r) {
			return false
		}
	}
	return true
}

func (s *statement) hasAction(action string) bool {
	for _, pattern := range s.actions {
		if glob(pattern, action) {
			return true
		}
	}
	return false
}

func (s *statement) hasResource(t *target) bool {
	for i := range s.resources {
		if s.resources[i].matches(t) {
			return true
		}
	}
	return false
}

// Denied is AWS's sentence for a request that was denied; it is empty for one that was allowed. The forms are those of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html (checked 2026-11-22).
func Denied(principalARN, action, resource string, d Decision) string {
	sentence := "User: " + principalARN + " is not authorized to perform: " + action + " on resource: " + resource
	switch d {
	case Allowed:
		return ""
	case DeniedExplicit:
		return sentence + " with an explicit deny in an identity-based policy"
	default:
		return sentence + " because no identity-based policy allows the " + action + " action"
	}
}
