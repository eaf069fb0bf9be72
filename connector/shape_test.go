package connector_test

import (
	"errors"
	"strings"
	"testing"

	"selvedge/connector"
)

// TestStreamOf: the narrower shape counts, then the first.
func TestStreamOf(t *testing.T) {
	t.Parallel()
	app := connector.App{Name: "X", Streams: []connector.Stream{
		{Name: "any", Shapes: []connector.Shape{{{Path: "op"}}}},
		{Name: "mail", Shapes: []connector.Shape{{{Path: "op"}, {Path: "in.load", Is: []string{"mail", "post"}}}}},
		{Name: "loss", Shapes: []connector.Shape{{{Path: "op"}, {Path: "type", Is: []string{"11", "13"}}}, {{Path: "loss"}}}},
		{Name: "shapeless"},
	}}
	for raw, want := range map[string]string{
		`{"op":"x"}`:                                  "any",
		`{"op":{}}`:                                   "any",
		`{"op":false,"in":{"load":"post"}}`:           "mail",
		`{"op":"x","in":{"load":"mai\u006c"}}`:        "mail",
		`{"op":"x","in":{"load":"other"}}`:            "any",
		`{"op":"x","in":"mail"}`:                      "any",
		`{"op":"x","in":{"load":"mail"},"type":12}`:   "mail",
		`{"op":"x","in":{"load":"mail"},"type":"13"}`: "mail", // the first of two that are as narrow
		`{"op":"x","type":11}`:                        "loss",
		`{"loss":[]}`:                                 "loss",
		`{"op":null}`:                                 "",
		`{}`:                                          "",
		`[]`:                                          "",
		`[{"op":"x"}]`:                                "",
		`"op"`:                                        "",
		`null`:                                        "",
		`{"op":"x"`:                                   "",
		`{"op":"x"}{`:                                 "",
		``:                                            "",
	} {
		got, err := app.StreamOf([]byte(raw))
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: stream %q, %v; want %q", raw, got, err, want)
		}
		if err != nil && (!errors.Is(err, connector.ErrNoStream) || !strings.Contains(err.Error(), "X: any, mail, loss, shapeless")) {
			t.Errorf("%s: %v does not say which streams there are", raw, err)
		}
	}
	one := connector.App{Streams: []connector.Stream{{Name: "only"}}}
	if got, err := one.StreamOf([]byte("oops")); got != "only" || err != nil {
		t.Errorf("of one stream: %q, %v", got, err)
	}
}
