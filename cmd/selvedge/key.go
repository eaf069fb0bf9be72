package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// keyCmd is the commands over access keys.
type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Make an access key and print it, once."`
	List   keyListCmd   `cmd:"" help:"List the access keys, without their secrets."`
	Revoke keyRevokeCmd `cmd:"" help:"Revoke an access key. What it signs is refused from then on."`
}

// keyInfo is an access key as the server shows it.
type keyInfo struct {
	ID        string `json:"accessKeyId"`
	Account   string `json:"account"`
	Policy    string `json:"policy"`
	CreatedAt string `json:"createdAt"`
	RevokedAt string `json:"revokedAt,omitempty"`
}

type keyCreateCmd struct {
	reach
	Account string `required:"" help:"Account that the key acts in, twelve digits." placeholder:"DIGITS"`
	Policy  string `required:"" help:"What the key may do: a file with an IAM policy in JSON (- reads standard input), or AWSAppFabricReadOnlyAccess or AWSAppFabricFullAccess." placeholder:"FILE|NAME"`
	Profile string `help:"Print a profile of this name for a shared-credentials file instead of export lines." placeholder:"NAME"`
}

// Run makes the key.
func (c keyCreateCmd) Run(ctx context.Context, w world) error {
	policy, err := c.readPolicy(w)
	if err != nil {
		return err
	}
	if strings.ContainsAny(c.Profile, "[]\r\n") {
		return errors.New("--profile: a name without brackets and line breaks is needed")
	}
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	var answer struct {
		Key struct {
			ID     string `json:"accessKeyId"`
			Secret string `json:"secretAccessKey"`
		} `json:"accessKey"`
	}
	if err := a.call(ctx, "CreateKey", map[string]any{"account": c.Account, "policy": policy}, &answer); err != nil {
		return err
	}
	if c.Profile != "" {
		_, err = fmt.Fprintf(w.stdout, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", c.Profile, answer.Key.ID, answer.Key.Secret)
		return err
	}
	_, err = fmt.Fprintf(w.stdout, "export AWS_ACCESS_KEY_ID=%s\nexport AWS_SECRET_ACCESS_KEY=%s\n", shellQuote(answer.Key.ID), shellQuote(answer.Key.Secret))
	return err
}

// readPolicy is the text of a file, or the name of a managed policy.
func (c keyCreateCmd) readPolicy(w world) (string, error) {
	var text []byte
	var err error
	if c.Policy == "-" {
		text, err = io.ReadAll(w.stdin)
	} else {
		text, err = os.ReadFile(filepath.Clean(c.Policy))
	}
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(c.Policy, ".\\") {
		return c.Policy, nil // a name; the server knows which there are
	}
	if err != nil {
		return "", fmt.Errorf("read the policy: %w", err)
	}
	return string(text), nil
}

type keyListCmd struct {
	reach
	Account string `help:"Keys of this account only." placeholder:"DIGITS"`
	JSON    bool   `name:"json" help:"As JSON, with the whole policies."`
}

// Run lists the keys.
func (c keyListCmd) Run(ctx context.Context, w world) error {
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	keys := []keyInfo{}
	for in := map[string]any{}; ; {
		if c.Account != "" {
			in["account"] = c.Account
		}
		var page struct {
			Keys      []keyInfo `json:"accessKeys"`
			NextToken string    `json:"nextToken"`
		}
		if err := a.call(ctx, "ListKeys", in, &page); err != nil {
			return err
		}
		keys = append(keys, page.Keys...)
		if page.NextToken == "" {
			break
		}
		in["nextToken"] = page.NextToken
	}
	if c.JSON {
		return show(w.stdout, keys)
	}
	t := tabwriter.NewWriter(w.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ACCESS KEY\tACCOUNT\tCREATED\tREVOKED\tPOLICY")
	for _, k := range keys {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.ID, k.Account, k.CreatedAt, firstOf(k.RevokedAt, "-"), k.summary())
	}
	return t.Flush()
}

// summary is the policy in few words.
func (k keyInfo) summary() string {
	if json.Valid([]byte(k.Policy)) {
		return "JSON, see --json"
	}
	return k.Policy
}

type keyRevokeCmd struct {
	reach
	ID string `arg:"" name:"id" help:"Access key ID."`
}

// Run revokes the key.
func (c keyRevokeCmd) Run(ctx context.Context, w world) error {
	a, err := c.connect(w, "")
	if err != nil {
		return err
	}
	return a.call(ctx, "RevokeKey", map[string]any{"accessKeyId": c.ID}, &struct{}{})
}
