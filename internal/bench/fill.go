package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"
)

// newBundle makes the bundle that all authorizations are in.
func newBundle(ctx context.Context, s *server) (id string, err error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var made struct{ AppBundle struct{ Arn string } }
	err = ask(ctx, s, client, http.MethodPost, "/appbundles", fmt.Appendf(nil, `{"clientToken":%q}`, uuid.NewString()), &made)
	return lastPart(made.AppBundle.Arn), err
}

// ask signs and sends one request and reads the JSON of its answer.
func ask(ctx context.Context, s *server, client *http.Client, method, path string, body []byte, out any) error {
	c, err := newCall(ctx, s.key, method, s.url+path, body)
	if err != nil {
		return err
	}
	req, err := c.request(ctx, c.url)
	if err != nil {
		return err
	}
	answer, err := do(client, req)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// lastPart is the UUID at the end of an ARN.
func lastPart(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }

// authorization asks for one that there is not yet: no other call has its set
// and number.
func authorization(set string, i int) []byte {
	return fmt.Appendf(nil, `{"app":"OKTA","authType":"oauth2","clientToken":%[3]q,`+
		`"credential":{"oauth2Credential":{"clientId":"0oa%[2]d","clientSecret":"secret of %[2]d"}},`+
		`"tenant":{"tenantIdentifier":"%[1]s-%[2]d.okta.com","tenantDisplayName":"Tenant %[2]d"}}`, set, i, uuid.NewString())
}

func (l *loads) path() string { return "/appbundles/" + l.bundle + "/appauthorizations" }

// fill creates authorizations, as many at once as the load has connections,
// until there are size of them.
func (l *loads) fill(ctx context.Context, size int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: apiClients}}
	defer client.CloseIdleConnections()
	var next atomic.Int64
	next.Store(int64(len(l.ids)))
	ids, errs := make([][]string, apiClients), make([]error, apiClients)
	var wait sync.WaitGroup
	for w := range apiClients {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(size) && errs[w] == nil; i = next.Add(1) {
				var made struct {
					AppAuthorization struct{ AppAuthorizationArn string }
				}
				errs[w] = ask(ctx, l.s, client, http.MethodPost, l.path(), authorization("fill", int(i)), &made)
				ids[w] = append(ids[w], lastPart(made.AppAuthorization.AppAuthorizationArn))
			}
			if errs[w] != nil {
				cancel()
			}
		})
	}
	wait.Wait()
	l.ids = append(l.ids, slices.Concat(ids...)...)
	return errors.Join(errs...)
}

// gets reads authorizations from all over the list.
func (l *loads) gets(ctx context.Context) ([]call, error) {
	var calls []call
	n := min(len(l.ids), apiReads)
	for i := range n {
		c, err := newCall(ctx, l.s.key, http.MethodGet, l.s.url+l.path()+"/"+l.ids[i*len(l.ids)/n], nil)
		if err != nil {
			return nil, err
		}
		calls = append(calls, c)
	}
	return calls, nil
}

// pages goes through the list, and fails unless it shows each authorization
// once. The calls ask for each full page; for the only one of a short list.
func (l *loads) pages(ctx context.Context) ([]call, error) {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	var calls []call
	seen := map[string]bool{}
	for token, more := "", true; more; more = token != "" {
		path := fmt.Sprintf("%s?maxResults=%d", l.path(), apiPage)
		if token != "" {
			path += "&nextToken=" + url.QueryEscape(token)
		}
		var page struct {
			AppAuthorizationSummaryList []struct{ AppAuthorizationArn string }
			NextToken                   string
		}
		if err := ask(ctx, l.s, client, http.MethodGet, path, nil, &page); err != nil {
			return nil, err
		}
		for _, a := range page.AppAuthorizationSummaryList {
			seen[a.AppAuthorizationArn] = true
		}
		c, err := newCall(ctx, l.s.key, http.MethodGet, l.s.url+path, nil)
		if err != nil {
			return nil, err
		}
		calls, token = append(calls, c), page.NextToken
	}
	if len(seen) != len(l.ids) {
		return nil, fmt.Errorf("the list has %d authorizations, and %d were made", len(seen), len(l.ids))
	}
	return calls, nil
}

// creates are requests for authorizations that there are not yet.
func (l *loads) creates(ctx context.Context, round int) ([]call, error) {
	calls := make([]call, apiCreates)
	for i := range calls {
		var err error
		if calls[i], err = newCall(ctx, l.s.key, http.MethodPost, l.s.url+l.path(), authorization(fmt.Sprintf("round%d", round), i)); err != nil {
			return nil, err
		}
	}
	return calls, nil
}
