package store

import "time"

// The times of duties are written and compared within statements, as an offset
// to the dialect's epoch: on a database that replicas share, the epoch is its
// present, and what the clocks of their hosts say does not matter. Otherwise it
// is 1970, and the offset has the whole time.

// in is the offset of the time that is d from now.
func (s *Store) in(d time.Duration) int64 {
	if s.dialect.epoch == databaseEpoch {
		return d.Milliseconds()
	}
	return millis(s.now().Add(d))
}

// at is the offset of a time by this host's clock; nil for the zero time.
func (s *Store) at(t time.Time) any {
	switch {
	case t.IsZero():
		return nil
	case s.dialect.epoch == databaseEpoch:
		return t.Sub(s.now()).Milliseconds()
	default:
		return millis(t)
	}
}

// stamp is SQL for the time at an offset, which is the statement's argument.
func (s *Store) stamp() string { return "(" + s.dialect.epoch + " + ?)" }

// from is the time by this host's clock that is ms from now.
func (s *Store) from(ms int64) time.Time { return fromMillis(millis(s.now()) + ms) }
