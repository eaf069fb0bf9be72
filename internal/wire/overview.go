package wire

import (
	"selvedge/internal/control"
	"selvedge/internal/fabric"
	"selvedge/internal/store"
)

type overviewAnswer struct {
	Counts      map[fabric.Standing]int64 `json:"counts"`
	Connections []connection              `json:"connections"`
	NextToken   string                    `json:"nextToken,omitempty"`
}

// connection is an authorization and the ingestion that reads with it.
type connection struct {
	Standing     string             `json:"standing"`
	ARN          string             `json:"appAuthorizationArn"`
	App          string             `json:"app"`
	Tenant       tenantOut          `json:"tenant"`
	Status       string             `json:"status"`
	Reason       string             `json:"reason,omitempty"`
	Ingestion    string             `json:"ingestionArn,omitempty"`
	State        string             `json:"state,omitempty"`
	CreatedAt    *timestamp         `json:"createdAt,omitempty"` // of the ingestion
	Destinations int64              `json:"destinations"`
	Failed       *failedDestination `json:"failedDestination,omitempty"`
	Stream       *failingStream     `json:"failingStream,omitempty"`
	ReadTo       *timestamp         `json:"readTo,omitempty"`            // all before it is read
	Undelivered  *timestamp         `json:"oldestUndelivered,omitempty"` // since when something is to be delivered
	LastAt       *timestamp         `json:"lastRecordsAt,omitempty"`     // when records came last
	Volume       []volume           `json:"volume"`                      // of the last day; hours without records are left out
}

type failedDestination struct {
	ARN    string `json:"arn"`
	Reason string `json:"statusReason"`
}

type failingStream struct {
	Name      string     `json:"name"`
	LastError string     `json:"lastError"`
	PollDue   *timestamp `json:"pollDue,omitempty"`
}

type volume struct {
	Hour    timestamp `json:"hour"` // its beginning
	Records int64     `json:"records"`
}

func overviewOut(o control.Overview) overviewAnswer {
	out := overviewAnswer{Counts: make(map[fabric.Standing]int64), NextToken: o.Connections.NextToken}
	for _, s := range fabric.Standings() {
		out.Counts[s] = o.Counts[s]
	}
	out.Connections = each(o.Connections, connectionOut)
	return out
}

func connectionOut(c store.Connection) connection {
	a := authorizationSummaryOut(c.Authorization)
	out := connection{
		Standing: string(c.Standing), ARN: a.ARN, App: a.App, Tenant: a.Tenant, Status: a.Status, Reason: c.Authorization.Reason,
		Destinations: c.Destinations, Volume: over(c.Volumes, func(v store.Volume) volume { return volume{timestamp(v.Hour), v.Records} }),
	}
	if c.Ingestion.ID == "" {
		return out
	}
	out.Ingestion, out.State, out.CreatedAt = c.Ingestion.ARN().String(), string(c.Ingestion.State), moment(c.Ingestion.CreatedAt)
	out.ReadTo, out.Undelivered, out.LastAt = moment(c.ReadTo), moment(c.Owed), moment(c.LastAt)
	if c.Failed.ID != "" {
		out.Failed = &failedDestination{c.Failed.ARN().String(), c.Failed.Reason}
	}
	if c.Stream != "" {
		out.Stream = &failingStream{c.Stream, c.StreamError, moment(c.StreamDue)}
	}
	return out
}
