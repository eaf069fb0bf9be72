package control

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"selvedge/internal/fabric"
	"selvedge/internal/iam"
	"selvedge/internal/store"
)

// Access is an operation that a caller asks for, before it is known whether its
// resources exist. Identifiers are as they were sent; empty ones were not.
type Access struct {
	Action        string // "appfabric:GetIngestion", "selvedge:CreateKey"
	Bundle        string
	Authorization string
	Ingestion     string
	Destination   string
	Resource      string       // ARN, of the operations that take one
	Tags          []fabric.Tag // that come with the request
	TagKeys       []string     // of UntagResource
}

// Authorize says whether the policy of the caller's key allows an operation. The
// root key may do everything. The answer is a *fabric.Error: of kind
// AccessDenied with AWS's sentence, whether the resources exist or not, or of
// kind Validation for identifiers that cannot be the caller's.
func (c *Control) Authorize(ctx context.Context, caller fabric.Caller, a Access) error {
	if c.isRoot(caller) {
		return nil
	}
	asked, err := questions(caller, a)
	if err != nil {
		return err
	}
	policy, byTags, err := c.policyOf(ctx, caller)
	if err != nil {
		return err
	}
	refused := iam.Allowed
	var sentence string
	for _, q := range asked {
		if q.tagged && byTags {
			if q.ResourceTags, err = c.tagsOf(ctx, caller, q.arn); err != nil {
				return err
			}
		}
		d := iam.Evaluate(policy, q.Request)
		if d != iam.Allowed && (sentence == "" || d == iam.DeniedExplicit && refused != d) {
			refused, sentence = d, iam.Denied(principal(caller), q.Action, q.Resources[0], d)
		}
	}
	if sentence == "" {
		return nil
	}
	return &fabric.Error{Kind: fabric.AccessDenied, Message: sentence}
}

// policyOf reads what a key may do, and whether that can depend on the tags of
// resources. A key that is gone may do nothing.
func (c *Control) policyOf(ctx context.Context, caller fabric.Caller) (policy []iam.Policy, byTags bool, err error) {
	k, _, err := c.store.AccessKey(ctx, caller.AccessKeyID)
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if k.Account != caller.Account || !k.RevokedAt.IsZero() {
		return nil, false, nil
	}
	p, err := readPolicy(k.Policy)
	if err != nil { // it was understood when it was given
		return nil, false, fmt.Errorf("control: policy of the access key %s: %w", k.ID, err)
	}
	// The name of the condition key cannot hide, except behind a JSON escape.
	byTags = strings.Contains(strings.ToLower(k.Policy), "resourcetag") || strings.Contains(k.Policy, `\`)
	return []iam.Policy{p}, byTags, nil
}

// question is a request of one resource to a policy.
type question struct {
	iam.Request
	arn    fabric.ARN
	tagged bool // the resource may exist and have tags
}

// questions lists what must be allowed for an operation: its action on each of
// its resources, from the bundle down, and TagResource on what a create with
// tags makes.
func questions(caller fabric.Caller, a Access) ([]question, error) {
	arns, err := resources(caller, a)
	if err != nil {
		return nil, err
	}
	base := iam.Request{Action: a.Action, TagKeys: a.TagKeys, Region: caller.Region, RequestTags: tagMap(a.Tags)}
	var all []question
	for _, arn := range arns {
		q := question{Request: base, arn: arn, tagged: true}
		q.Resources = []string{arn.String()}
		all = append(all, q)
	}
	if len(all) == 0 {
		q := question{Request: base}
		q.Resources = []string{"*"}
		all = append(all, q)
	}
	if kind, ok := made(a.Action); ok && len(a.Tags) > 0 {
		q := question{Request: base}
		q.Action, q.Resources = "appfabric:TagResource", []string{newARN(caller, kind, arns).String()}
		all = append(all, q)
	}
	return all, nil
}

// resources are the ARNs of what an operation is on, from the bundle down; none
// for what is on no resource.
func resources(caller fabric.Caller, a Access) ([]fabric.ARN, error) {
	if a.Resource != "" {
		arn, err := taggable(caller, a.Resource)
		return []fabric.ARN{arn}, err
	}
	kind, sent := fabric.KindAppBundle, []string{a.Bundle}
	switch {
	case a.Bundle == "":
		return nil, nil
	case a.Destination != "":
		kind, sent = fabric.KindIngestionDestination, []string{a.Bundle, a.Ingestion, a.Destination}
	case a.Ingestion != "":
		kind, sent = fabric.KindIngestion, []string{a.Bundle, a.Ingestion}
	case a.Authorization != "":
		kind, sent = fabric.KindAppAuthorization, []string{a.Bundle, a.Authorization}
	}
	p, err := identify(caller, kind, sent...)
	if err != nil {
		return nil, err
	}
	var arns []fabric.ARN
	for _, kind := range lineage(kind) {
		arn := p.arn
		arn.Kind = kind
		if kind == fabric.KindAppBundle {
			arn.Child = ""
		}
		if kind != fabric.KindIngestionDestination {
			arn.Grandchild = ""
		}
		arns = append(arns, arn)
	}
	return arns, nil
}

// made is the kind of resource that a create makes.
func made(action string) (fabric.Kind, bool) {
	kind, ok := strings.CutPrefix(action, "appfabric:Create")
	return fabric.Kind(kind), ok
}

// newARN is the ARN of a resource that has no id yet, below the last of the
// parents: a * stands for the id, as AWS's policies write it.
func newARN(caller fabric.Caller, kind fabric.Kind, parents []fabric.ARN) fabric.ARN {
	arn := fabric.ARN{Region: caller.Region, Account: caller.Account}
	if len(parents) > 0 {
		arn = parents[len(parents)-1]
	}
	arn.Kind = kind
	switch kind {
	case fabric.KindAppBundle:
		arn.Bundle = "*"
	case fabric.KindIngestionDestination:
		arn.Grandchild = "*"
	default:
		arn.Child = "*"
	}
	return arn
}

// tagsOf reads the tags of a resource; of one that is not there, or not the
// caller's, there are none.
func (c *Control) tagsOf(ctx context.Context, caller fabric.Caller, arn fabric.ARN) (map[string]string, error) {
	tags, err := c.store.Tags(ctx, caller, arn)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	return tagMap(tags), nil
}

func tagMap(tags []fabric.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// principal is the name of a caller in AWS's sentences: an access key stands for
// a user of its own.
func principal(caller fabric.Caller) string {
	partition, _, _ := strings.Cut(strings.TrimPrefix(fabric.ARN{Region: caller.Region}.String(), "arn:"), ":")
	return "arn:" + partition + ":iam::" + caller.Account + ":user/" + caller.AccessKeyID
}
