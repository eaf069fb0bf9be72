package fabric

import "time"

// DestinationStatus says whether a destination takes what is delivered.
type DestinationStatus string

// The states of an ingestion destination.
const (
	Active DestinationStatus = "Active"
	Failed DestinationStatus = "Failed"
)

// Schema is the form of a delivered record.
type Schema string

// The schemas of a destination.
const (
	SchemaOCSF Schema = "ocsf"
	SchemaRaw  Schema = "raw"
)

// Format is the encoding of a delivered object.
type Format string

// The formats of a destination.
const (
	FormatJSON    Format = "json"
	FormatParquet Format = "parquet"
)

// Processing says what becomes of a record on its way to a destination. It
// never changes after the destination's creation.
type Processing struct {
	Schema Schema
	Format Format
}

// Place is where a destination delivers to: a bucket or a stream.
type Place struct {
	Bucket string // of S3
	Prefix string // of S3; empty: none
	Stream string // of Firehose
}

// IngestionDestination is one place that an ingestion delivers to.
type IngestionDestination struct {
	ID          string
	BundleID    string
	IngestionID string
	Account     string
	Region      string
	Processing  Processing
	Place       Place
	Status      DestinationStatus
	Reason      string // statusReason; only when Failed
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// ARN returns the destination's ARN.
func (d IngestionDestination) ARN() ARN {
	return ARN{
		Region: d.Region, Account: d.Account, Kind: KindIngestionDestination,
		Bundle: d.BundleID, Child: d.IngestionID, Grandchild: d.ID,
	}
}

// IngestionARN returns the ARN of the ingestion that the destination is of.
func (d IngestionDestination) IngestionARN() ARN {
	return ARN{Region: d.Region, Account: d.Account, Kind: KindIngestion, Bundle: d.BundleID, Child: d.IngestionID}
}
