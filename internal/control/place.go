package control

import (
	"selvedge/internal/fabric"
	"selvedge/sink"
)

const (
	bucketPath = "destinationConfiguration.auditLog.destination.s3Bucket"
	streamPath = "destinationConfiguration.auditLog.destination.firehoseStream"
)

// checkDestination says whether a place takes what the processing makes. The
// combinations that exist are those of
// https://docs.aws.amazon.com/appfabric/latest/adminguide/what-is-appfabric.html
// (checked 2026-11-22): to S3 OCSF as JSON or Parquet and raw as JSON, to
// Firehose JSON only.
func checkDestination(p fabric.Processing, to fabric.Place) error {
	switch {
	case p.Format == fabric.FormatParquet && p.Schema == fabric.SchemaRaw:
		return fabric.Invalid("The format parquet is for the schema ocsf only. Use the format json with the schema raw.")
	case p.Format == fabric.FormatParquet && to.Stream != "":
		return fabric.Invalid("The format parquet is for Amazon S3 only. Use the format json with a Firehose stream.")
	}
	return checkPlace(to)
}

func checkPlace(p fabric.Place) error {
	if p.Stream != "" {
		if sink.CheckStream(p.Stream) != nil {
			return fabric.InvalidField(streamPath+".streamName", "Member must satisfy regular expression pattern: [A-Za-z0-9_.-]+")
		}
		return nil
	}
	if err := sink.CheckBucket(p.Bucket); err != nil {
		return fabric.InvalidField(bucketPath+".bucketName", "%s", err)
	}
	if p.Prefix != "" && sink.CheckKey(p.Prefix) != nil {
		return fabric.InvalidField(bucketPath+".prefix",
			"Member must not begin or end with /, nor contain an empty, . or .. segment or a control character")
	}
	return nil
}
