package control

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"selvedge/internal/audit"
	"selvedge/internal/fabric"
)

// MaxTail is how many records AuditTail gives at the most.
const MaxTail = 1000

const defaultTail = 20

// AuditTailInput selects records of the trail. Empty members select all.
type AuditTailInput struct {
	MaxResults  int // 0: 20
	Operation   string
	ErrorCode   string
	AccessKeyID string
	Since       string // RFC 3339, to the second
}

// AuditTail returns the newest records of this server's trail, the oldest of
// them first. The root key sees all accounts and the calls that nobody signed;
// any other key its own account, in the Region that it asks in.
func (c *Control) AuditTail(ctx context.Context, caller fabric.Caller, in AuditTailInput) ([]json.RawMessage, error) {
	if c.trail == nil {
		return nil, fabric.Invalid("This server keeps no trail: its setting trail-file is none.")
	}
	f := audit.Filter{Operation: in.Operation, ErrorCode: in.ErrorCode, AccessKeyID: in.AccessKeyID}
	if !c.isRoot(caller) {
		f.Account, f.Region = caller.Account, caller.Region
	}
	if in.Since != "" {
		since, err := time.Parse(time.RFC3339, in.Since)
		if err != nil {
			return nil, fabric.InvalidField("since", "Member must be a time such as 2026-01-02T03:04:05Z")
		}
		f.Since = since
	}
	records, err := c.trail.Tail(ctx, cmp.Or(in.MaxResults, defaultTail), f)
	if records == nil {
		records = []json.RawMessage{}
	}
	return records, err
}
