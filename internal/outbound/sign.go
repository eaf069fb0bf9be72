package outbound

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"

	"selvedge/internal/fabric"
)

// Signer adds a credential to a request. It sees the request as it is meant for the provider, before Options.Origins,
// once for each time that it is sent, and may be called concurrently. It must not read or replace the body.
type Signer interface {
	Sign(ctx context.Context, r *http.Request) error
}

// Credential returns the credential in use: a token, a key, or "user:password" for basic. It is asked for each
// request, so that a token refreshed in between is taken.
type Credential func(ctx context.Context) (fabric.Secret, error)

// SignerByName returns the signing that an application's connector.Auth names: "bearer", "basic", or "header", which
// puts the bare credential into the named header.
func SignerByName(name, header string, credential Credential) (Signer, error) {
	switch name {
	case "bearer":
		return signer{"Authorization", func(s string) string { return "Bearer " + s }, credential}, nil
	case "basic":
		return signer{"Authorization", func(s string) string {
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(s))
		}, credential}, nil
	case "header":
		if header == "" {
			return nil, errors.New(`outbound: signing "header" without the name of a header`)
		}
		return signer{header, func(s string) string { return s }, credential}, nil
	}
	return nil, fmt.Errorf("outbound: no signing is called %q: want bearer, basic or header", name)
}

type signer struct {
	header     string
	spell      func(string) string
	credential Credential
}

// Sign sets the header.
func (s signer) Sign(ctx context.Context, r *http.Request) error {
	secret, err := s.credential(ctx)
	if err != nil {
		return err
	}
	if !validValue(secret.Reveal()) {
		return errors.New("the credential is empty or holds characters that a header cannot carry")
	}
	r.Header.Set(s.header, s.spell(secret.Reveal()))
	return nil
}

// validValue keeps out what net/http would refuse with an error that quotes nothing today and might tomorrow.
func validValue(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}
