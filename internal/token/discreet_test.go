package token_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"selvedge/connector"
	"selvedge/internal/token"
)

// talker is a provider that tells what it was sent.
type talker struct{}

func (talker) told() error {
	return &connector.Error{Kind: connector.Forbidden, Op: "talker: list", Reason: "the token s3cret may not read this"}
}

func (t talker) Connect(context.Context) (map[string]string, error) { return nil, t.told() }

func (t talker) Poll(context.Context, string, connector.Cursor) (connector.Page, error) {
	return connector.Page{}, t.told()
}

func (t talker) FindUser(context.Context, string) (connector.User, error) {
	return connector.User{}, t.told()
}

func TestAProviderThatTellsTheTokenIsNotQuoted(t *testing.T) {
	t.Parallel()
	s := token.NewDiscreet(talker{}, func(context.Context) []string { return []string{"s3cret"} })
	_, connected := s.Connect(t.Context())
	_, polled := s.Poll(t.Context(), "", connector.Cursor{})
	f, ok := s.(connector.UserFinder)
	if !ok {
		t.Fatal("the session no longer looks users up")
	}
	_, found := f.FindUser(t.Context(), "a@example.com")
	for _, err := range []error{connected, polled, found} {
		e, ok := errors.AsType[*connector.Error](err)
		if !ok || e.Kind != connector.Forbidden || strings.Contains(e.Error(), "s3cret") || !strings.Contains(e.Reason, "may not read this") {
			t.Errorf("error = %v", err)
		}
	}
	if _, ok := token.NewDiscreet(struct{ connector.Session }{talker{}}, nil).(connector.UserFinder); ok {
		t.Error("a session that looks no users up says that it does")
	}
}
