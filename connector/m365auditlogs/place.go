package m365auditlogs

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"
)

// place is where a poll stands, or where the next one begins.
//
// A poll lists what became available from From on, a day at a time, up to Until;
// the blobs of a page of the list are fetched before the next page is asked
// for. Between two polls Until is zero. The last minutes of a poll are listed
// again by the next one, in case a blob shows a little after its own time
// (unverified); Old and New are what is known of blobs in that span, so that none
// is fetched twice for it.
type place struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"` // of the interval being listed
	Until time.Time `json:"until,omitzero"`
	Next  string    `json:"next,omitempty"`  // query of the next page of the list
	Blobs []string  `json:"blobs,omitempty"` // to be fetched
	Old   []string  `json:"old,omitempty"`   // fetched by the poll before
	New   []string  `json:"new,omitempty"`   // fetched by this one, for the next
}

const (
	listMax = 23 * time.Hour   // widest interval of one listing: a little less than the day that is allowed
	again   = 10 * time.Minute // how much of a poll the next one lists again
)

var errPlace = errors.New("the stored place is none of this feed's")

func (p place) token() string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // times of four-digit years and strings always marshal
	}
	return string(b)
}

// parsePlace reads what token wrote.
func parsePlace(token string) (place, error) {
	var p place
	d := json.NewDecoder(bytes.NewReader([]byte(token)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil || p.token() != token || slices.ContainsFunc(p.Blobs, strange) {
		return place{}, errPlace
	}
	return p, nil
}

// strange says that no blob of ours is called so.
func strange(id string) bool {
	return id == "" || id == "." || id == ".." || strings.ContainsAny(id, "/?#\\")
}

// mark is what a blob is known again by.
func mark(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base64.RawURLEncoding.EncodeToString(sum[:6])
}

// take notes a blob of the list: to be fetched, unless the poll before has.
func (p *place) take(id string, created time.Time) {
	m := mark(id)
	if !created.Before(p.Until.Add(-again)) {
		p.New = append(p.New, m)
	}
	if !slices.Contains(p.Old, m) {
		p.Blobs = append(p.Blobs, id)
	}
}

// forget takes back that a blob was fetched.
func (p *place) forget(id string) {
	p.New = slices.DeleteFunc(p.New, func(m string) bool { return m == mark(id) })
}

// listed says whether all of the list has been read.
func (p *place) listed() bool { return p.Next == "" && !p.To.Before(p.Until) }

// interval opens the next one once the one before is listed to its end.
func (p *place) interval() {
	if p.Next == "" && len(p.Blobs) == 0 {
		p.From = p.To
		p.bound()
	}
}

// bound ends the interval as far behind its beginning as may be asked for.
func (p *place) bound() {
	p.To = p.From.Add(listMax)
	if p.To.After(p.Until) {
		p.To = p.Until
	}
}

// clamp lets an interval that is to be listed begin no earlier than oldest: a
// poll that rested for days would ask for what is not kept.
func (p *place) clamp(oldest time.Time) {
	if p.Next != "" || len(p.Blobs) > 0 || !p.From.Before(oldest) {
		return
	}
	p.From = oldest
	if !p.Until.After(oldest) {
		p.Until = oldest.Add(time.Second)
	}
	p.bound()
}
