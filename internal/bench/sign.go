package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// call is a request that is signed already, to be sent any number of times while
// its signature is good. So the load does not sign while it is measured.
type call struct {
	method, url string
	header      http.Header
	body        []byte
}

// newCall signs a request as the SDKs do.
func newCall(ctx context.Context, key aws.Credentials, method, url string, body []byte) (call, error) {
	c := call{method: method, url: url, body: body}
	req, err := c.request(ctx, url)
	if err != nil {
		return c, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, key, req, hex.EncodeToString(sum[:]), "appfabric", region, time.Now()); err != nil {
		return c, err
	}
	c.header = req.Header
	return c, nil
}

// request is the call as a request to a URL, its own or a peer's.
func (c call) request(ctx context.Context, url string) (*http.Request, error) {
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, url, body)
	if err == nil && c.header != nil {
		req.Header = c.header.Clone()
	}
	return req, err
}
