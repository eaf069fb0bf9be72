package wire

// The shapes of the requests, with the constraints of the model beside each
// member. Lengths count characters.

func stringOf(minimum, maximum int) shape { return shape{kind: text, min: minimum, max: maximum} }

func secretOf(minimum, maximum int) shape {
	return shape{kind: text, min: minimum, max: maximum, sensitive: true}
}

func enumOf(values ...string) shape { return shape{kind: text, enum: values} }

func listOf(element shape, minimum, maximum int) shape {
	return shape{kind: list, element: &element, min: minimum, max: maximum}
}

func structureOf(members ...member) shape { return shape{kind: structure, members: members} }

func unionOf(members ...member) shape { return shape{kind: union, members: members} }

const uuidPattern = `[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}`

func identifier() shape {
	return shape{kind: text, min: 1, max: 1011, pattern: whole(`arn:.+$|^` + uuidPattern)}
}

func arn() shape { return shape{kind: text, min: 1, max: 1011, pattern: whole(`arn:.+`)} }

func uuidText() shape { return shape{kind: text, pattern: whole(uuidPattern)} }

func email() shape {
	return shape{
		kind: text, max: 320, sensitive: true,
		pattern: whole("[a-zA-Z0-9.!#$%&’*+/=?^_`{|}~-]+@[a-zA-Z0-9-]+(?:\\.[a-zA-Z0-9-]+)*"),
	}
}

// redirectURI is the model's pattern and, beyond it, http:// for the hosts of
// one's own machine.
func redirectURI() shape {
	const characters = `[-a-zA-Z0-9-._~:/?#@!$&'()*+,;=]`
	return shape{
		kind: text, max: 1024,
		pattern: whole(`https://` + characters + `+` +
			`|http://(?:localhost|127\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|\[::1\])(?::[0-9]{1,5})?(?:[/?#]` + characters + `*)?`),
	}
}

func tenantIdentifier() shape { return stringOf(1, 1024) }

func tenant() shape {
	return structureOf(
		must("tenantIdentifier", tenantIdentifier()),
		must("tenantDisplayName", stringOf(1, 2048)),
	)
}

func credential() shape {
	return unionOf(
		may("oauth2Credential", structureOf(
			must("clientId", stringOf(1, 2048)),
			must("clientSecret", secretOf(1, 2048)),
		)),
		may("apiKeyCredential", structureOf(
			must("apiKey", secretOf(1, 2048)),
		)),
	)
}

func processingConfiguration() shape {
	return unionOf(may("auditLog", structureOf(
		must("schema", enumOf("ocsf", "raw")),
		must("format", enumOf("json", "parquet")),
	)))
}

func destinationConfiguration() shape {
	return unionOf(may("auditLog", structureOf(
		must("destination", unionOf(
			may("s3Bucket", structureOf(
				must("bucketName", stringOf(3, 63)),
				may("prefix", stringOf(1, 120)),
			)),
			may("firehoseStream", structureOf(
				must("streamName", stringOf(3, 64)),
			)),
		)),
	)))
}

func tagKey() shape { return stringOf(1, 128) }

func tagList() shape {
	return listOf(structureOf(must("key", tagKey()), must("value", stringOf(0, 256))), 0, 50)
}

func clientToken() member { return may("clientToken", uuidText()) }

func maxResults() member { return query("maxResults", shape{kind: integer, min: 1, max: 100}) }

func bundleLabels() []member { return []member{label("appBundleIdentifier", identifier())} }

func authorizationLabels() []member {
	return append(bundleLabels(), label("appAuthorizationIdentifier", identifier()))
}

func ingestionLabels() []member {
	return append(bundleLabels(), label("ingestionIdentifier", identifier()))
}

func destinationLabels() []member {
	return append(ingestionLabels(), label("ingestionDestinationIdentifier", identifier()))
}

func tagLabels() []member { return []member{label("resourceArn", arn())} }

func createAppBundleRequest() []member {
	return []member{
		clientToken(),
		may("customerManagedKeyIdentifier", identifier()),
		may("tags", tagList()),
	}
}

func listAppBundlesRequest() []member {
	return []member{maxResults(), query("nextToken", stringOf(1, 2048))}
}

func createAppAuthorizationRequest() []member {
	return append(bundleLabels(),
		must("app", stringOf(1, 255)),
		must("credential", credential()),
		must("tenant", tenant()),
		must("authType", enumOf("oauth2", "apiKey")),
		clientToken(),
		may("tags", tagList()),
	)
}

func listAppAuthorizationsRequest() []member {
	return append(bundleLabels(), maxResults(), query("nextToken", stringOf(1, 2048)))
}

func updateAppAuthorizationRequest() []member {
	return append(authorizationLabels(),
		may("credential", credential()),
		may("tenant", tenant()),
	)
}

func connectAppAuthorizationRequest() []member {
	return append(authorizationLabels(), may("authRequest", structureOf(
		must("redirectUri", redirectURI()),
		must("code", secretOf(1, 2048)),
	)))
}

func createIngestionRequest() []member {
	return append(bundleLabels(),
		must("app", stringOf(1, 255)),
		must("tenantId", tenantIdentifier()),
		must("ingestionType", enumOf("auditLog")),
		clientToken(),
		may("tags", tagList()),
	)
}

func listIngestionsRequest() []member {
	return append(bundleLabels(), maxResults(), query("nextToken", stringOf(0, 0)))
}

func createIngestionDestinationRequest() []member {
	return append(ingestionLabels(),
		must("processingConfiguration", processingConfiguration()),
		must("destinationConfiguration", destinationConfiguration()),
		clientToken(),
		may("tags", tagList()),
	)
}

func listIngestionDestinationsRequest() []member {
	return append(ingestionLabels(), maxResults(), query("nextToken", stringOf(0, 0)))
}

func updateIngestionDestinationRequest() []member {
	return append(destinationLabels(), must("destinationConfiguration", destinationConfiguration()))
}

func tagResourceRequest() []member { return append(tagLabels(), must("tags", tagList())) }

// untagResourceRequest does not require tagKeys: clients send an empty list as
// no parameter at all.
func untagResourceRequest() []member {
	return append(tagLabels(), query("tagKeys", listOf(tagKey(), 0, 200)))
}

func startUserAccessTasksRequest() []member {
	return []member{must("appBundleIdentifier", identifier()), must("email", email())}
}

func batchGetUserAccessTasksRequest() []member {
	return []member{must("appBundleIdentifier", identifier()), must("taskIdList", listOf(uuidText(), 1, 50))}
}
