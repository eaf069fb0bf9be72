package console

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// trailRecord is a record of the trail, in the shape of CloudTrail's.
type trailRecord struct {
	Time      time.Time `json:"eventTime"`
	Operation string    `json:"eventName"`
	Source    string    `json:"eventSource"`
	Region    string    `json:"awsRegion"`
	Address   string    `json:"sourceIPAddress"`
	Agent     string    `json:"userAgent"`
	ErrorCode string    `json:"errorCode"`
	Message   string    `json:"errorMessage"`
	RequestID string    `json:"requestID"`
	ReadOnly  bool      `json:"readOnly"`
	Account   string    `json:"recipientAccountId"`
	Who       struct {
		Type string `json:"type"`
		Key  string `json:"accessKeyId"`
	} `json:"userIdentity"`
	Parameters json.RawMessage `json:"requestParameters"`
	Elements   json.RawMessage `json:"responseElements"`

	About    string // the message, as far as there is room
	Asked    excerpt
	Answered excerpt
}

// Sent says whether the excerpt of what was asked for has anything.
func (r trailRecord) Sent() bool { return r.Asked.Text != "" && r.Asked.Text != "null" }

// Told is the same of what was answered.
func (r trailRecord) Told() bool { return r.Answered.Text != "" && r.Answered.Text != "null" }

type trailPage struct {
	refusal
	Operation field
	Error     field
	Key       field
	Since     field
	Counts    []choice
	Records   []trailRecord
	Count     string // that was asked for; empty: the default
	Filtered  bool
}

// The bounds of a page of the trail.
const (
	defaultRecords = 25
	maxRecords     = 50 << 10 // bytes of messages, and of what was asked for and answered, of all records
	maxAgent       = 100
)

// trail shows the newest calls of this server, the newest first. What fits a
// filter may be rare, and the trail long: the page is not kept up to date.
func trail(v *visit) (page, error) {
	q := v.r.URL.Query()
	d := trailPage{
		Operation: field{Name: "operation", Label: "Operation", Type: "text", Value: q.Get("operation"), Hint: "Such as CreateIngestion."},
		Error:     field{Name: "error", Label: "Ended with", Type: "text", Value: q.Get("error"), Hint: "Such as AccessDeniedException."},
		Key:       field{Name: "key", Label: "Access key", Type: "text", Value: q.Get("key")},
		Since:     field{Name: "since", Label: "Since (UTC)", Type: "datetime-local", Value: q.Get("since")},
	}
	n := defaultRecords
	if asked, err := strconv.Atoi(q.Get("n")); err == nil && slices.Contains(trailCounts(), asked) {
		n, d.Count = asked, q.Get("n")
	}
	in := members{"maxResults": n}
	filter := []string{}
	for member, f := range map[string]field{"operation": d.Operation, "errorCode": d.Error, "accessKeyId": d.Key, "since": d.Since} {
		if f.Value == "" {
			continue
		}
		in[member], d.Filtered = f.Value, true
		filter = append(filter, f.Name, f.Value)
	}
	if d.Since.Value != "" {
		in["since"] = instant(d.Since.Value)
	}
	for _, n := range trailCounts() {
		text := strconv.Itoa(n)
		d.Counts = append(d.Counts, choice{text, "/console/trail" + query(append(filter, "n", text)...), n == in["maxResults"]})
	}
	var answer struct {
		Records []trailRecord `json:"records"`
	}
	if err := v.do("AuditTail", in, &answer); err != nil {
		d.refusal, err = refused(err, map[string]string{"operation": "operation", "errorCode": "error", "accessKeyId": "key", "since": "since"})
		if err != nil {
			return page{}, err
		}
		d.into(&d.Operation, &d.Error, &d.Key, &d.Since)
	}
	d.Records = answer.Records
	slices.Reverse(d.Records)
	for n := range d.Records {
		r := &d.Records[n]
		room := maxRecords / len(d.Records) / 3
		r.About, r.Agent = excerptOf(r.Message, room).String(), excerptOf(r.Agent, maxAgent).String()
		r.Asked, r.Answered = excerptOf(pretty(r.Parameters), room), excerptOf(pretty(r.Elements), room)
	}
	return page{name: "trail", status: d.status(), Title: "Trail", Data: d}, nil
}

func trailCounts() []int { return []int{10, defaultRecords, 50} }
