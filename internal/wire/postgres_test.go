package wire_test

import (
	"testing"

	"selvedge/internal/store/storetest"
)

// TestOnPostgreSQL runs this package's tests on the second database, but for the
// one that looks into SQLite's files.
func TestOnPostgreSQL(t *testing.T) {
	t.Parallel()
	storetest.OnPostgreSQL(t, "^TestSecretOfAKey$")
}
