package fabric_test

import (
	"testing"

	"selvedge/internal/fabric"
)

func TestEachErrorOfASearchHasATextOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]fabric.UserAccessError{}
	for _, e := range fabric.UserAccessErrors() {
		text := e.Message()
		if other, twice := seen[text]; twice || text == "" {
			t.Errorf("%s has the text %q, as has %s", e, text, other)
		}
		seen[text] = e
	}
	if len(seen) != 13 {
		t.Errorf("%d texts, AWS documents 13", len(seen))
	}
	if m := fabric.UserAccessError("").Message(); m != "" {
		t.Errorf("no error has the text %q", m)
	}
}

func TestWhichAuthorizationsFindUsers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  fabric.AuthorizationStatus
		granted bool
		want    fabric.UserAccessError
	}{
		{fabric.Connected, true, ""},
		{fabric.Connected, false, ""},
		{fabric.PendingConnect, false, fabric.TokenNotFound},
		{fabric.PendingConnect, true, ""},
		{fabric.ConnectionValidationFailed, true, fabric.AuthorizationInvalid},
		{fabric.ConnectionValidationFailed, false, fabric.AuthorizationInvalid},
		{fabric.TokenAutoRotationFailed, true, fabric.TokenNotRotated},
	} {
		if got := (fabric.AppAuthorization{Status: tt.status}).MayFindUsers(tt.granted); got != tt.want {
			t.Errorf("%s, granted %t: %q, want %q", tt.status, tt.granted, got, tt.want)
		}
	}
}
