package rest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"selvedge/connector"
	"selvedge/connector/rest"
)

func TestUser(t *testing.T) {
	t.Parallel()
	paths := connector.User{ID: "id", Email: "mail|login", FullName: "name", FirstName: "names.0", LastName: "names.1", Status: "state"}
	for doc, want := range map[string]connector.User{
		`{"id":7,"mail":"a@x.example","login":"b","name":"A","names":["B","C"],"state":"on"}`: {
			ID: "7", Email: "a@x.example", FullName: "A", FirstName: "B", LastName: "C", Status: "on",
		},
		`{"id":"7","mail":"","login":"b@x.example","names":["B","C"]}`: {ID: "7", Email: "b@x.example", FullName: "B C", FirstName: "B", LastName: "C"},
		`{"id":"7","mail":null,"names":["B"]}`:                         {ID: "7", FullName: "B", FirstName: "B"},
	} {
		a, e := get(t, answering(200, doc))
		if e != nil {
			t.Fatal(e)
		}
		got, err := a.User(a.Body, paths)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v %s", doc, err, diff)
		}
	}
	a, _ := get(t, answering(200, `{"id":{}}`))
	if _, err := a.User(a.Body, paths); connector.KindOf(err) != connector.Malformed {
		t.Errorf("without an id: %v", err)
	}
	// Of paths that are empty, no value is taken, not the whole user.
	if got, err := a.User(rest.Doc(`"text"`), connector.User{ID: ""}); err == nil {
		t.Errorf("a text is %+v", got)
	}
}

func TestFlag(t *testing.T) {
	t.Parallel()
	for doc, want := range map[string][2]bool{`{"a":true}`: {true, true}, `{"a":false}`: {false, true}, `{"a":"true"}`: {}, `{"a":null}`: {}, `{}`: {}, `{"a":1}`: {}} {
		if value, ok := rest.Doc(doc).Flag("a"); [2]bool{value, ok} != want {
			t.Errorf("%s: %v, %v", doc, value, ok)
		}
	}
}
