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

type taskError struct {
	Code    string `json:"errorCode,omitempty"`
	Message string `json:"errorMessage,omitempty"`
}

type userAccessTask struct {
	App      string     `json:"app"`
	TenantID string     `json:"tenantId"`
	TaskID   string     `json:"taskId,omitempty"`
	Error    *taskError `json:"error,omitempty"`
}

type userAccessTasksAnswer struct {
	List []userAccessTask `json:"userAccessTasksList"`
}

type userAccessResult struct {
	App        string     `json:"app"`
	TenantID   string     `json:"tenantId"`
	TenantName string     `json:"tenantDisplayName"`
	TaskID     string     `json:"taskId"`
	Status     string     `json:"resultStatus"`
	Email      string     `json:"email"`
	UserID     string     `json:"userId,omitempty"`
	FullName   string     `json:"userFullName,omitempty"`
	FirstName  string     `json:"userFirstName,omitempty"`
	LastName   string     `json:"userLastName,omitempty"`
	UserStatus string     `json:"userStatus,omitempty"`
	TaskError  *taskError `json:"taskError,omitempty"`
}

type userAccessResultsAnswer struct {
	List []userAccessResult `json:"userAccessResultsList"`
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

func userAccessTaskOut(t fabric.UserAccessTask) userAccessTask {
	return userAccessTask{App: t.App, TenantID: t.Tenant.Identifier, TaskID: t.ID, Error: taskErrorOut(t.Error)}
}

// userAccessResultOut tells an error only of a task that has ended: what keeps
// one in progress may pass.
func userAccessResultOut(t fabric.UserAccessTask) userAccessResult {
	out := userAccessResult{
		App: t.App, TenantID: t.Tenant.Identifier, TenantName: t.Tenant.DisplayName, TaskID: t.ID,
		Status: string(t.Status), Email: t.Email, UserID: t.User.ID, FullName: t.User.FullName,
		FirstName: t.User.FirstName, LastName: t.User.LastName, UserStatus: t.User.Status,
	}
	if t.Status != fabric.InProgress {
		out.TaskError = taskErrorOut(t.Error)
	}
	return out
}

func taskErrorOut(e fabric.UserAccessError) *taskError {
	if e == "" {
		return nil
	}
	return &taskError{Code: string(e), Message: e.Message()}
}

// each converts the items of a page.
func each[T, U any](p control.Page[T], f func(T) U) []U { return over(p.Items, f) }

// over converts items; of none the result is empty, not nil.
func over[T, U any](items []T, f func(T) U) []U {
	all := make([]U, len(items))
	for i, item := range items {
		all[i] = f(item)
	}
	return all
}
