package rest

import (
	"errors"
	"net/url"
	"strconv"
	"time"
)

// Trail is a place in a walk: the page to read next, and where the range ends
// that is walked.
type Trail struct {
	After string    // the page's place, as the answer before told it; empty: the first page
	Until time.Time // of a live walk: when it began
}

var errTrail = errors.New("the stored place is no page of a walk")

// Token spells the place for a cursor.
func (t Trail) Token() string {
	return url.Values{
		"after": {t.After},
		"until": {t.Until.UTC().Format(time.RFC3339Nano)},
	}.Encode()
}

// ParseTrail reads what Token wrote.
func ParseTrail(token string) (Trail, error) {
	q, err := url.ParseQuery(token)
	if err != nil {
		return Trail{}, errTrail
	}
	until, err := time.Parse(time.RFC3339Nano, q.Get("until"))
	if err != nil {
		return Trail{}, errTrail
	}
	t := Trail{After: q.Get("after"), Until: until.UTC()}
	if t.After == "" || t.Token() != token {
		return Trail{}, errTrail
	}
	return t, nil
}

// Number is the place of a feed that counts its pages, or its records, from
// first on.
func (t Trail) Number(first int) (int, error) {
	if t.After == "" {
		return first, nil
	}
	n, err := strconv.Atoi(t.After)
	if err != nil || n <= first || strconv.Itoa(n) != t.After {
		return 0, errTrail
	}
	return n, nil
}
