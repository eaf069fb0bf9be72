package rest

import (
	"context"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"selvedge/connector"
)

// Feed says how a feed is read, for Walk and for Tail.
type Feed struct {
	Op string

	// Ask builds the call for a page. An error says that the place is none of
	// this feed's, which is as good as one that the provider has forgotten.
	Ask func(t Trail) (Request, error)

	// Read takes an answer apart. Beside an error, Next is the place behind the
	// page where that could be told all the same.
	Read func(a *Answer, t Trail) (Sheet, error)

	// Widest is the widest range that a walk may ask for; zero: any. A wider one
	// is walked in parts, the oldest first; a record is of the part that has its
	// time.
	Widest time.Duration
}

// Sheet is an answer taken apart.
type Sheet struct {
	Records []connector.Record
	Next    string // the place of the page behind it; of a walk, empty: there is none
	More    bool   // of a tail: there is more at once
}

// errCircle says that a page leads to itself, which would be read for ever.
var errCircle = errors.New("the page behind this one is this one")

// NoStream is the error for a stream that the application does not have.
func (c *Client) NoStream(op, stream string) error {
	return c.Fail(op, connector.Forbidden, "there is no stream "+strconv.Quote(stream))
}

// Walk reads one page of a feed by time, on the way through all that lies between
// the cursor's From and its To, or the present. What happened outside of a window
// is left out, for feeds whose bounds are wider or inclusive.
//
// Records that arrive during a walk only push others to later pages, so that
// they are seen twice and none is missed. Those that arrived are found by the next
// walk: it begins where this one began in time, not at the newest record seen.
// Where our clock is ahead, going on from it would leave records unread. That
// is put right at the last page and not before: what is asked for must stay the
// same from page to page.
func (c *Client) Walk(ctx context.Context, at connector.Cursor, f Feed) (connector.Page, error) {
	if empty(at) {
		return ended(nil, at), nil
	}
	t, err := c.trail(at, f)
	if err != nil {
		return connector.Page{}, err
	}
	behind := func(next string) connector.Cursor {
		return connector.Cursor{From: at.From, To: at.To, Token: Trail{After: next, Until: t.Until}.Token()}
	}
	a, sheet, err := c.sheet(ctx, f, t, behind)
	if err == nil && sheet.Next != "" && sheet.Next == t.After {
		err = a.Malformed(errCircle)
	}
	if err != nil {
		return connector.Page{}, err
	}
	rest := f.Widest > 0 && t.Until.Equal(at.From.Add(f.Widest)) && (at.To.IsZero() || t.Until.Before(at.To))
	part := at
	if rest {
		part.To = t.Until // what lies behind it is the next part's: records without an id would be met twice
	}
	records := Within(sheet.Records, part)
	switch {
	case sheet.Next != "":
		return connector.Page{Records: records, Next: behind(sheet.Next)}, nil
	case rest:
		return connector.Page{Records: records, Next: connector.Cursor{From: t.Until, To: at.To}}, nil
	case !at.To.IsZero():
		return ended(records, at), nil
	}
	return connector.Page{Records: records, Next: connector.Cursor{From: a.corrected(t.Until)}, Done: true}, nil
}

// trail is the place of a cursor: the first page of a new walk where it has no
// token. A token that is no place is as good as one that was forgotten.
func (c *Client) trail(at connector.Cursor, f Feed) (Trail, error) {
	if at.Token != "" {
		t, err := ParseTrail(at.Token)
		if err != nil {
			return Trail{}, c.fail(f.Op, connector.CursorExpired, err)
		}
		return t, nil
	}
	t := Trail{Until: at.To}
	if at.To.IsZero() {
		t.Until = c.now()
	}
	if widest := at.From.Add(f.Widest); f.Widest > 0 && widest.Before(t.Until) {
		t.Until = widest
	}
	return t, nil
}

// Tail reads one page of a feed by arrival, whose cursor can be asked for ever and
// shows what has come since. Of a window, where More ends it, what happened outside
// is left out.
//
// From is for going on by time once the provider has forgotten the cursor. It
// moves with the last page of a poll, to the newest time on that: all that
// arrived before has been read then, whatever the order. A time from the
// future would lead past what is yet to come.
func (c *Client) Tail(ctx context.Context, at connector.Cursor, f Feed) (connector.Page, error) {
	if empty(at) {
		return ended(nil, at), nil
	}
	behind := func(next string) connector.Cursor { return connector.Cursor{From: at.From, To: at.To, Token: next} }
	a, sheet, err := c.sheet(ctx, f, Trail{After: at.Token, Until: at.To}, behind)
	if err == nil && sheet.More && sheet.Next == at.Token {
		if len(sheet.Records) > 0 || !at.To.IsZero() {
			err = a.Malformed(errCircle)
		}
		sheet.More = false // nothing yet: the next poll asks again
	}
	if err != nil {
		return connector.Page{}, err
	}
	p := connector.Page{Records: Within(sheet.Records, at), Next: behind(sheet.Next), Done: !sheet.More}
	switch {
	case !p.Done:
		return p, nil
	case !at.To.IsZero():
		return ended(p.Records, at), nil
	}
	now := c.now()
	for _, r := range p.Records {
		if r.Time.After(p.Next.From) && !r.Time.After(now) {
			p.Next.From = r.Time
		}
	}
	return p, nil
}

// sheet reads the page at a place.
func (c *Client) sheet(ctx context.Context, f Feed, t Trail, behind func(next string) connector.Cursor) (*Answer, Sheet, error) {
	r, err := f.Ask(t)
	if err != nil {
		return nil, Sheet{}, c.fail(f.Op, connector.CursorExpired, err)
	}
	r.Op, r.placed = f.Op, t.After != ""
	a, err := c.Do(ctx, r)
	if err != nil {
		return nil, Sheet{}, err
	}
	s, err := f.Read(a, t)
	if err == nil && !utf8.ValidString(s.Next) {
		err, s.Next = errPlace, "" // it would not be the same after it was stored
	}
	if err != nil {
		e := a.Malformed(err)
		if s.Next != "" {
			e.Next = behind(s.Next)
		}
		return nil, Sheet{}, e
	}
	return a, s, nil
}

// empty says that a window has nothing in it.
func empty(at connector.Cursor) bool {
	return at.Token == "" && !at.To.IsZero() && !at.From.Before(at.To)
}

// ended is the last page of a window.
func ended(records []connector.Record, at connector.Cursor) connector.Page {
	return connector.Page{Records: records, Next: connector.Cursor{From: at.To, To: at.To}, Done: true}
}
