package wire

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
		all = append(all, Operation{op.name, op.method, op.pattern, op.status, membersOf(op.input)})
	}
	return all
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
