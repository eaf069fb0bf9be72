package audit

import (
	"encoding/json"
	"net"
	"strings"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// Call is one call of the API. Nothing in it may be secret: all of it is
// recorded.
type Call struct {
	RequestID string
	Time      time.Time     // when the call was answered
	Source    string        // the service, such as "appfabric.amazonaws.com"
	Operation string        // empty where there is no such operation
	ReadOnly  bool          // the operation changes nothing
	Caller    fabric.Caller // zero where the call was not authenticated
	User      string        // name of the caller's IAM user; empty: the root of the account
	SourceIP  string        // address of the connection, with or without its port
	UserAgent string

	ErrorCode    string // empty on success
	ErrorMessage string

	Parameters map[string]any // nil: none
	Elements   map[string]any // nil: none
}

// record is a Call in the trail.
type record struct {
	EventVersion        string         `json:"eventVersion"`
	UserIdentity        identity       `json:"userIdentity"`
	EventTime           string         `json:"eventTime"`
	EventSource         string         `json:"eventSource"`
	EventName           string         `json:"eventName"`
	AWSRegion           string         `json:"awsRegion"`
	SourceIPAddress     string         `json:"sourceIPAddress"`
	UserAgent           string         `json:"userAgent"`
	ErrorCode           string         `json:"errorCode,omitempty"`
	ErrorMessage        string         `json:"errorMessage,omitempty"`
	RequestParameters   any            `json:"requestParameters"`
	ResponseElements    any            `json:"responseElements"`
	AdditionalEventData map[string]any `json:"additionalEventData,omitempty"`
	RequestID           string         `json:"requestID"`
	EventID             string         `json:"eventID"`
	ReadOnly            bool           `json:"readOnly"`
	EventType           string         `json:"eventType"`
	ManagementEvent     bool           `json:"managementEvent"`
	RecipientAccountID  string         `json:"recipientAccountId,omitempty"`
	EventCategory       string         `json:"eventCategory"`
}

// identity is who called
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html,
// checked 2026-11-22).
type identity struct {
	Type        string `json:"type"`
	PrincipalID string `json:"principalId,omitempty"`
	ARN         string `json:"arn,omitempty"`
	AccountID   string `json:"accountId,omitempty"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	UserName    string `json:"userName,omitempty"`
}

// CloudTrail's own limits of what a record holds.
const (
	eventVersion = "1.08"
	maxText      = 1 << 10   // bytes of the user agent and of the error's message
	maxElements  = 100 << 10 // bytes of parameters, and of elements
)

func recordOf(c Call, extra map[string]any) record {
	return record{
		EventVersion: eventVersion, UserIdentity: identityOf(c), EventTime: c.Time.UTC().Format(time.RFC3339),
		EventSource: c.Source, EventName: c.Operation, AWSRegion: c.Caller.Region,
		SourceIPAddress: host(c.SourceIP), UserAgent: cut(c.UserAgent), ErrorCode: c.ErrorCode, ErrorMessage: cut(c.ErrorMessage),
		RequestParameters: bounded(c.Parameters), ResponseElements: bounded(c.Elements), AdditionalEventData: extra,
		RequestID: c.RequestID, EventID: uuid.NewString(), ReadOnly: c.ReadOnly, EventType: "AwsApiCall",
		ManagementEvent: true, RecipientAccountID: c.Caller.Account, EventCategory: "Management",
	}
}

// identityOf tells nothing of a caller who was not authenticated: what such a
// call says of itself may be anybody's.
func identityOf(c Call) identity {
	if c.Caller.Account == "" {
		return identity{Type: "Unknown"}
	}
	partition, _, _ := strings.Cut(strings.TrimPrefix(fabric.ARN{Region: c.Caller.Region}.String(), "arn:"), ":")
	account := "arn:" + partition + ":iam::" + c.Caller.Account + ":"
	who := identity{
		Type: "Root", PrincipalID: c.Caller.Account, ARN: account + "root",
		AccountID: c.Caller.Account, AccessKeyID: c.Caller.AccessKeyID,
	}
	if c.User != "" {
		who.Type, who.PrincipalID, who.ARN, who.UserName = "IAMUser", c.User, account+"user/"+c.User, c.User
	}
	return who
}

// host is an address without its port.
func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}

func cut(text string) string {
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "") + "..."
}

// bounded is what a record has of parameters or elements: null for none, and
// for those that are too large how large they are.
func bounded(values map[string]any) any {
	if len(values) == 0 {
		return nil
	}
	encoded, err := json.Marshal(values)
	if err != nil {
		return map[string]any{"omitted": true, "reason": "the value could not be encoded"}
	}
	if len(encoded) > maxElements {
		return map[string]any{"omitted": true, "originalSize": len(encoded), "reason": "the value is larger than 100 KiB"}
	}
	return json.RawMessage(encoded)
}
