package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"selvedge/sink"
	"selvedge/sink/local"
	"selvedge/sink/sinktest"
)

const (
	bucket = "acme-audit.logs"
	key    = "p/AWSAppFabric/x/AuditLog-1-u"
)

// files lists the regular files of the bucket; those with dot names apart.
func files(root string) (objects, unfinished []string, err error) {
	base := filepath.Join(root, bucket)
	err = filepath.WalkDir(base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(base, path)
		if strings.HasPrefix(d.Name(), ".") {
			unfinished = append(unfinished, name)
		} else {
			objects = append(objects, filepath.ToSlash(name))
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) { // a dot file has gone while it was looked at
		err = nil
	}
	return objects, unfinished, err
}

func TestSuite(t *testing.T) {
	t.Parallel()
	sinktest.Run(t, func(t *testing.T) sinktest.Harness {
		root := filepath.Join(t.TempDir(), "made", "buckets")
		s := local.New(root)
		return sinktest.Harness{
			Sink:       s,
			Bucket:     bucket,
			Read:       func(key string) ([]byte, error) { return os.ReadFile(filepath.Join(root, bucket, key)) },
			List:       func() ([]string, error) { names, _, err := files(root); return names, err },
			Unfinished: func() ([]string, error) { _, names, err := files(root); return names, err },
			Kills: func() map[string]sink.ObjectSink {
				kills := make(map[string]sink.ObjectSink)
				for _, step := range local.Steps() {
					kills[step] = s.WithStep(func(at string) error {
						if at == step {
							panic("killed")
						}
						return nil
					})
				}
				return kills
			},
		}
	})
}

func prepared(t *testing.T) (string, *local.Sink) {
	t.Helper()
	root := t.TempDir()
	s := local.New(root)
	if err := s.Prepare(t.Context(), bucket); err != nil {
		t.Fatal(err)
	}
	return root, s
}

func object(body string) sink.Object {
	return sink.Object{Bucket: bucket, Key: key, Body: []byte(body)}
}

// TestRefusals gives each of a file system's ways to say no, at each step.
func TestRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		errno  error
		kind   sink.Kind
		reason string // contained
	}{
		{syscall.ENOSPC, sink.Refused, "free some space"},
		{syscall.EDQUOT, sink.Refused, "free some space"},
		{syscall.EACCES, sink.Refused, "right to write"},
		{syscall.EPERM, sink.Refused, "right to write"},
		{syscall.EROFS, sink.Refused, "make it writable"},
		{syscall.ENOTDIR, sink.Refused, "move it away"},
		{syscall.EISDIR, sink.Refused, "move it away"},
		{syscall.ENAMETOOLONG, sink.Refused, "shorter prefix"},
		{syscall.EIO, sink.Unavailable, "log has the cause"},
		{syscall.EMFILE, sink.Unavailable, "log has the cause"},
	}
	for _, test := range tests {
		for _, step := range local.Steps() {
			t.Run(fmt.Sprintf("%v at %s", test.errno, step), func(t *testing.T) {
				t.Parallel()
				root, s := prepared(t)
				broken := s.WithStep(func(at string) error {
					if at == step {
						return &fs.PathError{Op: at, Path: "p", Err: test.errno}
					}
					return nil
				})
				err := broken.Put(t.Context(), object("body"))
				e, ok := errors.AsType[*sink.Error](err)
				if !ok || e.Kind != test.kind || !strings.Contains(e.Reason, test.reason) || !strings.Contains(e.Reason, bucket) {
					t.Fatalf("Put = %v, want %v, %q and the bucket's name", err, test.kind, test.reason)
				}
				if strings.Contains(e.Reason, root) || strings.Contains(e.Reason, key) {
					t.Errorf("the reason %q names a path of the server", e.Reason)
				}
				if _, unfinished, err := files(root); err != nil || len(unfinished) > 0 {
					t.Errorf("left unfinished: %q, %v", unfinished, err)
				}
				if err := s.Put(t.Context(), object("body")); err != nil {
					t.Errorf("Put once it works again: %v", err)
				}
			})
		}
	}
}

// TestInTheWay has what stands in a path: each with the real file system.
func TestInTheWay(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		lay    func(root string) error
		kind   sink.Kind
		reason string
	}{
		{"bucket is a file", func(root string) error {
			return errors.Join(os.Remove(filepath.Join(root, bucket)), os.WriteFile(filepath.Join(root, bucket), nil, 0o600))
		}, sink.Refused, "move it away"},
		{"bucket is gone", func(root string) error { return os.Remove(filepath.Join(root, bucket)) }, sink.Refused, "make it again"},
		{"root is gone", os.RemoveAll, sink.Refused, "make it again"},
		{"root is a file", func(root string) error { return errors.Join(os.RemoveAll(root), os.WriteFile(root, nil, 0o600)) }, sink.Refused, "move it away"},
		{"prefix is a file", func(root string) error { return os.WriteFile(filepath.Join(root, bucket, "p"), nil, 0o600) }, sink.Refused, "move it away"},
		{"key is a folder", func(root string) error { return os.MkdirAll(filepath.Join(root, bucket, key), 0o700) }, sink.Refused, "move it away"},
		{"prefix leads outside", func(root string) error { return os.Symlink("/", filepath.Join(root, bucket, "p")) }, sink.Unavailable, "log has the cause"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root, s := prepared(t)
			if err := test.lay(root); err != nil {
				t.Fatal(err)
			}
			err := s.Put(t.Context(), object("body"))
			if sink.KindOf(err) != test.kind || !strings.Contains(sink.ReasonOf(err), test.reason) {
				t.Errorf("Put = %v, want %v and %q", err, test.kind, test.reason)
			}
		})
	}
}

// TestOwnRules has keys that other buckets would take.
func TestOwnRules(t *testing.T) {
	t.Parallel()
	for _, key := range []string{".a", "a/.b", `a\b`, strings.Repeat("n", 256)} {
		_, s := prepared(t)
		err := s.Put(t.Context(), sink.Object{Bucket: bucket, Key: key})
		if err == nil || sink.KindOf(err) != sink.Refused {
			t.Errorf("Put(%q) = %v, want Refused", key, err)
		}
	}
}

func TestDamagedObjectIsReplaced(t *testing.T) {
	t.Parallel()
	for _, damaged := range []string{"", "bod", "bodies", "BODY"} {
		root, s := prepared(t)
		path := filepath.Join(root, bucket, key)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(damaged), 0o600)); err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), object("body")); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != "body" {
			t.Errorf("over %q: %q, %v", damaged, got, err)
		}
	}
}

func TestSameBytesAreNotWrittenAgain(t *testing.T) {
	t.Parallel()
	_, s := prepared(t)
	if err := s.Put(t.Context(), object("body")); err != nil {
		t.Fatal(err)
	}
	var steps []string
	counted := s.WithStep(func(at string) error { steps = append(steps, at); return nil })
	for range 2 {
		if err := counted.Put(t.Context(), object("body")); err != nil {
			t.Fatal(err)
		}
	}
	// The first Put of a process makes every folder of the path durable, the
	// next ones only the object and its own folder.
	chain := "mkdir,sync folder,"
	want := strings.Repeat(chain, 4) + "sync,sync folder," + strings.Repeat("mkdir,", 4) + "sync,sync folder"
	if diff := cmp.Diff(want, strings.Join(steps, ",")); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	root, s := prepared(t)
	if err := s.Put(t.Context(), object("body")); err != nil {
		t.Fatal(err)
	}
	for path, max := range map[string]fs.FileMode{"": 0o750, "p/AWSAppFabric": 0o750, key: 0o640} {
		info, err := os.Stat(filepath.Join(root, bucket, path))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got&^max != 0 {
			t.Errorf("%q has the mode %o, want at most %o", path, got, max)
		}
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	root, s := prepared(t)
	if err := s.Put(t.Context(), object("body")); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, age := range map[string]time.Duration{
		"p/.selvedge-old-1.part": 2 * time.Hour, "p/.selvedge-new-1.part": time.Minute,
		"p/.keep": 2 * time.Hour, "p/old.part": 2 * time.Hour,
	} {
		path := filepath.Join(root, bucket, name)
		if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Chtimes(path, now.Add(-age), now.Add(-age))); err != nil {
			t.Fatal(err)
		}
	}
	n, err := s.Sweep(t.Context(), now.Add(-time.Hour))
	if n != 1 || err != nil {
		t.Errorf("Sweep = %d, %v, want 1", n, err)
	}
	_, unfinished, err := files(root)
	if diff := cmp.Diff([]string{"p/.keep", "p/.selvedge-new-1.part"}, unfinished); diff != "" || err != nil {
		t.Errorf("left (-want +got):\n%s%v", diff, err)
	}
	if n, err := local.New(filepath.Join(root, "none")).Sweep(t.Context(), now); n != 0 || err != nil {
		t.Errorf("Sweep without a root = %d, %v", n, err)
	}
}

func BenchmarkPut(b *testing.B) {
	s := local.New(b.TempDir())
	if err := s.Prepare(b.Context(), bucket); err != nil {
		b.Fatal(err)
	}
	body := []byte(strings.Repeat("0123456789abcde\n", 64<<10))
	b.SetBytes(int64(len(body)))
	for i := 0; b.Loop(); i++ {
		if err := s.Put(b.Context(), sink.Object{Bucket: bucket, Key: fmt.Sprintf("day/%d", i), Body: body}); err != nil {
			b.Fatal(err)
		}
	}
}
