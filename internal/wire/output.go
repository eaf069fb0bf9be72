package wire

import (
	"time"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// The shapes of the answers. Members that are empty are left out where the
// model does not require them.

type appBundle struct {
	ARN    string `json:"arn"`
	KeyARN string `json:"customerManagedKeyArn,omitempty"`
}

type appBundleAnswer struct {
	AppBundle appBundle `json:"appBundle"`
}

type summary struct {
	ARN string `json:"arn"`
}

type appBundlesAnswer struct {
	List      []summary `json:"appBundleSummaryList"`
	NextToken string    `json:"nextToken,omitempty"`
}

type tenantOut struct {
	Identifier  string `json:"tenantIdentifier"`
	DisplayName string `json:"tenantDisplayName"`
}

type appAuthorization struct {
	ARN       string    `json:"appAuthorizationArn"`
	BundleARN string    `json:"appBundleArn"`
	App       string    `json:"app"`
	Tenant    tenantOut `json:"tenant"`
	AuthType  string    `json:"authType"`
	Status    string    `json:"status"`
	CreatedAt timestamp `json:"createdAt"`
	UpdatedAt timestamp `json:"updatedAt"`
	Persona   string    `json:"persona"`
	AuthURL   string    `json:"authUrl,omitempty"`
}

type appAuthorizationAnswer struct {
	AppAuthorization appAuthorization `json:"appAuthorization"`
}

type appAuthorizationSummary struct {
	ARN       string    `json:"appAuthorizationArn"`
	BundleARN string    `json:"appBundleArn"`
	App       string    `json:"app"`
	Tenant    tenantOut `json:"tenant"`
	Status    string    `json:"status"`
	UpdatedAt timestamp `json:"updatedAt"`
}

type appAuthorizationSummaryAnswer struct {
	Summary appAuthorizationSummary `json:"appAuthorizationSummary"`
}

type appAuthorizationsAnswer struct {
	List      []appAuthorizationSummary `json:"appAuthorizationSummaryList"`
	NextToken string                    `json:"nextToken,omitempty"`
}

type ingestion struct {
	ARN       string    `json:"arn"`
	BundleARN string    `json:"appBundleArn"`
	App       string    `json:"app"`
	TenantID  string    `json:"tenantId"`
	CreatedAt timestamp `json:"createdAt"`
	UpdatedAt timestamp `json:"updatedAt"`
	State     string    `json:"state"`
	Type      string    `json:"ingestionType"`
}

type ingestionAnswer struct {
	Ingestion ingestion `json:"ingestion"`
}

type ingestionSummary struct {
	ARN      string `json:"arn"`
	App      string `json:"app"`
	TenantID string `json:"tenantId"`
	State    string `json:"state"`
}

type ingestionsAnswer struct {
	List      []ingestionSummary `json:"ingestions"`
	NextToken string             `json:"nextToken,omitempty"`
}

type processingOut struct {
	AuditLog struct {
		Schema string `json:"schema"`
		Format string `json:"format"`
	} `json:"auditLog"`
}

type s3Bucket struct {
	BucketName string `json:"bucketName"`
	Prefix     string `json:"prefix,omitempty"`
}

type firehoseStream struct {
	StreamName string `json:"streamName"`
}

type placeOut struct {
	AuditLog struct {
		Destination struct {
			S3Bucket       *s3Bucket       `json:"s3Bucket,omitempty"`
			FirehoseStream *firehoseStream `json:"firehoseStream,omitempty"`
		} `json:"destination"`
	} `json:"auditLog"`
}

type ingestionDestination struct {
	ARN          string        `json:"arn"`
	IngestionARN string        `json:"ingestionArn"`
	Processing   processingOut `json:"processingConfiguration"`
	Place        placeOut      `json:"destinationConfiguration"`
	Status       string        `json:"status"`
	StatusReason string        `json:"statusReason,omitempty"`
	CreatedAt    timestamp     `json:"createdAt"`
	UpdatedAt    timestamp     `json:"updatedAt"`
}

type ingestionDestinationAnswer struct {
	IngestionDestination ingestionDestination `json:"ingestionDestination"`
}

type ingestionDestinationsAnswer struct {
	List      []summary `json:"ingestionDestinations"`
	NextToken string    `json:"nextToken,omitempty"`
}

type tagOut struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type tagsAnswer struct {
	Tags []tagOut `json:"tags"`
}

// empty is an answer without members.
type empty struct{}

// timestamp is written as ISO 8601 with milliseconds, in UTC.
type timestamp time.Time

// MarshalText writes the time.
func (t timestamp) MarshalText() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format("2006-01-02T15:04:05.000Z")), nil
}

func bundleOut(b fabric.AppBundle) appBundleAnswer {
	return appBundleAnswer{appBundle{ARN: b.ARN().String(), KeyARN: b.KeyARN}}
}

func authorizationOut(a fabric.AppAuthorization) appAuthorizationAnswer {
	return appAuthorizationAnswer{appAuthorization{
		ARN: a.ARN().String(), BundleARN: a.BundleARN().String(), App: a.App, Tenant: tenantOut(a.Tenant),
		AuthType: string(a.AuthType), Status: string(a.Status),
		CreatedAt: timestamp(a.CreatedAt), UpdatedAt: timestamp(a.UpdatedAt),
		Persona: fabric.PersonaAdmin, AuthURL: a.AuthURL,
	}}
}

func authorizationSummaryOut(a fabric.AppAuthorization) appAuthorizationSummary {
	return appAuthorizationSummary{
		ARN: a.ARN().String(), BundleARN: a.BundleARN().String(), App: a.App, Tenant: tenantOut(a.Tenant),
		Status: string(a.Status), UpdatedAt: timestamp(a.UpdatedAt),
	}
}

func ingestionOut(i fabric.Ingestion) ingestionAnswer {
	return ingestionAnswer{ingestion{
		ARN: i.ARN().String(), BundleARN: i.BundleARN().String(), App: i.App, TenantID: i.TenantID,
		CreatedAt: timestamp(i.CreatedAt), UpdatedAt: timestamp(i.UpdatedAt), State: string(i.State), Type: i.Type,
	}}
}

func ingestionSummaryOut(i fabric.Ingestion) ingestionSummary {
	return ingestionSummary{ARN: i.ARN().String(), App: i.App, TenantID: i.TenantID, State: string(i.State)}
}

func destinationOut(d fabric.IngestionDestination) ingestionDestinationAnswer {
	out := ingestionDestination{
		ARN: d.ARN().String(), IngestionARN: d.IngestionARN().String(),
		Status: string(d.Status), StatusReason: d.Reason,
		CreatedAt: timestamp(d.CreatedAt), UpdatedAt: timestamp(d.UpdatedAt),
	}
	out.Processing.AuditLog.Schema = string(d.Processing.Schema)
	out.Processing.AuditLog.Format = string(d.Processing.Format)
	to := &out.Place.AuditLog.Destination
	if d.Place.Stream != "" {
		to.FirehoseStream = &firehoseStream{d.Place.Stream}
	} else {
		to.S3Bucket = &s3Bucket{BucketName: d.Place.Bucket, Prefix: d.Place.Prefix}
	}
	return ingestionDestinationAnswer{out}
}

// each converts the items of a page; of an empty page the result is empty, not
// nil.
func each[T, U any](p control.Page[T], f func(T) U) []U {
	all := make([]U, len(p.Items))
	for i, item := range p.Items {
		all[i] = f(item)
	}
	return all
}
