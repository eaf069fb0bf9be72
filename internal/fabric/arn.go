package fabric

import "strings"

// Kind is a type of resource, in the word that resourceType uses.
type Kind string

// The types of resources.
const (
	KindAppBundle            Kind = "AppBundle"
	KindAppAuthorization     Kind = "AppAuthorization"
	KindIngestion            Kind = "Ingestion"
	KindIngestionDestination Kind = "IngestionDestination"
	KindUserAccessTask       Kind = "UserAccessTask"
)

// ARN is the name of a resource. Its form is that of
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsappfabric.html
// (checked 2026-11-22).
type ARN struct {
	Region     string
	Account    string
	Kind       Kind
	Bundle     string // UUID
	Child      string // UUID of an authorization or ingestion
	Grandchild string // UUID of a destination
}

// String writes the ARN. The partition follows from the Region.
func (a ARN) String() string {
	var b strings.Builder
	b.WriteString("arn:" + partition(a.Region) + ":appfabric:" + a.Region + ":" + a.Account + ":appbundle/" + a.Bundle)
	switch a.Kind {
	case KindAppAuthorization:
		b.WriteString("/appauthorization/" + a.Child)
	case KindIngestion:
		b.WriteString("/ingestion/" + a.Child)
	case KindIngestionDestination:
		b.WriteString("/ingestion/" + a.Child + "/ingestiondestination/" + a.Grandchild)
	}
	return b.String()
}

func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// ParseARN reads an ARN that String wrote. The account and Region are not
// judged.
func ParseARN(s string) (ARN, bool) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "appfabric" || parts[1] != partition(parts[3]) {
		return ARN{}, false
	}
	a := ARN{Region: parts[3], Account: parts[4]}
	seg := strings.Split(parts[5], "/")
	if len(seg)%2 != 0 {
		return ARN{}, false
	}
	var types []string
	var ids []string
	for i := 0; i < len(seg); i += 2 {
		if !IsUUID(seg[i+1]) {
			return ARN{}, false
		}
		types, ids = append(types, seg[i]), append(ids, seg[i+1])
	}
	switch strings.Join(types, "/") {
	case "appbundle":
		a.Kind, a.Bundle = KindAppBundle, ids[0]
	case "appbundle/appauthorization":
		a.Kind, a.Bundle, a.Child = KindAppAuthorization, ids[0], ids[1]
	case "appbundle/ingestion":
		a.Kind, a.Bundle, a.Child = KindIngestion, ids[0], ids[1]
	case "appbundle/ingestion/ingestiondestination":
		a.Kind, a.Bundle, a.Child, a.Grandchild = KindIngestionDestination, ids[0], ids[1], ids[2]
	default:
		return ARN{}, false
	}
	return a, true
}

// IsUUID says whether s is a lower-case UUID.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}
