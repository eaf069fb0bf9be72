package console

import (
	"net/url"
	"slices"

	"selvedge/internal/fabric"
)

// pathOf is the page of a resource, by its ARN; the overview where it has none.
func pathOf(arn string) string {
	a, ok := fabric.ParseARN(arn)
	if !ok {
		return home
	}
	bundle := home + "bundles/" + a.Bundle
	switch a.Kind {
	case fabric.KindAppAuthorization:
		return bundle + "/authorizations/" + a.Child
	case fabric.KindIngestion:
		return bundle + "/ingestions/" + a.Child
	case fabric.KindIngestionDestination:
		return bundle + "/ingestions/" + a.Child + "/destinations/" + a.Grandchild
	default:
		return home
	}
}

// doneTexts are what a page can say of the form that led to it, by the word in
// the address. Nothing else of an address is shown.
func doneTexts() map[string]string {
	return map[string]string{
		"started":               "The ingestion is started.",
		"stopped":               "The ingestion is stopped. What was collected is delivered still.",
		"backfill":              "The range is being read.",
		"ingestion-deleted":     "The ingestion is deleted.",
		"destination-made":      "The destination is added. It gets everything that is kept for the ingestion.",
		"destination-changed":   "The destination is changed, and tried at once.",
		"destination-deleted":   "The destination is deleted.",
		"authorization-made":    "Saved. One step is left before it is connected.",
		"authorization-changed": "Saved.",
		"authorization-deleted": "The app authorization is deleted.",
		"connected":             "Connected: the audit log can be read.",
		"ingestion-made":        "The ingestion is there. Collecting begins with its first destination.",
		"tagged":                "The tag is there.",
		"untagged":              "The tag is gone.",
	}
}

func doneText(word string) string { return doneTexts()[word] }

// query is a query of those pairs whose value is not empty.
func query(pairs ...string) string {
	q := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			q.Set(pair[0], pair[1])
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}
