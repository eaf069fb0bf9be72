package token

import (
	"context"
	"errors"

	"selvedge/connector"
)

// discreet is a session whose errors do not tell what it is signed with, even
// where the provider does.
type discreet struct {
	connector.Session
	secrets func(context.Context) []string
}

// discreetFinder is one whose application can look users up.
type discreetFinder struct {
	discreet
	finder connector.UserFinder
}

// newDiscreet wraps a session. It can look users up exactly if the session can.
func newDiscreet(s connector.Session, secrets func(context.Context) []string) connector.Session {
	d := discreet{Session: s, secrets: secrets}
	if f, ok := s.(connector.UserFinder); ok {
		return discreetFinder{discreet: d, finder: f}
	}
	return d
}

// Connect is the session's.
func (d discreet) Connect(ctx context.Context) (map[string]string, error) {
	facts, err := d.Session.Connect(ctx)
	return facts, d.clean(ctx, err)
}

// Poll is the session's.
func (d discreet) Poll(ctx context.Context, stream string, at connector.Cursor) (connector.Page, error) {
	page, err := d.Session.Poll(ctx, stream, at)
	return page, d.clean(ctx, err)
}

// FindUser is the session's.
func (d discreetFinder) FindUser(ctx context.Context, email string) (connector.User, error) {
	u, err := d.finder.FindUser(ctx, email)
	return u, d.clean(ctx, err)
}

func (d discreet) clean(ctx context.Context, err error) error {
	e, ok := errors.AsType[*connector.Error](err)
	if !ok {
		return err
	}
	told := *e
	told.Reason = clean(e.Reason, d.secrets(ctx))
	return &told
}
