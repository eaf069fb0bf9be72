package wire

import (
	"context"
	"encoding/json"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// administration is the table of what is Selvedge's own, beside AWS's API: JSON
// in and JSON out (of Backup, a file) by POST, signed like any request, and authorised as
// selvedge:<Operation>.
func administration() []operation {
	const at = "/selvedge/v1/"
	return []operation{
		{"POST", at + "CreateKey", "CreateKey", 201, 0, createKeyRequest(), createKey},
		{"POST", at + "ListKeys", "ListKeys", 200, 0, listKeysRequest(), listKeys},
		{"POST", at + "RevokeKey", "RevokeKey", 200, notFound, revokeKeyRequest(), revokeKey},
		{"POST", at + "ShowOverview", "ShowOverview", 200, 0, showOverviewRequest(), showOverview},
		{"POST", at + "ShowAuthorization", "ShowAuthorization", 200, notFound, showRequest(), showAuthorization},
		{"POST", at + "ShowIngestion", "ShowIngestion", 200, notFound, showRequest(), showIngestion},
		{"POST", at + "ReadEvents", "ReadEvents", 200, notFound, readEventsRequest(), readEvents},
		{"POST", at + "Backfill", "Backfill", 200, notFound, backfillRequest(), backfill},
		{"POST", at + "ShowBackfill", "ShowBackfill", 200, notFound, showBackfillRequest(), showBackfill},
		{"POST", at + "Rewrap", "Rewrap", 200, 0, rewrapRequest(), rewrap},
		{"POST", at + "Backup", "Backup", 200, 0, nil, backup},
		{"POST", at + "AuditTail", "AuditTail", 200, 0, auditTailRequest(), auditTail},
	}
}

func account() shape { return shape{kind: text, pattern: whole(`[0-9]{12}`)} }

// createKeyRequest: 131,072 is what package iam reads, white space included.
func createKeyRequest() []member {
	return []member{must("account", account()), must("policy", stringOf(1, 131072))}
}

func listKeysRequest() []member {
	return []member{
		may("account", account()), may("maxResults", shape{kind: integer, min: 1, max: 100}), may("nextToken", stringOf(1, 2048)),
	}
}

func revokeKeyRequest() []member { return []member{must("accessKeyId", stringOf(1, 128))} }

func showOverviewRequest() []member {
	var standings []string
	for _, s := range fabric.Standings() {
		standings = append(standings, string(s))
	}
	return []member{
		may("standing", enumOf(standings...)), may("maxResults", shape{kind: integer, min: 1, max: 100}), may("nextToken", stringOf(1, 2048)),
	}
}

func showRequest() []member { return []member{must("resourceArn", arn())} }

// readEventsRequest: eventId is of one that was read before.
func readEventsRequest() []member {
	return []member{
		must("resourceArn", arn()), may("stream", stringOf(1, 128)),
		may("maxResults", shape{kind: integer, min: 1, max: control.MaxEvents}), may("eventId", stringOf(1, 64)),
	}
}

// backfillRequest: read says what is read of the window: what is missing, or all.
func backfillRequest() []member {
	return []member{
		must("resourceArn", arn()), must("from", stringOf(1, 64)), must("to", stringOf(1, 64)),
		may("read", shape{kind: text, pattern: whole(`missing|all`)}),
	}
}

func showBackfillRequest() []member {
	return []member{must("resourceArn", arn()), must("backfillId", stringOf(1, 64))}
}

func auditTailRequest() []member {
	return []member{
		may("maxResults", shape{kind: integer, min: 1, max: control.MaxTail}), may("operation", stringOf(1, 128)),
		may("errorCode", stringOf(1, 128)), may("accessKeyId", stringOf(1, 128)),
		may("since", shape{kind: text, pattern: whole(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`)}),
	}
}

func rewrapRequest() []member { return []member{may("after", stringOf(1, 128))} }

// rewrap does one step; its answer says where the next goes on.
func rewrap(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	s, err := c.Rewrap(ctx, caller, in.text("after"))
	return rewrapOut(s), err
}

func createKey(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	k, secret, err := c.CreateKey(ctx, caller, control.CreateKeyInput{Account: in.text("account"), Policy: in.text("policy")})
	return newAccessKeyAnswer{newAccessKey{keyOut(k), secret.Reveal()}}, err
}

func listKeys(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	p, err := c.ListKeys(ctx, caller, in.text("account"), in.paging())
	return accessKeysAnswer{each(p, keyOut), p.NextToken}, err
}

func revokeKey(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return empty{}, c.RevokeKey(ctx, caller, in.text("accessKeyId"))
}

func showOverview(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	o, err := c.ShowOverview(ctx, caller, fabric.Standing(in.text("standing")), in.paging())
	return overviewOut(o), err
}

func showAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	s, err := c.ShowAuthorization(ctx, caller, in.text("resourceArn"))
	return authorizationStateOut(s), err
}

func showIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	s, err := c.ShowIngestion(ctx, caller, in.text("resourceArn"))
	return ingestionStateOut(s), err
}

func readEvents(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	found, err := c.ReadEvents(ctx, caller, control.ReadEventsInput{
		ARN: in.text("resourceArn"), Stream: in.text("stream"), MaxResults: in.paging().MaxResults, EventID: in.text("eventId"),
	})
	return eventsOut(found), err
}

func backfill(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	s, err := c.Backfill(ctx, caller, control.BackfillInput{
		ARN: in.text("resourceArn"), From: in.text("from"), To: in.text("to"), Again: in.text("read") == "all",
	})
	return backfillOut(s), err
}

func showBackfill(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	s, err := c.ShowBackfill(ctx, caller, in.text("resourceArn"), in.text("backfillId"))
	return backfillOut(s), err
}

// trailAnswer is the records as they stand in the trail.
type trailAnswer struct {
	Records []json.RawMessage `json:"records"`
}

func auditTail(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	records, err := c.AuditTail(ctx, caller, control.AuditTailInput{
		MaxResults: in.paging().MaxResults, Operation: in.text("operation"), ErrorCode: in.text("errorCode"),
		AccessKeyID: in.text("accessKeyId"), Since: in.text("since"),
	})
	return trailAnswer{Records: records}, err
}
