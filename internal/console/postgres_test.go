package console_test

import (
	"testing"

	"selvedge/internal/store/storetest"
)

// TestOnPostgreSQL runs this package's tests on the second database.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.OnPostgreSQL(t, "")
}
