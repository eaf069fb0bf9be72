package mapping_test

import (
	"testing"

	"selvedge/connector/mapping"
	"selvedge/ocsf"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	m := mapping.MustNew(table())
	for _, test := range []struct {
		code     string
		class    ocsf.Class
		activity int
		name     string
	}{
		{"login", ocsf.Authentication, 1, ""},
		{"login.failed", ocsf.WebResources, 2, ""},
		{"user.lifecycle.delete", ocsf.AccountChange, 6, ""},
		{"user.role.removed", ocsf.UserAccess, 2, ""},
		{"user.noted", ocsf.AccountChange, ocsf.Other, "Noted"},
		{"user.noted.again", ocsf.AccountChange, ocsf.Other, "user.noted.again"},
		{"UserLoggedIn", ocsf.WebResources, ocsf.Other, "UserLoggedIn"},
		{"FileDownloaded", ocsf.WebResources, 7, ""},
		{"streamDevicesCSVDownload", ocsf.WebResources, 7, ""},
		{"SHEET - UPDATE", ocsf.WebResources, 3, ""},
		{"board_created", ocsf.WebResources, 1, ""},
		{"file.create.failure.name.in.use", ocsf.WebResources, 1, ""},
		{"", ocsf.WebResources, ocsf.Other, ""},
		{"....", ocsf.WebResources, ocsf.Other, "...."},
	} {
		class, activity, name := m.Judge(test.code)
		if class != test.class || activity != test.activity || name != test.name {
			t.Errorf("%q is %d/%d %q, not %d/%d %q", test.code, class, activity, name, test.class, test.activity, test.name)
		}
	}
}

// TestVerbFirst: where types begin with their verb, the last word is no verb of
// theirs.
func TestVerbFirst(t *testing.T) {
	t.Parallel()
	first := table()
	first.VerbFirst = true
	first.Words = map[string]mapping.Verb{"request": mapping.None}
	m, last := mapping.MustNew(first), mapping.MustNew(table())
	for code, want := range map[string][2]int{
		"Delete access request":   {4, 1},
		"DeleteAccessRequest":     {4, 1},
		"Remove verified domain":  {4, 2},
		"delete":                  {4, 4},
		"Request approved":        {3, 3}, // "request" is no verb of the table's
		"Widget deleted":          {4, 4},
		"deleted_widget_restored": {4, 3},
		"WidgetDeleted":           {4, 4},
		"CSVDownload":             {7, 7},
		"4 deleted":               {4, 4},
		" Delete what is shared":  {8, 8},
		"":                        {ocsf.Other, ocsf.Other},
		"x":                       {ocsf.Other, ocsf.Other},
	} {
		_, a, _ := m.Judge(code)
		_, b, _ := last.Judge(code)
		if a != want[0] || b != want[1] {
			t.Errorf("%q is %d by its first verb and %d by its last, not %v", code, a, b, want)
		}
	}
}
