package main

import (
	"path/filepath"
	"strings"
	"testing"

	"selvedge/internal/config"
)

// TestGreet: the console's address with what signs in there, and the lines that a
// shell takes, whatever the folder is called.
func TestGreet(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "it's here")
	var out strings.Builder
	if err := greet(&out, &server{settings: config.Settings{DataDir: dir}, url: "https://fabric.example.com"}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "credentials")
	for _, want := range []string{
		"Its console is at https://fabric.example.com/console/: sign in with the access key in " + file + "\n",
		"export AWS_SHARED_CREDENTIALS_FILE='" + strings.ReplaceAll(file, "'", `'\''`) + "'\n",
		"export AWS_ENDPOINT_URL_APPFABRIC=https://fabric.example.com\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing:\n%s", want, &out)
		}
	}
}
