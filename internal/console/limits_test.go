package console_test

import (
	"fmt"
	"strings"
	"testing"

	"selvedge/internal/fabric"
	"selvedge/internal/store/storetest"
)

// TestPagesAtTheirLimits has names as long as the API takes them, of what HTML makes
// longer, and as much of everything as a page shows: get looks at the sizes.
func TestPagesAtTheirLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Repeat("<", 1000))
	for n := range 48 {
		tag := []fabric.Tag{{Key: fmt.Sprint(n, strings.Repeat("<", 120)), Value: strings.Repeat("<", 256)}}
		if err := w.control.TagResource(t.Context(), w.caller, w.spare.ARN().String(), tag); err != nil {
			t.Fatal(err)
		}
	}
	a := w.authorization
	storetest.Rig{Authorization: a, Ingestion: w.Ingestion}.Fill(t, w.store, 200)
	b := w.browser()
	results := w.results(b)
	for n := range 30 {
		w.stands(w.rig("OKTA", fmt.Sprint(n, w.text), rawJSON()), fabric.ConnectionValidationFailed, w.text)
	}
	rows := b.get("/console/")
	if n := len(rows.all("tr")); n != 26 {
		t.Errorf("%d rows", n)
	}
	for _, path := range []string{
		rows.link("Next page"), w.at["authorization"], w.at["spare"], w.at["spare"] + "/edit", w.path, w.path + "/events", w.path + "/events?n=100",
		w.at["destination"], results, "/console/trail?n=50", "/console/apps/okta/connect", "/console/user-access",
	} {
		b.get(path)
	}
}
