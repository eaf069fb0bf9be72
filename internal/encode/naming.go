package encode

import (
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"selvedge/internal/fabric"
)

// Key names the object of a batch at a destination, as AppFabric names its own:
//
//	[<prefix>/]AWSAppFabric/AuditLog/<OCSF|RAW>/<JSON|PARQUET>/<APP>/<ingestion>/<destination>/<yyyymmdd>/AuditLog-<epoch ms>-<uuid>
//
// The day and the milliseconds are those of closed, in UTC. The last part is
// the UUID of version 5 of the batch in the destination's namespace, so that
// one batch has one name at one destination, and another at every other.
// https://docs.aws.amazon.com/appfabric/latest/adminguide/ocsf-schema.html (checked 2026-11-22)
func Key(prefix string, schema fabric.Schema, format fabric.Format, app, ingestionID, destinationID string, closed time.Time, batchID string) string {
	closed = closed.UTC()
	parts := []string{
		"AWSAppFabric", "AuditLog",
		strings.ToUpper(string(schema)), strings.ToUpper(string(format)), app,
		ingestionID, destinationID,
		closed.Format("20060102"),
		"AuditLog-" + strconv.FormatInt(closed.UnixMilli(), 10) + "-" + objectID(destinationID, batchID),
	}
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		parts = append([]string{prefix}, parts...)
	}
	return strings.Join(parts, "/")
}

// objectID is UUIDv5(destination, batch). A destination id that is no UUID,
// which the store never makes, is hashed to a namespace.
func objectID(destinationID, batchID string) string {
	space, err := uuid.Parse(destinationID)
	if err != nil {
		space = uuid.NewSHA1(uuid.NameSpaceOID, []byte(destinationID))
	}
	return uuid.NewSHA1(space, []byte(batchID)).String()
}
