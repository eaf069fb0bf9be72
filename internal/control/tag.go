package control

import (
	"context"
	"errors"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// TagResource adds tags to a resource; a key that it has gets the new value.
func (c *Control) TagResource(ctx context.Context, caller fabric.Caller, arn string, tags []fabric.Tag) error {
	a, err := taggable(caller, arn)
	if err != nil {
		return err
	}
	if err := fabric.CheckTags(tags); err != nil {
		return err
	}
	err = c.store.Tag(ctx, caller, a, tags)
	if errors.Is(err, store.ErrTooManyTags) {
		return fabric.Invalid("A resource can have at most %d tags.", fabric.MaxTags)
	}
	return untaggable(err, a, arn)
}

// UntagResource removes tags; a key that the resource does not have is no
// error.
func (c *Control) UntagResource(ctx context.Context, caller fabric.Caller, arn string, keys []string) error {
	a, err := taggable(caller, arn)
	if err != nil {
		return err
	}
	return untaggable(c.store.Untag(ctx, caller, a, keys), a, arn)
}

// ListTagsForResource reads the tags of a resource, in the order of their keys.
func (c *Control) ListTagsForResource(ctx context.Context, caller fabric.Caller, arn string) ([]fabric.Tag, error) {
	a, err := taggable(caller, arn)
	if err != nil {
		return nil, err
	}
	tags, err := c.store.Tags(ctx, caller, a)
	return tags, untaggable(err, a, arn)
}

// taggable reads the ARN of a resource of the caller's.
func taggable(caller fabric.Caller, arn string) (fabric.ARN, error) {
	a, ok := fabric.ParseARN(arn)
	if !ok || a.Account != caller.Account || a.Region != caller.Region {
		return fabric.ARN{}, invalidIdentifier(arn)
	}
	return a, nil
}

func untaggable(err error, a fabric.ARN, sent string) error {
	if errors.Is(err, store.ErrNotFound) {
		return fabric.Missing(a.Kind, sent)
	}
	return err
}
