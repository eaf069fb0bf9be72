package wire

import (
	"encoding/json"
	"strings"
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

type accessKey struct {
	ID        string     `json:"accessKeyId"`
	Account   string     `json:"account"`
	Policy    string     `json:"policy"`
	CreatedAt timestamp  `json:"createdAt"`
	RevokedAt *timestamp `json:"revokedAt,omitempty"`
}

type accessKeysAnswer struct {
	List      []accessKey `json:"accessKeys"`
	NextToken string      `json:"nextToken,omitempty"`
}

// newAccessKey is the one answer that has a secret of the server's making.
type newAccessKey struct {
	accessKey
	Secret string `json:"secretAccessKey"`
}

type newAccessKeyAnswer struct {
	AccessKey newAccessKey `json:"accessKey"`
}

type grantEvent struct {
	At         timestamp `json:"at"`
	Event      string    `json:"event"`
	Generation int64     `json:"generation"`
	Version    int64     `json:"version"`
	Replica    string    `json:"replica"`
	Detail     string    `json:"detail,omitempty"`
}

type authorizationState struct {
	ARN        string       `json:"appAuthorizationArn"`
	BundleARN  string       `json:"appBundleArn"`
	App        string       `json:"app"`
	Tenant     tenantOut    `json:"tenant"`
	AuthType   string       `json:"authType"`
	Status     string       `json:"status"`
	Reason     string       `json:"reason,omitempty"`
	Generation int64        `json:"generation"`
	Version    int64        `json:"version"`
	ExpiresAt  *timestamp   `json:"expiresAt,omitempty"`
	RefreshDue *timestamp   `json:"refreshDue,omitempty"`
	CreatedAt  timestamp    `json:"createdAt"`
	UpdatedAt  timestamp    `json:"updatedAt"`
	Lineage    []grantEvent `json:"lineage"`
	Ingestion  string       `json:"ingestionArn,omitempty"`
	Requires   *required    `json:"requires,omitempty"`
}

// required is another application that an ingestion needs connected as well.
type required struct {
	App    string `json:"app"`
	ARN    string `json:"appAuthorizationArn,omitempty"` // none: there is no authorization of it for the tenant
	Status string `json:"status,omitempty"`
}

type authorizationStateAnswer struct {
	Authorization authorizationState `json:"authorization"`
}

type covered struct {
	From    timestamp `json:"from"`
	To      timestamp `json:"to"`
	Pages   int64     `json:"pages"`
	Records int64     `json:"records"`
}

type gap struct {
	From    timestamp  `json:"from"`
	To      timestamp  `json:"to"`
	Reason  string     `json:"reason"`
	FoundAt timestamp  `json:"foundAt"`
	TryAt   *timestamp `json:"tryAt,omitempty"` // none: it is not tried again
}

// lateness is how late records have shown, in seconds.
type lateness struct {
	Records int64 `json:"records"`
	P50     int64 `json:"p50"`
	P99     int64 `json:"p99"`
	P999    int64 `json:"p999"`
}

type backfillStream struct {
	Name      string     `json:"name"`
	DoneTo    timestamp  `json:"doneTo"` // all before is done
	Pages     int64      `json:"pages"`
	Records   int64      `json:"records"` // that had not been taken in
	EndedAt   *timestamp `json:"endedAt,omitempty"`
	LastError string     `json:"lastError,omitempty"`
}

type backfillState struct {
	ID      string           `json:"backfillId"`
	From    timestamp        `json:"from"`
	To      timestamp        `json:"to"`
	Read    string           `json:"read"`
	Ended   bool             `json:"ended"`
	Streams []backfillStream `json:"streams"`
}

type backfillAnswer struct {
	Backfill backfillState `json:"backfill"`
}

type streamState struct {
	Name      string     `json:"name"`
	Cursor    *timestamp `json:"cursor,omitempty"`
	Watermark *timestamp `json:"watermark,omitempty"`
	PollDue   *timestamp `json:"pollDue,omitempty"`
	Attempt   int64      `json:"attempt"`
	LastError string     `json:"lastError,omitempty"`
	Lateness  lateness   `json:"latenessSeconds"`
	Coverage  []covered  `json:"coverage"`
	Gaps      []gap      `json:"gaps"`
}

type backlog struct {
	Batches int64      `json:"batches"`
	Records int64      `json:"records"`
	Oldest  *timestamp `json:"oldest,omitempty"`
}

type destinationState struct {
	ARN         string        `json:"arn"`
	Processing  processingOut `json:"processingConfiguration"`
	Place       placeOut      `json:"destinationConfiguration"`
	Status      string        `json:"status"`
	Reason      string        `json:"statusReason,omitempty"`
	Backlog     backlog       `json:"backlog"`
	DeliveryDue *timestamp    `json:"deliveryDue,omitempty"`
	LastError   string        `json:"lastError,omitempty"`
	Undelivered int64         `json:"undeliveredRecords,omitempty"` // each too large for the destination
}

type ingestionState struct {
	ingestion
	Streams      []streamState      `json:"streams"`
	Backfills    []backfillState    `json:"backfills"`
	Destinations []destinationState `json:"destinations"`
}

type ingestionStateAnswer struct {
	Ingestion ingestionState `json:"ingestion"`
}

// event is a record that is kept, as text, and what a destination gets of it.
type event struct {
	ID          string          `json:"eventId"`
	Stream      string          `json:"stream"`
	Time        *timestamp      `json:"time,omitempty"`
	CollectedAt *timestamp      `json:"collectedAt,omitempty"` // none: its batch is open
	Raw         string          `json:"raw"`
	Cut         bool            `json:"cut,omitempty"` // raw is a beginning, and there is no OCSF
	OCSF        json.RawMessage `json:"ocsf,omitempty"`
	Base        bool            `json:"base,omitempty"` // no mapping fits: ocsf is a base event
}

type eventsAnswer struct {
	Events []event `json:"events"`
	Note   string  `json:"note,omitempty"` // why there is nothing, or not more
}

type rewrapAnswer struct {
	Total  int64          `json:"total"`
	Done   int64          `json:"done"`
	Left   int64          `json:"left"`
	Next   string         `json:"next,omitempty"`
	Failed []rewrapFailed `json:"failed"`
}

type rewrapFailed struct {
	ARN    string `json:"arn"`
	Reason string `json:"reason"`
}

func rewrapOut(s control.RewrapState) rewrapAnswer {
	out := rewrapAnswer{Total: s.Total, Done: s.Total - s.Left, Left: s.Left, Next: s.Next, Failed: []rewrapFailed{}}
	for _, f := range s.Failed {
		out.Failed = append(out.Failed, rewrapFailed(f))
	}
	return out
}

func eventsOut(found control.Events) eventsAnswer {
	out := eventsAnswer{Events: []event{}, Note: found.Note}
	for _, e := range found.Events {
		out.Events = append(out.Events, event{
			ID: e.ID, Stream: e.Stream, Time: moment(e.Time), CollectedAt: moment(e.CollectedAt),
			Raw: string(e.Raw), Cut: e.Cut, OCSF: e.OCSF, Base: e.Base,
		})
	}
	return out
}

// moment is a time that may be missing.
func moment(t time.Time) *timestamp {
	if t.IsZero() {
		return nil
	}
	out := timestamp(t)
	return &out
}

func keyOut(k fabric.AccessKey) accessKey {
	return accessKey{ID: k.ID, Account: k.Account, Policy: k.Policy, CreatedAt: timestamp(k.CreatedAt), RevokedAt: moment(k.RevokedAt)}
}

func authorizationStateOut(s control.AuthorizationState) authorizationStateAnswer {
	a := s.Authorization
	out := authorizationState{
		ARN: a.ARN().String(), BundleARN: a.BundleARN().String(), App: a.App, Tenant: tenantOut(a.Tenant),
		AuthType: string(a.AuthType), Status: string(a.Status), Reason: a.Reason,
		Generation: a.Generation, Version: s.Version, ExpiresAt: moment(s.ExpiresAt), RefreshDue: moment(s.RefreshDue),
		CreatedAt: timestamp(a.CreatedAt), UpdatedAt: timestamp(a.UpdatedAt), Lineage: []grantEvent{},
	}
	for _, e := range s.Lineage {
		out.Lineage = append(out.Lineage, grantEvent{
			At: timestamp(e.At), Event: string(e.Kind), Generation: e.Generation, Version: e.Version, Replica: e.Replica, Detail: e.Detail,
		})
	}
	if s.Ingestion != (fabric.ARN{}) {
		out.Ingestion = s.Ingestion.String()
	}
	if s.Requires.App != "" {
		out.Requires = &required{App: s.Requires.App, Status: string(s.Requires.Authorization.Status)}
		if s.Requires.Authorization.ID != "" {
			out.Requires.ARN = s.Requires.Authorization.ARN().String()
		}
	}
	return authorizationStateAnswer{out}
}

func ingestionStateOut(s control.IngestionState) ingestionStateAnswer {
	out := ingestionState{
		ingestion: ingestionOut(s.Ingestion).Ingestion, Streams: []streamState{}, Destinations: []destinationState{},
		Backfills: []backfillState{},
	}
	for _, b := range s.Backfills {
		out.Backfills = append(out.Backfills, backfillOut(b).Backfill)
	}
	for _, st := range s.Streams {
		out.Streams = append(out.Streams, streamStateOut(st))
	}
	for _, d := range s.Destinations {
		shown := destinationOut(d.Destination).IngestionDestination
		out.Destinations = append(out.Destinations, destinationState{
			ARN: shown.ARN, Processing: shown.Processing, Place: shown.Place, Status: shown.Status, Reason: shown.StatusReason,
			Backlog:     backlog{Batches: d.Backlog.Batches, Records: d.Backlog.Records, Oldest: moment(d.Backlog.Oldest)},
			DeliveryDue: moment(d.Backlog.Due), LastError: d.Backlog.LastError, Undelivered: d.Backlog.Undelivered,
		})
	}
	return ingestionStateAnswer{out}
}

func streamStateOut(s control.StreamState) streamState {
	out := streamState{
		Name: s.Name, Cursor: moment(s.Cursor), Watermark: moment(s.Watermark), PollDue: moment(s.Due),
		Attempt: s.Attempt, LastError: s.LastError, Coverage: []covered{}, Gaps: []gap{},
		Lateness: lateness{s.Known.Records, int64(s.Known.P50.Seconds()), int64(s.Known.P99.Seconds()), int64(s.Known.P999.Seconds())},
	}
	for _, c := range s.Coverage {
		out.Coverage = append(out.Coverage, covered{timestamp(c.From), timestamp(c.To), c.Pages, c.Records})
	}
	for _, g := range s.Gaps {
		out.Gaps = append(out.Gaps, gap{timestamp(g.From), timestamp(g.To), g.Reason, timestamp(g.FoundAt), moment(g.TryAt)})
	}
	return out
}

func backfillOut(s control.BackfillState) backfillAnswer {
	out := backfillState{ID: s.ID, From: timestamp(s.From), To: timestamp(s.To), Read: "missing", Ended: s.Ended(), Streams: []backfillStream{}}
	if s.Again {
		out.Read = "all"
	}
	for _, b := range s.Streams {
		_, name, _ := strings.Cut(b.StreamID, "/")
		out.Streams = append(out.Streams, backfillStream{
			Name: name, DoneTo: timestamp(b.At), Pages: b.Pages, Records: b.Records, EndedAt: moment(b.EndedAt), LastError: b.LastError,
		})
	}
	return backfillAnswer{out}
}
