package wire

import (
	"context"
	"strings"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// operation is one line of the API.
type operation struct {
	method  string
	pattern string
	name    string
	status  int      // of success
	throws  throws   // exceptions beyond those that every operation has
	input   []member // what it takes
	do      func(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error)
}

// action is what a policy calls the operation.
func (op *operation) action() string {
	if strings.HasPrefix(op.pattern, "/selvedge/") {
		return "selvedge:" + op.name
	}
	return "appfabric:" + op.name
}

// throws is the set of exceptions that only some operations model. All model
// ValidationException, AccessDeniedException, ThrottlingException and
// InternalServerException.
type throws uint8

const (
	notFound throws = 1 << iota // ResourceNotFoundException
	conflict                    // ConflictException
	quota                       // ServiceQuotaExceededException
)

// routes is the whole API.
func routes() []operation {
	const (
		bundle       = "/appbundles/{appBundleIdentifier}"
		auths        = bundle + "/appauthorizations"
		auth         = auths + "/{appAuthorizationIdentifier}"
		ingestions   = bundle + "/ingestions"
		ingestion    = ingestions + "/{ingestionIdentifier}"
		destinations = ingestion + "/ingestiondestinations"
		destination  = destinations + "/{ingestionDestinationIdentifier}"
		tags         = "/tags/{resourceArn}"
	)
	return []operation{
		{"POST", "/appbundles", "CreateAppBundle", 201, conflict | quota, createAppBundleRequest(), createAppBundle},
		{"GET", "/appbundles", "ListAppBundles", 200, 0, listAppBundlesRequest(), listAppBundles},
		{"GET", bundle, "GetAppBundle", 200, notFound, bundleLabels(), getAppBundle},
		{"DELETE", bundle, "DeleteAppBundle", 204, conflict, bundleLabels(), deleteAppBundle},
		{"POST", auths, "CreateAppAuthorization", 201, notFound | conflict | quota, createAppAuthorizationRequest(), createAppAuthorization},
		{"GET", auths, "ListAppAuthorizations", 200, notFound, listAppAuthorizationsRequest(), listAppAuthorizations},
		{"GET", auth, "GetAppAuthorization", 200, notFound, authorizationLabels(), getAppAuthorization},
		{"PATCH", auth, "UpdateAppAuthorization", 200, notFound, updateAppAuthorizationRequest(), updateAppAuthorization},
		{"DELETE", auth, "DeleteAppAuthorization", 204, notFound, authorizationLabels(), deleteAppAuthorization},
		{"POST", auth + "/connect", "ConnectAppAuthorization", 200, notFound, connectAppAuthorizationRequest(), connectAppAuthorization},
		{"POST", ingestions, "CreateIngestion", 201, conflict | quota, createIngestionRequest(), createIngestion},
		{"GET", ingestions, "ListIngestions", 200, notFound, listIngestionsRequest(), listIngestions},
		{"GET", ingestion, "GetIngestion", 200, notFound, ingestionLabels(), getIngestion},
		{"DELETE", ingestion, "DeleteIngestion", 204, notFound, ingestionLabels(), deleteIngestion},
		{"POST", ingestion + "/start", "StartIngestion", 200, notFound | conflict, ingestionLabels(), startIngestion},
		{"POST", ingestion + "/stop", "StopIngestion", 200, notFound | conflict, ingestionLabels(), stopIngestion},
		{"POST", destinations, "CreateIngestionDestination", 201, conflict | quota, createIngestionDestinationRequest(), createIngestionDestination},
		{"GET", destinations, "ListIngestionDestinations", 200, notFound, listIngestionDestinationsRequest(), listIngestionDestinations},
		{"GET", destination, "GetIngestionDestination", 200, notFound, destinationLabels(), getIngestionDestination},
		{"PATCH", destination, "UpdateIngestionDestination", 200, notFound | conflict | quota, updateIngestionDestinationRequest(), updateIngestionDestination},
		{"DELETE", destination, "DeleteIngestionDestination", 204, notFound, destinationLabels(), deleteIngestionDestination},
		{"GET", tags, "ListTagsForResource", 200, notFound, tagLabels(), listTagsForResource},
		{"POST", tags, "TagResource", 200, notFound, tagResourceRequest(), tagResource},
		{"DELETE", tags, "UntagResource", 200, notFound, untagResourceRequest(), untagResource},
		{"POST", "/useraccess/start", "StartUserAccessTasks", 201, notFound, startUserAccessTasksRequest(), startUserAccessTasks},
		{"POST", "/useraccess/batchget", "BatchGetUserAccessTasks", 200, notFound, batchGetUserAccessTasksRequest(), batchGetUserAccessTasks},
	}
}
