package wire

import (
	"context"

	"selvedge/internal/control"
	"selvedge/internal/fabric"
)

// One function for each operation: members in, one call of control, members
// out.

func createAppBundle(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	b, err := c.CreateAppBundle(ctx, caller, control.CreateAppBundleInput{
		ClientToken: in.text("clientToken"), KeyIdentifier: in.text("customerManagedKeyIdentifier"), Tags: in.tags(),
	})
	return bundleOut(b), err
}

func getAppBundle(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	b, err := c.GetAppBundle(ctx, caller, in.text("appBundleIdentifier"))
	return bundleOut(b), err
}

func listAppBundles(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	p, err := c.ListAppBundles(ctx, caller, in.paging())
	return appBundlesAnswer{each(p, func(b fabric.AppBundle) summary { return summary{b.ARN().String()} }), p.NextToken}, err
}

func deleteAppBundle(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return nil, c.DeleteAppBundle(ctx, caller, in.text("appBundleIdentifier"))
}

func createAppAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	a, err := c.CreateAppAuthorization(ctx, caller, control.CreateAppAuthorizationInput{
		Bundle: in.text("appBundleIdentifier"), App: in.text("app"), Credential: in.credential(), Tenant: in.tenant(),
		AuthType: fabric.AuthType(in.text("authType")), ClientToken: in.text("clientToken"), Tags: in.tags(),
	})
	return authorizationOut(a), err
}

func getAppAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	a, err := c.GetAppAuthorization(ctx, caller, in.text("appBundleIdentifier"), in.text("appAuthorizationIdentifier"))
	return authorizationOut(a), err
}

func listAppAuthorizations(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	p, err := c.ListAppAuthorizations(ctx, caller, in.text("appBundleIdentifier"), in.paging())
	return appAuthorizationsAnswer{each(p, authorizationSummaryOut), p.NextToken}, err
}

func updateAppAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	update := control.UpdateAppAuthorizationInput{
		Bundle: in.text("appBundleIdentifier"), Authorization: in.text("appAuthorizationIdentifier"),
	}
	if in.has("credential") {
		update.Credential = new(in.credential())
	}
	if in.has("tenant") {
		update.Tenant = new(in.tenant())
	}
	a, err := c.UpdateAppAuthorization(ctx, caller, update)
	return authorizationOut(a), err
}

func deleteAppAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return nil, c.DeleteAppAuthorization(ctx, caller, in.text("appBundleIdentifier"), in.text("appAuthorizationIdentifier"))
}

func connectAppAuthorization(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	a, err := c.ConnectAppAuthorization(ctx, caller, control.ConnectInput{
		Bundle: in.text("appBundleIdentifier"), Authorization: in.text("appAuthorizationIdentifier"), Request: in.authRequest(),
	})
	return appAuthorizationSummaryAnswer{authorizationSummaryOut(a)}, err
}

func createIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	i, err := c.CreateIngestion(ctx, caller, control.CreateIngestionInput{
		Bundle: in.text("appBundleIdentifier"), App: in.text("app"), TenantID: in.text("tenantId"),
		Type: in.text("ingestionType"), ClientToken: in.text("clientToken"), Tags: in.tags(),
	})
	return ingestionOut(i), err
}

func getIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	i, err := c.GetIngestion(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"))
	return ingestionOut(i), err
}

func listIngestions(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	p, err := c.ListIngestions(ctx, caller, in.text("appBundleIdentifier"), in.paging())
	return ingestionsAnswer{each(p, ingestionSummaryOut), p.NextToken}, err
}

func deleteIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return nil, c.DeleteIngestion(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"))
}

func startIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return empty{}, c.StartIngestion(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"))
}

func stopIngestion(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return empty{}, c.StopIngestion(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"))
}

func createIngestionDestination(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	d, err := c.CreateIngestionDestination(ctx, caller, control.CreateIngestionDestinationInput{
		Bundle: in.text("appBundleIdentifier"), Ingestion: in.text("ingestionIdentifier"),
		Processing: fabric.Processing{
			Schema: fabric.Schema(in.text("processingConfiguration.auditLog.schema")),
			Format: fabric.Format(in.text("processingConfiguration.auditLog.format")),
		},
		Place: in.place(), ClientToken: in.text("clientToken"), Tags: in.tags(),
	})
	return destinationOut(d), err
}

func getIngestionDestination(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	d, err := c.GetIngestionDestination(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"), in.text("ingestionDestinationIdentifier"))
	return destinationOut(d), err
}

func listIngestionDestinations(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	p, err := c.ListIngestionDestinations(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"), in.paging())
	return ingestionDestinationsAnswer{each(p, func(d fabric.IngestionDestination) summary { return summary{d.ARN().String()} }), p.NextToken}, err
}

func updateIngestionDestination(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	d, err := c.UpdateIngestionDestination(ctx, caller, control.UpdateIngestionDestinationInput{
		Bundle: in.text("appBundleIdentifier"), Ingestion: in.text("ingestionIdentifier"),
		Destination: in.text("ingestionDestinationIdentifier"), Place: in.place(),
	})
	return destinationOut(d), err
}

func deleteIngestionDestination(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return nil, c.DeleteIngestionDestination(ctx, caller, in.text("appBundleIdentifier"), in.text("ingestionIdentifier"), in.text("ingestionDestinationIdentifier"))
}

func listTagsForResource(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	tags, err := c.ListTagsForResource(ctx, caller, in.text("resourceArn"))
	out := tagsAnswer{Tags: make([]tagOut, len(tags))}
	for i, t := range tags {
		out.Tags[i] = tagOut(t)
	}
	return out, err
}

func tagResource(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return empty{}, c.TagResource(ctx, caller, in.text("resourceArn"), in.tags())
}

func untagResource(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	return empty{}, c.UntagResource(ctx, caller, in.text("resourceArn"), in.texts("tagKeys"))
}

func startUserAccessTasks(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	tasks, err := c.StartUserAccessTasks(ctx, caller, in.text("appBundleIdentifier"), in.text("email"))
	return userAccessTasksAnswer{over(tasks, userAccessTaskOut)}, err
}

func batchGetUserAccessTasks(ctx context.Context, c *control.Control, caller fabric.Caller, in input) (any, error) {
	tasks, err := c.BatchGetUserAccessTasks(ctx, caller, in.text("appBundleIdentifier"), in.texts("taskIdList"))
	return userAccessResultsAnswer{over(tasks, userAccessResultOut)}, err
}
