package fabric

import (
	"fmt"
	"strings"
)

// MaxTags is how many tags one resource may have.
const MaxTags = 50

// Tag is a label of a resource. An empty value is a value.
type Tag struct {
	Key   string
	Value string
}

// CheckTags says what is wrong with tags that a user gives: a key twice, more
// than MaxTags, or a key in AWS's own namespace.
func CheckTags(tags []Tag) error {
	if len(tags) > MaxTags {
		return Invalid("A resource can have at most %d tags.", MaxTags)
	}
	seen := make(map[string]bool, len(tags))
	for i, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return InvalidField(fmt.Sprintf("tags[%d].key", i), "The tag key %q begins with aws:, which is reserved for AWS use.", t.Key)
		}
		if seen[t.Key] {
			return InvalidField(fmt.Sprintf("tags[%d].key", i), "The tag key %q is given more than once.", t.Key)
		}
		seen[t.Key] = true
	}
	return nil
}

// ResourceKey is what tags and client tokens of the resource hang on: the UUID
// of the resource itself.
func (a ARN) ResourceKey() string {
	switch a.Kind {
	case KindAppBundle:
		return a.Bundle
	case KindIngestionDestination:
		return a.Grandchild
	default:
		return a.Child
	}
}

// String returns key=value, for messages.
func (t Tag) String() string { return fmt.Sprintf("%s=%s", t.Key, t.Value) }
