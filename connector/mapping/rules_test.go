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
