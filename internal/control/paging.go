package control

import (
	"encoding/base64"
	"encoding/binary"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

// maxPage is the most results of one page, and how many there are when the
// caller does not say.
const maxPage = 100

// nextTokenLife is how long a nextToken can be used: 24 hours
// (https://docs.aws.amazon.com/appfabric/latest/api/API_ListAppBundles.html,
// checked 2026-11-22).
const nextTokenLife = 24 * time.Hour

// Paging asks for one page of a list.
type Paging struct {
	MaxResults int    // 1 to 100; 0: 100
	NextToken  string // of the page before; empty: the first page
}

// Page is one page of a list. Following NextToken shows every resource that
// exists throughout exactly once, whatever is created or deleted meanwhile.
type Page[T any] struct {
	Items     []T
	NextToken string // empty: no more
}

// page reads one page. The token is good for the same caller, operation and
// parent only.
func page[T any](c *Control, caller fabric.Caller, list string, p Paging,
	fetch func(after store.Mark, n int) ([]T, error), mark func(T) store.Mark,
) (Page[T], error) {
	n := p.MaxResults
	if n < 0 || n > maxPage {
		return Page[T]{}, fabric.InvalidField("maxResults", "Member must have value between 1 and %d", maxPage)
	}
	if n == 0 {
		n = maxPage
	}
	binding := caller.Account + "|" + caller.Region + "|" + list
	var after store.Mark
	if p.NextToken != "" {
		var ok bool
		if after, ok = c.openToken(binding, p.NextToken); !ok {
			return Page[T]{}, fabric.Invalid("InvalidToken: The nextToken has expired or is not of this list. Begin with the first page.")
		}
	}
	items, err := fetch(after, n+1)
	if err != nil {
		return Page[T]{}, err
	}
	if len(items) <= n {
		return Page[T]{Items: items}, nil
	}
	items = items[:n]
	return Page[T]{Items: items, NextToken: c.sealToken(binding, mark(items[n-1]))}, nil
}

// sealToken writes expiry, time and id of a place, encrypted and bound.
func (c *Control) sealToken(binding string, m store.Mark) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(c.now().Add(nextTokenLife).UnixMilli()))
	b = binary.BigEndian.AppendUint64(b, uint64(m.CreatedAt.UnixMilli()))
	b = append(b, m.ID...)
	return base64.RawURLEncoding.EncodeToString(c.pages.Seal(nil, nil, b, []byte(binding)))
}

func (c *Control) openToken(binding, token string) (store.Mark, bool) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil {
		return store.Mark{}, false
	}
	b, err := c.pages.Open(nil, nil, sealed, []byte(binding))
	if err != nil || len(b) < 16 {
		return store.Mark{}, false
	}
	expires := time.UnixMilli(int64(binary.BigEndian.Uint64(b)))
	created := time.UnixMilli(int64(binary.BigEndian.Uint64(b[8:])))
	return store.Mark{CreatedAt: created, ID: string(b[16:])}, c.now().Before(expires)
}
