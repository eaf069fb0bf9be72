package fabric

import "time"

// IngestionState says whether an ingestion collects.
type IngestionState string

// The states of an ingestion.
const (
	Enabled  IngestionState = "enabled"
	Disabled IngestionState = "disabled"
)

// IngestionTypeAuditLog is the only type of ingestion.
const IngestionTypeAuditLog = "auditLog"

// Ingestion collects the audit log of one tenant of one application.
type Ingestion struct {
	ID        string
	BundleID  string
	Account   string
	Region    string
	App       string
	TenantID  string
	Type      string
	State     IngestionState
	CreatedAt time.Time
	UpdatedAt time.Time
}

// ARN returns the ingestion's ARN.
func (i Ingestion) ARN() ARN {
	return ARN{Region: i.Region, Account: i.Account, Kind: KindIngestion, Bundle: i.BundleID, Child: i.ID}
}

// BundleARN returns the ARN of the bundle that the ingestion is in.
func (i Ingestion) BundleARN() ARN {
	return ARN{Region: i.Region, Account: i.Account, Kind: KindAppBundle, Bundle: i.BundleID}
}
