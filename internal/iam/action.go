package iam

import (
	"slices"
	"strings"

	"selvedge/internal/fabric"
)

// Action is what one operation asks permission for.
type Action struct {
	Name   string // "appfabric:GetIngestion"
	Access string // List, Read, Write or Tagging

	// Resources are the kinds of what the action is on. Permission is needed on one resource of each, or with AnyOne on
	// that which the request is about. None: the request's resource is "*".
	Resources []fabric.Kind
	AnyOne    bool

	Keys []string // condition keys that a request can have, beside aws:RequestedRegion
}

// Actions returns AppFabric's 26 actions, by name. A create with tags needs appfabric:TagResource too. Beside these
// there is selvedge:<Operation> for every operation of the administration, which is not listed.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsappfabric.html (checked 2026-11-22)
func Actions() []Action {
	const (
		request  = "aws:RequestTag/${TagKey}"
		resource = "aws:ResourceTag/${TagKey}"
		keys     = "aws:TagKeys"
	)
	type kinds = []fabric.Kind
	bundle := kinds{fabric.KindAppBundle}
	authorization := kinds{fabric.KindAppBundle, fabric.KindAppAuthorization}
	ingestion := kinds{fabric.KindAppBundle, fabric.KindIngestion}
	destination := kinds{fabric.KindAppBundle, fabric.KindIngestion, fabric.KindIngestionDestination}
	taggable := kinds{fabric.KindAppBundle, fabric.KindAppAuthorization, fabric.KindIngestion, fabric.KindIngestionDestination}
	existing := []string{resource}
	creating := []string{request, resource, keys}
	return []Action{
		{"appfabric:BatchGetUserAccessTasks", "Write", bundle, false, existing},
		{"appfabric:ConnectAppAuthorization", "Write", authorization, false, existing},
		{"appfabric:CreateAppAuthorization", "Write", bundle, false, creating},
		{"appfabric:CreateAppBundle", "Write", nil, false, []string{request, keys}},
		{"appfabric:CreateIngestion", "Write", bundle, false, creating},
		{"appfabric:CreateIngestionDestination", "Write", ingestion, false, creating},
		{"appfabric:DeleteAppAuthorization", "Write", authorization, false, existing},
		{"appfabric:DeleteAppBundle", "Write", bundle, false, existing},
		{"appfabric:DeleteIngestion", "Write", ingestion, false, existing},
		{"appfabric:DeleteIngestionDestination", "Write", destination, false, existing},
		{"appfabric:GetAppAuthorization", "Read", authorization, false, existing},
		{"appfabric:GetAppBundle", "Read", bundle, false, existing},
		{"appfabric:GetIngestion", "Read", ingestion, false, existing},
		{"appfabric:GetIngestionDestination", "Read", destination, false, existing},
		{"appfabric:ListAppAuthorizations", "List", bundle, false, existing},
		{"appfabric:ListAppBundles", "List", nil, false, nil},
		{"appfabric:ListIngestionDestinations", "List", ingestion, false, existing},
		{"appfabric:ListIngestions", "List", bundle, false, existing},
		{"appfabric:ListTagsForResource", "Read", taggable, true, existing},
		{"appfabric:StartIngestion", "Write", ingestion, false, existing},
		{"appfabric:StartUserAccessTasks", "Write", bundle, false, existing},
		{"appfabric:StopIngestion", "Write", ingestion, false, existing},
		{"appfabric:TagResource", "Tagging", taggable, true, creating},
		{"appfabric:UntagResource", "Tagging", taggable, true, []string{resource, keys}},
		{"appfabric:UpdateAppAuthorization", "Write", authorization, false, existing},
		{"appfabric:UpdateIngestionDestination", "Write", destination, false, existing},
	}
}

// readAction reads a pattern for actions, into lower case, since neither the case of the service nor that of the name
// counts. The service has no wildcards, except in "*" alone.
func readAction(path, s string) (string, error) {
	lower := strings.ToLower(s)
	if lower == "*" {
		return lower, nil
	}
	service, name, _ := strings.Cut(lower, ":")
	switch service {
	case "appfabric":
		if slices.ContainsFunc(Actions(), func(a Action) bool { return glob(lower, strings.ToLower(a.Name)) }) {
			return lower, nil
		}
		return "", at(path, "%q is no action of AppFabric; \"appfabric:<Operation>\" is allowed for each of its operations, "+
			"with * and ? as wildcards", s)
	case "selvedge":
		if written(name, "abcdefghijklmnopqrstuvwxyz0123456789*?") {
			return lower, nil
		}
	}
	return "", at(path, "%q; \"*\", \"appfabric:<Operation>\" and \"selvedge:<Operation>\" are allowed, "+
		"with * and ? as wildcards in the operation", s)
}
