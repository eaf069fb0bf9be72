package encode

// kind is how a column of the Parquet files is stored.
type kind int

const (
	word     kind = iota // a string, of a few that come again and again: kept in a dictionary
	text                 // any other string
	whole                // an int
	big                  // a bigint
	fraction             // a double
	yesno                // a boolean
	object               // a struct of the fields
	list                 // an array of the one field
	pairs                // a map from string to string
)

// column is a column, or a member of one. Its name is the attribute's name.
type column struct {
	name   string
	kind   kind
	fields []column
}

// columns is the layout of the Parquet files: every attribute that an event can
// have, in the order and with the types of OCSF 1.1.0. They are also the names
// and the types of the table that AppFabric's guide makes for the same events,
// but for unmapped, which is a map there where an older sample of AWS's and
// Security Lake's own tables have one.
// https://docs.aws.amazon.com/appfabric/latest/adminguide/security-lake.html (checked 2026-11-22)
// https://github.com/aws-samples/build-a-security-monitoring-solution-with-aws-appfabric-and-amazon-security-lake (checked 2026-11-22)
//
// A column may be added. None is ever renamed, removed or given another type:
// tables of users name them.
func columns() []column {
	return []column{
		{name: "activity_id", kind: whole},
		{name: "activity_name"},
		{name: "category_uid", kind: whole},
		{name: "category_name"},
		{name: "class_uid", kind: whole},
		{name: "class_name"},
		{name: "type_uid", kind: whole},
		{name: "type_name"},
		{name: "time", kind: big},
		{name: "severity_id", kind: whole},
		{name: "severity"},
		{name: "status_id", kind: whole},
		{name: "status"},
		{name: "status_code"},
		{name: "status_detail"},
		{name: "message"},
		{name: "metadata", kind: object, fields: metadata()},
		{name: "actor", kind: object, fields: []column{
			{name: "user", kind: object, fields: user()},
			{name: "session", kind: object, fields: session()},
			{name: "invoked_by"},
		}},
		{name: "user", kind: object, fields: user()},
		{name: "group", kind: object, fields: words("name", "uid", "type", "desc", "domain")},
		{name: "privileges", kind: list, fields: []column{{}}},
		{name: "session", kind: object, fields: session()},
		{name: "resource", kind: object, fields: words("name", "uid", "type", "version")},
		{name: "web_resources", kind: list, fields: []column{
			{kind: object, fields: words("name", "uid", "type", "desc", "url_string")},
		}},
		{name: "entity", kind: object, fields: words("name", "uid", "type", "version")},
		{name: "app", kind: object, fields: product()},
		{name: "api", kind: object, fields: []column{
			{name: "operation"},
			{name: "version"},
			{name: "service", kind: object, fields: words("name")},
			{name: "request", kind: object, fields: []column{{name: "uid", kind: text}}},
		}},
		{name: "file", kind: object, fields: append(words("name", "uid", "path", "mime_type", "desc"), choice()...)},
		{name: "finding_info", kind: object, fields: append(words("title", "uid", "desc"), column{name: "types", kind: list, fields: []column{{}}})},
		{name: "policy", kind: object, fields: words("name", "uid", "desc", "version")},
		{name: "service", kind: object, fields: words("name", "uid", "version")},
		{name: "auth_protocol_id", kind: whole},
		{name: "auth_protocol"},
		{name: "is_mfa", kind: yesno},
		{name: "device", kind: object, fields: append(append(words("ip", "uid", "name", "hostname"), choice()...),
			column{name: "os", kind: object, fields: append(words("name", "version"), choice()...)},
			place(),
			column{name: "is_managed", kind: yesno},
			column{name: "is_compliant", kind: yesno},
		)},
		{name: "src_endpoint", kind: object, fields: endpoint()},
		{name: "dst_endpoint", kind: object, fields: endpoint()},
		{name: "http_request", kind: object, fields: []column{
			{name: "uid", kind: text},
			{name: "http_method"},
			{name: "user_agent"},
			{name: "referrer"},
			{name: "version"},
			{name: "url", kind: object, fields: []column{
				{name: "url_string", kind: text},
				{name: "path", kind: text},
				{name: "hostname"},
				{name: "query_string", kind: text},
				{name: "scheme"},
			}},
		}},
		{name: "unmapped", kind: pairs},
		{name: "raw_data", kind: text},
	}
}

func words(names ...string) []column {
	fields := make([]column, len(names))
	for i, name := range names {
		fields[i].name = name
	}
	return fields
}

func metadata() []column {
	return []column{
		{name: "uid", kind: text},
		{name: "event_code"},
		{name: "correlation_uid", kind: text},
		{name: "tenant_uid"},
		{name: "original_time", kind: text},
		{name: "processed_time", kind: big},
		{name: "log_provider"},
		{name: "log_version"},
		{name: "product", kind: object, fields: product()},
		{name: "profiles", kind: list, fields: []column{{}}},
		{name: "version"},
	}
}

// choice is an enum's id, and its text.
func choice() []column { return []column{{name: "type_id", kind: whole}, {name: "type"}} }

func product() []column { return words("name", "uid", "vendor_name", "version") }

func session() []column {
	return []column{{name: "uid", kind: text}, {name: "issuer"}, {name: "credential_uid"}}
}

func user() []column {
	return append(words("name", "uid", "uid_alt", "full_name", "email_addr", "domain", "credential_uid"), choice()...)
}

func place() column {
	return column{name: "location", kind: object, fields: append(words("city", "region", "country", "postal_code", "continent", "isp", "desc"),
		column{name: "coordinates", kind: list, fields: []column{{kind: fraction}}})}
}

func endpoint() []column {
	return append(words("ip", "uid", "name", "hostname", "domain", "svc_name"), column{name: "port", kind: whole}, place())
}
