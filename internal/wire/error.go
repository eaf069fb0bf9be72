package wire

import (
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"selvedge/internal/fabric"
	"selvedge/internal/sigv4"
)

// exception is what a kind of error is on the wire.
type exception struct {
	name   string
	status int
	needs  throws // what the operation must model; 0: all do
}

// exceptionOf is the one table from kinds to AWS's exceptions.
func exceptionOf(k fabric.ErrorKind) exception {
	table := map[fabric.ErrorKind]exception{
		fabric.Validation:    {"ValidationException", http.StatusBadRequest, 0},
		fabric.NotFound:      {"ResourceNotFoundException", http.StatusNotFound, notFound},
		fabric.Conflict:      {"ConflictException", http.StatusConflict, conflict},
		fabric.QuotaExceeded: {"ServiceQuotaExceededException", http.StatusPaymentRequired, quota},
		fabric.Throttled:     {"ThrottlingException", http.StatusTooManyRequests, 0},
		fabric.AccessDenied:  {"AccessDeniedException", http.StatusForbidden, 0},
	}
	if e, ok := table[k]; ok {
		return e
	}
	return exception{"InternalServerException", http.StatusInternalServerError, 0}
}

// serviceCode is AppFabric's in quotas.
const serviceCode = "appfabric"

// quotaCode is the quota of a kind of resource. AWS's own codes are not public;
// these say what they count.
func quotaCode(k fabric.Kind) string {
	switch k {
	case fabric.KindAppBundle:
		return "app-bundles"
	case fabric.KindAppAuthorization:
		return "app-authorizations"
	case fabric.KindIngestion:
		return "ingestions"
	default:
		return "ingestion-destinations-per-ingestion"
	}
}

// fault is the body of every exception.
type fault struct {
	Message      string       `json:"message"`
	Reason       string       `json:"reason,omitempty"`
	FieldList    []fieldFault `json:"fieldList,omitempty"`
	ResourceID   string       `json:"resourceId,omitempty"`
	ResourceType string       `json:"resourceType,omitempty"`
	ServiceCode  string       `json:"serviceCode,omitempty"`
	QuotaCode    string       `json:"quotaCode,omitempty"`
}

type fieldFault struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// answer is a response before it is written.
type answer struct {
	status     int
	body       any    // nil: none
	errorCode  string // empty on success
	message    string // of an exception
	retryAfter time.Duration
	internal   bool // the error is the server's own, and to be logged
	close      bool // the connection cannot be used further
}

// unknownOperation is the answer where no route fits.
func unknownOperation() answer {
	const message = "The requested operation is not recognized by the service."
	return answer{
		status: http.StatusNotFound, errorCode: "UnknownOperationException", message: message,
		body: fault{Message: message},
	}
}

// failed makes an exception of an error: one that the operation models. Where
// it models no ResourceNotFoundException or ConflictException, that is a
// ValidationException. op is nil before a route is found.
func failed(op *operation, requestID string, err error) answer {
	if refused, ok := errors.AsType[*sigv4.Error](err); ok {
		return answer{
			status: http.StatusForbidden, errorCode: refused.Code, message: refused.Message,
			body: fault{Message: refused.Message},
		}
	}
	e, ok := errors.AsType[*fabric.Error](err)
	if !ok || e.Kind == fabric.Internal {
		return internalError(requestID)
	}
	x := exceptionOf(e.Kind)
	if x.needs != 0 && (op == nil || op.throws&x.needs == 0) {
		e = fabric.Invalid("%s", e.Message)
		x = exceptionOf(e.Kind)
	}
	return answer{
		status: x.status, errorCode: x.name, message: e.Message,
		retryAfter: e.RetryAfter, body: faultOf(e),
	}
}

func faultOf(e *fabric.Error) fault {
	f := fault{Message: e.Message}
	switch e.Kind {
	case fabric.Validation:
		f.Reason = e.Reason
		if f.Reason == "" {
			f.Reason = fabric.ReasonOther
		}
		for _, field := range e.Fields {
			f.FieldList = append(f.FieldList, fieldFault(field))
		}
	case fabric.NotFound, fabric.Conflict:
		f.ResourceID, f.ResourceType = e.ResourceID, string(e.ResourceType)
	case fabric.QuotaExceeded:
		f.ResourceID, f.ResourceType = e.ResourceID, string(e.ResourceType)
		f.ServiceCode, f.QuotaCode = serviceCode, quotaCode(e.ResourceType)
	case fabric.Throttled:
		f.ServiceCode, f.QuotaCode = serviceCode, "requests-per-second"
	}
	return f
}

// internalError tells nothing but the request id, under which the log has the
// error.
func internalError(requestID string) answer {
	message := "An internal error occurred. The server's log has it under the request id " + requestID + "."
	x := exceptionOf(fabric.Internal)
	return answer{
		status: x.status, errorCode: x.name, message: message, internal: true,
		body: fault{Message: message},
	}
}

// seconds is a wait in whole seconds, at least one.
func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}
