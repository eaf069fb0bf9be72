package rest

import (
	"errors"
	"net/url"
	"strconv"
	"time"
)

// Walk is a place in a newest-first feed that is paged by number: the page to
// read next, and when its first page was asked for. Records that arrive during
// a walk push the others to later pages, so they are seen twice and none is
// missed; those that arrived are found by the next walk, which begins where
// this one began in time.
type Walk struct {
	Page  int // from 1
	Began time.Time
}

var errWalk = errors.New("the stored place is no page of a walk")

// Token spells the place for a cursor.
func (w Walk) Token() string {
	return url.Values{
		"page":  {strconv.Itoa(w.Page)},
		"began": {w.Began.UTC().Format(time.RFC3339Nano)},
	}.Encode()
}

// ParseWalk reads what Token wrote.
func ParseWalk(token string) (Walk, error) {
	q, err := url.ParseQuery(token)
	if err != nil {
		return Walk{}, errWalk
	}
	page, err := strconv.Atoi(q.Get("page"))
	if err != nil || page < 1 {
		return Walk{}, errWalk
	}
	began, err := time.Parse(time.RFC3339Nano, q.Get("began"))
	if err != nil {
		return Walk{}, errWalk
	}
	w := Walk{Page: page, Began: began.UTC()}
	if w.Token() != token {
		return Walk{}, errWalk
	}
	return w, nil
}

// Next is the page behind this one.
func (w Walk) Next() Walk { return Walk{Page: w.Page + 1, Began: w.Began} }

// Trail is a place in a feed that is paged by a cursor of the provider's: the
// cursor of the page to read next, and when the first page was asked for.
type Trail struct {
	After string // empty: the first page
	Began time.Time
}

// Token spells the place for a cursor.
func (t Trail) Token() string {
	return url.Values{
		"after": {t.After},
		"began": {t.Began.UTC().Format(time.RFC3339Nano)},
	}.Encode()
}

// ParseTrail reads what Token wrote.
func ParseTrail(token string) (Trail, error) {
	q, err := url.ParseQuery(token)
	if err != nil {
		return Trail{}, errWalk
	}
	began, err := time.Parse(time.RFC3339Nano, q.Get("began"))
	if err != nil {
		return Trail{}, errWalk
	}
	t := Trail{After: q.Get("after"), Began: began.UTC()}
	if t.After == "" || t.Token() != token {
		return Trail{}, errWalk
	}
	return t, nil
}

// Next is the page behind this one.
func (t Trail) Next(after string) Trail { return Trail{After: after, Began: t.Began} }
