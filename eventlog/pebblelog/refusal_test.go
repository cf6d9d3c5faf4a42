package pebblelog

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// failing is a file system on which an operation fails on files of that name's end.
func failing(fs vfs.FS, kind errorfs.OpKind, end string, err error) vfs.FS {
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == kind && strings.HasSuffix(op.Path, end) {
			return &os.PathError{Op: "test", Path: op.Path, Err: err}
		}
		return nil
	}))
}

// TestShortageIsNotDamage opens a log while there is no room for the table that
// its events are to go to, several times, and then when there is.
func TestShortageIsNotDamage(t *testing.T) {
	for _, test := range []struct {
		kind errorfs.OpKind
		want syscall.Errno
	}{
		{errorfs.OpFileWrite, syscall.ENOSPC},
		{errorfs.OpCreate, syscall.EMFILE},
	} {
		t.Run(test.want.Error(), func(t *testing.T) {
			disk := vfs.NewMem()
			l := mustOpen(t, Options{FS: disk})
			mustAppend(t, l, one(nave.Durable, "a"))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			for range 3 {
				err := refusal(t, failing(disk, test.kind, ".sst", test.want), place, place, test.want.Error())
				if !errors.Is(err, test.want) || strings.Contains(err.Error(), "damaged") {
					t.Errorf("error = %q, want it to be only %q", err, test.want)
				}
			}
			l = mustOpen(t, Options{FS: disk})
			defer l.Close()
			p, err := l.Read(ctx, 0, nave.Filters{"a"}, eventlog.Limit{})
			if err != nil || len(p.Events) != 1 {
				t.Errorf("with room again there are %d events, %v, want 1", len(p.Events), err)
			}
		})
	}
}

// TestDamagedTable checks that what Pebble would end the process for is damage
// and no shortage.
func TestDamagedTable(t *testing.T) {
	dir := newLog(t)
	l, err := Open(ctx, dir, Options{Logger: quiet}) // puts the events in a table
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	rewrite(t, dir, "*.sst", func(table []byte) []byte { return bytes.Repeat([]byte("x"), len(table)) })
	if err := refusal(t, vfs.Default, dir, dir, "damaged"); !pebble.IsCorruptionError(err) {
		t.Errorf("error %q does not unwrap to Pebble's", err)
	}
}

// TestLostBeginning loses what a log that was made has first written.
func TestLostBeginning(t *testing.T) {
	for name, lose := range map[string]func(wal []byte) []byte{
		"file":  func([]byte) []byte { return nil },
		"start": func(wal []byte) []byte { wal[20] ^= 0xff; return wal },
	} {
		t.Run(name, func(t *testing.T) {
			dir := newLog(t)
			rewrite(t, dir, "*.log", lose)
			for range 2 {
				refuses(t, dir, dir, "damaged", "epoch")
			}
		})
	}
}

// rewrite changes what is in the files; one with nothing left is removed.
func rewrite(t *testing.T, dir, pattern string, change func([]byte) []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if text = change(text); text != nil {
			writeFile(t, file, string(text))
		} else if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLockThatCannotBeTaken(t *testing.T) {
	dir := newLog(t)
	lock := filepath.Join(dir, "LOCK")
	for _, test := range []struct {
		kind errorfs.OpKind
		file string
	}{
		{errorfs.OpLock, "LOCK"},
		{errorfs.OpOpen, markName},
	} {
		err := refusal(t, failing(vfs.Default, test.kind, test.file, syscall.EACCES), dir, dir, "permission denied")
		if strings.Contains(err.Error(), "in use") {
			t.Errorf("error = %q, want nothing about use", err)
		}
	}
	if err := errors.Join(os.Remove(lock), os.Mkdir(lock, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := refusal(t, vfs.Default, dir, lock, "is a directory"); strings.Contains(err.Error(), "in use") {
		t.Errorf("error = %q, want nothing about use", err)
	}
}

// TestLostEnd loses what was written last. To Pebble that is a crash.
func TestLostEnd(t *testing.T) {
	for name, lose := range map[string]func(wal []byte) []byte{
		"cut off":   func(wal []byte) []byte { return wal[:endOf(wal)-200] },
		"zero":      func(wal []byte) []byte { clear(wal[endOf(wal)-200:]); return wal },
		"otherwise": func(wal []byte) []byte { wal[endOf(wal)-200] ^= 1; return wal },
		"gone":      func([]byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			dir := copyOfRunning(t)
			rewrite(t, dir, "*.log", lose)
			for range 2 {
				refuses(t, dir, dir, "damaged", "its end is missing: 4 writes were acknowledged, and it has")
			}
		})
	}
}

// endOf is where the zeros begin that are there in advance.
func endOf(wal []byte) int { return len(bytes.TrimRight(wal, "\x00")) }

// copyOfRunning is the directory of a log that was opened twice and not closed.
func copyOfRunning(t *testing.T) (dir string) {
	t.Helper()
	original := newLog(t)
	l, err := Open(ctx, original, Options{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 3 {
		mustAppend(t, l, one(nave.Durable, "a"))
	}
	dir = filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(original)); err != nil {
		t.Fatal(err)
	}
	return dir
}
