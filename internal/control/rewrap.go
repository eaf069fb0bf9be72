package control

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/secret"
	"selvedge/internal/store"
)

// Rewrapper puts what is under older keys under the newest ones.
type Rewrapper interface {
	Newest() (check []byte)
	Opens(check, seed []byte) error
	Fresh(since time.Time) secret.Fresh
	Rewrap(ctx context.Context, b fabric.AppBundle, wrapped []byte, since time.Time) ([]byte, error)
	Reseal(owner, field string, sealed []byte) ([]byte, error)
}

// The bounds of one step of a rewrap, which is one call.
const (
	rewrapRows = 20
	rewrapTime = 15 * time.Second // after which a step takes up no further row
	rewrapLife = 24 * time.Hour   // after which an unfinished rewrap begins anew
)

// RewrapState is how far a rewrap is.
type RewrapState struct {
	Total  int64 // data keys and secrets of access keys
	Left   int64 // of them, under older keys
	Next   string
	Failed []RewrapFailure
}

// RewrapFailure is what could not be rewrapped in this step.
type RewrapFailure struct{ ARN, Reason string }

// Rewrap does one step of putting everything under the newest keys, behind the
// place that the step before gave as Next; an empty Next ends the pass. What is
// done stays done, and what is done meanwhile by others is not done again: a
// rewrap that was cut off goes on from its first step. The first step makes the
// newest master key the one in use on all replicas, so all must have it. A
// replica that has not got the key in use changes nothing: its newest key is an
// older one.
func (c *Control) Rewrap(ctx context.Context, caller fabric.Caller, after string) (RewrapState, error) {
	if !c.isRoot(caller) {
		return RewrapState{}, &fabric.Error{Kind: fabric.AccessDenied, Message: "Only the root key may call selvedge:Rewrap: it concerns all accounts."}
	}
	since, err := c.beginRewrap(ctx)
	if err != nil {
		return RewrapState{}, err
	}
	s := step{Control: c, fresh: c.rewrap.Fresh(since), since: since, ends: c.now().Add(rewrapTime), room: rewrapRows}
	table, id, _ := strings.Cut(after, "/")
	if table != "keys" {
		table, id, err = s.dataKeys(ctx, id)
	}
	if err == nil && table == "keys" {
		table, id, err = s.secrets(ctx, id)
	}
	if err != nil {
		return RewrapState{}, err
	}
	count, err := c.store.CountRewrapped(ctx, s.fresh)
	if err != nil {
		return RewrapState{}, err
	}
	state := RewrapState{Total: count.Total, Left: count.Left, Failed: s.failed}
	if table != "" {
		state.Next = table + "/" + id
	}
	if state.Next == "" && count.Left == 0 {
		_, err = c.store.SwapMeta(ctx, store.MetaRewrap, instant(since), nil)
	}
	return state, err
}

// beginRewrap returns when the rewrap under way began, and lets one begin where
// there is none. The master key in use and the seed come first: a row that is
// made from then on needs no rewrapping.
func (c *Control) beginRewrap(ctx context.Context) (time.Time, error) {
	now := c.now()
	check, sealed, err := c.masterInUse(ctx)
	if err != nil {
		return now, err
	}
	kept, err := c.store.SetMetaOnce(ctx, store.MetaRewrap, instant(now))
	if err != nil {
		return now, err
	}
	var since time.Time
	if len(kept) == 8 {
		since = time.UnixMilli(int64(binary.BigEndian.Uint64(kept))).UTC()
	}
	if now.Sub(since) > rewrapLife {
		if _, err := c.store.SwapMeta(ctx, store.MetaRewrap, kept, instant(now)); err != nil {
			return now, err
		}
		since = now
	}
	if newest := c.rewrap.Newest(); !bytes.Equal(check, newest) {
		if _, err := c.store.SwapMeta(ctx, store.MetaMasterCheck, check, newest); err != nil {
			return now, err
		}
		c.log.InfoContext(ctx, "the newest master key is in use from now on")
	}
	return since, c.resealSeed(ctx, sealed)
}

// masterInUse returns the check value of the master key in use and the sealed
// seed, which this server's own file must open both.
func (c *Control) masterInUse(ctx context.Context) (check, seed []byte, err error) {
	if check, err = c.store.Meta(ctx, store.MetaMasterCheck); err != nil {
		return nil, nil, err
	}
	if seed, err = c.store.Meta(ctx, store.MetaSeed); err != nil {
		return nil, nil, err
	}
	if err := c.rewrap.Opens(check, seed); err != nil {
		return nil, nil, &fabric.Error{
			Kind: fabric.Validation, Reason: fabric.ReasonOther, Err: err,
			Message: "Nothing was changed: the replica that was asked has not got the new master key file yet, which must hold the master key in use. Restart it with that file and run the rewrap again.",
		}
	}
	return check, seed, nil
}

func (c *Control) resealSeed(ctx context.Context, sealed []byte) error {
	if bytes.HasPrefix(sealed, c.rewrap.Fresh(time.Time{}).Server) {
		return nil
	}
	again, err := c.rewrap.Reseal(secret.SeedOwner, secret.SeedField, sealed)
	if err != nil {
		return err
	}
	_, err = c.store.SwapMeta(ctx, store.MetaSeed, sealed, again)
	return err
}

func instant(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.UnixMilli())) }

// step is one call's part of a rewrap.
type step struct {
	*Control
	fresh  secret.Fresh
	since  time.Time
	ends   time.Time
	room   int
	failed []RewrapFailure
}

func (s *step) full() bool { return s.room <= 0 || !s.now().Before(s.ends) }

// dataKeys rewraps the data keys of bundles behind an id, and says where the
// next step goes on.
func (s *step) dataKeys(ctx context.Context, after string) (table, id string, err error) {
	rows, err := s.store.StaleDataKeys(ctx, s.fresh, after, s.room)
	if err != nil {
		return "", "", err
	}
	for _, row := range rows {
		if s.full() {
			return "bundles", after, nil
		}
		after = row.Bundle.ID
		s.room--
		again, err := s.rewrap.Rewrap(ctx, row.Bundle, row.Wrapped, s.since)
		if err != nil {
			s.fail(ctx, row.Bundle.ARN().String(), err)
			continue
		}
		// Where somebody else was first, theirs is as good.
		if _, err := s.store.SwapDataKey(ctx, row.Bundle.ID, row.Wrapped, again); err != nil {
			return "", "", err
		}
	}
	if s.room > 0 {
		return "keys", "", nil
	}
	return "bundles", after, nil
}

// secrets reseals the secrets of access keys behind an id.
func (s *step) secrets(ctx context.Context, after string) (table, id string, err error) {
	if s.full() {
		return "keys", after, nil
	}
	rows, err := s.store.StaleSecrets(ctx, s.fresh, after, s.room)
	if err != nil {
		return "", "", err
	}
	for _, row := range rows {
		after = row.Key.ID
		s.room--
		again, err := s.rewrap.Reseal(ownerOf(row.Key), secretField, row.Sealed)
		if err != nil {
			s.fail(ctx, row.Key.ID, err)
			continue
		}
		if _, err := s.store.SwapSecret(ctx, row.Key.ID, row.Sealed, again); err != nil {
			return "", "", err
		}
	}
	if s.room > 0 {
		return "", "", nil
	}
	return "keys", after, nil
}

// fail notes what could not be rewrapped; the rest goes on.
func (s *step) fail(ctx context.Context, what string, err error) {
	reason := "it does not open: the server's log says why"
	if key, ok := errors.AsType[*secret.KeyError](err); ok {
		reason = key.Reason
	}
	s.log.WarnContext(ctx, "not rewrapped", "what", what, "error", err)
	s.failed = append(s.failed, RewrapFailure{ARN: what, Reason: reason})
}
