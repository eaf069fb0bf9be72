package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/internal/wire"
)

// TestABackupIsWholeOrNotThere: whatever becomes of the transfer, nothing that
// is not the file has its name.
func TestABackupIsWholeOrNotThere(t *testing.T) {
	t.Parallel()
	const sum = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of hello
	tests := []struct {
		name, body, sum string
		length          int
		want            string // in the error; empty: it succeeds
	}{
		{"whole", "hello", sum, 5, ""},
		{"cut off", "hel", sum, 5, "after 3 of 5 bytes"},
		{"another byte", "hallo", sum, 5, "is not what was sent"},
		{"no sum", "hello", "", 5, "as Selvedge does"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(tt.length))
				if tt.sum != "" {
					w.Header().Set(wire.HeaderSHA256, tt.sum)
				}
				_, _ = w.Write([]byte(tt.body))
			}))
			defer front.Close()
			dir := t.TempDir()
			var out, errs bytes.Buffer
			w := world{environ: []string{"AWS_ACCESS_KEY_ID=AKIDEXAMPLE00000", "AWS_SECRET_ACCESS_KEY=x"}, stdout: &out, stderr: &errs}
			code := run(context.Background(), []string{"backup", filepath.Join(dir, "b.db"), "--endpoint", front.URL}, w)
			files, err := os.ReadDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == "" {
				if code != 0 || len(files) != 1 || files[0].Name() != "b.db" {
					t.Errorf("status %d, files %v: %s", code, files, &errs)
				}
				return
			}
			if code != 1 || len(files) != 0 || !strings.Contains(errs.String(), tt.want) {
				t.Errorf("status %d, files %v, %q; want no file and %q", code, files, &errs, tt.want)
			}
		})
	}
}
