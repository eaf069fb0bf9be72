package wire

import "selvedge/internal/fabric"

// The tables, for the tests that try every line of them.

// The types of shapes and the locations of members.
const (
	Text    = text
	Integer = integer
	List    = list
	InBody  = inBody
	InPath  = inPath
	InQuery = inQuery
)

// Operation is a line of the table of routes.
type Operation struct {
	Name, Method, Pattern string
	Status                int
	Throws                []string // the exceptions that it can answer with
	Input                 []Member
}

// Member is a member of a request or structure.
type Member struct {
	Name     string
	In       location
	Required bool
	Shape    Shape
}

// Shape is a type with its constraints.
type Shape struct {
	Kind     kind
	Union    bool
	Min, Max int
	Pattern  string
	Enum     []string
	Members  []Member
	Element  *Shape
}

// Operations is the table of routes.
func Operations() []Operation {
	var all []Operation
	for _, op := range routes() {
		all = append(all, Operation{op.name, op.method, op.pattern, op.status, throwsOf(op), membersOf(op.input)})
	}
	return all
}

// throwsOf is every exception that any kind of error becomes for an operation.
func throwsOf(op operation) []string {
	var all []string
	for k := fabric.Internal; k <= fabric.AccessDenied; k++ {
		if x := exceptionOf(k); x.needs == 0 || op.throws&x.needs != 0 {
			all = append(all, x.name)
		}
	}
	return all
}

// Answers is a value of the shape that each operation answers with. An
// operation that answers without a body has none.
func Answers() map[string]any {
	return map[string]any{
		"CreateAppBundle": appBundleAnswer{}, "GetAppBundle": appBundleAnswer{}, "ListAppBundles": appBundlesAnswer{},
		"CreateAppAuthorization": appAuthorizationAnswer{}, "GetAppAuthorization": appAuthorizationAnswer{},
		"UpdateAppAuthorization": appAuthorizationAnswer{}, "ListAppAuthorizations": appAuthorizationsAnswer{},
		"ConnectAppAuthorization": appAuthorizationSummaryAnswer{},
		"CreateIngestion":         ingestionAnswer{}, "GetIngestion": ingestionAnswer{}, "ListIngestions": ingestionsAnswer{},
		"StartIngestion": empty{}, "StopIngestion": empty{},
		"CreateIngestionDestination": ingestionDestinationAnswer{}, "GetIngestionDestination": ingestionDestinationAnswer{},
		"UpdateIngestionDestination": ingestionDestinationAnswer{}, "ListIngestionDestinations": ingestionDestinationsAnswer{},
		"ListTagsForResource": tagsAnswer{}, "TagResource": empty{}, "UntagResource": empty{},
		"StartUserAccessTasks": userAccessTasksAnswer{}, "BatchGetUserAccessTasks": userAccessResultsAnswer{},
	}
}

// Refuse is what an operation answers an error with.
func Refuse(operation string, err error) (status int, code string, body any) {
	for _, op := range routes() {
		if op.name == operation {
			a := failed(&op, "00000000-0000-4000-8000-000000000000", err)
			return a.status, a.errorCode, a.body
		}
	}
	return 0, "", nil
}

func membersOf(members []member) []Member {
	var all []Member
	for _, m := range members {
		all = append(all, Member{m.name, m.in, m.required, shapeOf(m.shape)})
	}
	return all
}

func shapeOf(s shape) Shape {
	out := Shape{Kind: s.kind, Union: s.kind == union, Min: s.min, Max: s.max, Enum: s.enum, Members: membersOf(s.members)}
	if s.pattern != nil {
		out.Pattern = patternOf(s.pattern)
	}
	if s.element != nil {
		e := shapeOf(*s.element)
		out.Element = &e
	}
	return out
}
