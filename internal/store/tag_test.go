package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
	"selvedge/internal/store/storetest"
)

func TestTags(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{Destinations: []fabric.Processing{rawJSON}})
	for _, arn := range []fabric.ARN{r.Bundle.ARN(), r.Authorization.ARN(), r.Ingestion.ARN(), r.Destinations[0].ARN()} {
		if err := s.Tag(t.Context(), c, arn, []fabric.Tag{{Key: "b", Value: ""}, {Key: "ä", Value: "x"}, {Key: "c", Value: "y"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Tag(t.Context(), c, arn, []fabric.Tag{{Key: "ä", Value: "z"}}); err != nil {
			t.Fatal(err)
		}
		if err := s.Untag(t.Context(), c, arn, []string{"c", "not there"}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Tags(t.Context(), c, arn)
		if d := cmp.Diff([]fabric.Tag{{Key: "b"}, {Key: "ä", Value: "z"}}, got); err != nil || d != "" {
			t.Errorf("%s: %v\n%s", arn, err, d)
		}
		for name, stranger := range strangers() {
			_, list := s.Tags(t.Context(), stranger, arn)
			for _, e := range []error{list, s.Tag(t.Context(), stranger, arn, nil), s.Untag(t.Context(), stranger, arn, []string{"b"})} {
				if !errors.Is(e, store.ErrNotFound) {
					t.Errorf("%s, %s: %v", name, arn, e)
				}
			}
		}
		wrong := arn
		wrong.Bundle = "00000000-0000-4000-8000-000000000000"
		if _, err := s.Tags(t.Context(), c, wrong); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("under another bundle: %v", err)
		}
	}
}

func TestTooManyTags(t *testing.T) {
	t.Parallel()
	s, c := storetest.New(t, nil), storetest.Caller()
	r := storetest.Make(t, s, storetest.Spec{})
	var tags []fabric.Tag
	for i := range fabric.MaxTags {
		tags = append(tags, fabric.Tag{Key: fmt.Sprint(i)})
	}
	arn := r.Bundle.ARN()
	if err := s.Tag(t.Context(), c, arn, tags); err != nil {
		t.Fatal(err)
	}
	if err := s.Tag(t.Context(), c, arn, []fabric.Tag{{Key: "0", Value: "new"}, {Key: "more"}}); !errors.Is(err, store.ErrTooManyTags) {
		t.Errorf("51 tags: %v", err)
	}
	got, err := s.Tags(t.Context(), c, arn)
	if err != nil || len(got) != fabric.MaxTags || got[0].Value != "" {
		t.Errorf("the refused tags changed %v, %v", got, err)
	}
}
