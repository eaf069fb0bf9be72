package local_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"selvedge/sink"
	"selvedge/sink/local"
)

func TestLook(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "there"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, s := range map[string]sink.Looker{"bucket": local.New(root), "stream": local.NewStreams(root)} {
		for name, want := range map[string]string{"there": "", "gone": "is not there", "file": "is no folder", "file/below": "cannot be looked at"} {
			err := s.Look(t.Context(), "", name)
			if got := sink.ReasonOf(err); (err == nil) != (want == "") || !strings.Contains(got, want) {
				t.Errorf("%s %s: %v, want %q", kind, name, err, want)
			}
		}
	}
}
