package pebblelog

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A directory is a log's if it holds a file called markName that says so. Looked
// at before Pebble is, it tells a newer log, or something else, from a damaged
// one. While the log is being made the file has the name newMarkName.
const (
	markName    = "NAVE-LOG"
	newMarkName = markName + ".new"
	markFormat  = "nave event log, format %d\n"
	format      = 2
	oldest      = 2 // that can still be read
)

// A directory is the place of a log, locked.
type directory struct {
	fs    vfs.FS
	path  string
	lock  *pebble.Lock
	fresh bool // no log was ever opened in it
}

// stillThere is an error if the directory holds no log any more: it was removed, or
// its disk is not mounted.
func stillThere(fs vfs.FS, path string) error {
	if _, err := fs.Stat(fs.PathJoin(path, markName)); oserror.IsNotExist(err) {
		return fmt.Errorf("the log that was in %s is gone: has its directory been removed, or its disk unmounted?", path)
	}
	return nil
}

// claim makes the directory, or finds it to be a log's, and locks it.
func claim(fs vfs.FS, path string) (*directory, error) {
	d := &directory{fs: fs, path: path}
	if err := makeDir(fs, path); err != nil {
		return nil, err
	}
	if err := d.inspect(); err != nil {
		return nil, err
	}
	var err error
	if d.lock, err = pebble.LockDirectory(path, fs); err != nil {
		if heldByOther(err) {
			return nil, fmt.Errorf("directory %s is in use by another hub: %w", path, err)
		}
		return nil, fmt.Errorf("directory %s cannot be locked: %w", path, err)
	}
	if d.fresh {
		err = d.mark()
	}
	if err != nil {
		d.lock.Close()
		return nil, fmt.Errorf("mark directory %s: %w", path, err)
	}
	return d, nil
}

// heldByOther tells a lock that somebody has from one that cannot be taken. For
// another log of this process Pebble has no more than words.
func heldByOther(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "held by current process")
}

// makeDir makes the directory and its parents, each of them safe from a crash.
func makeDir(fs vfs.FS, dir string) error {
	if info, err := fs.Stat(dir); err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s is a file, and no directory", dir)
		}
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// inspect finds out whether the directory is fresh. It fails if the directory is
// neither fresh nor a log's that we can read.
func (d *directory) inspect() error {
	mark, err := readFile(d.fs, d.fs.PathJoin(d.path, markName))
	if oserror.IsNotExist(err) {
		d.fresh = true
		return d.checkFresh()
	}
	if err != nil {
		return err
	}
	var found int
	if _, err := fmt.Sscanf(mark, markFormat, &found); err != nil {
		return fmt.Errorf("directory %s has a file %s that says %.40q: it is not a log of this program", d.path, markName, mark)
	}
	switch {
	case found > format:
		return fmt.Errorf("the log in %s has format %d, which is newer than this program: it knows up to %d", d.path, found, format)
	case found < oldest:
		return fmt.Errorf("the log in %s has format %d, which is older than this program: it knows from %d on", d.path, found, oldest)
	}
	return nil
}

// checkFresh refuses a directory with anything but the beginnings of a log.
func (d *directory) checkFresh() error {
	names, err := d.fs.List(d.path)
	if err != nil || slices.Contains(names, newMarkName) {
		return err
	}
	ignored := []string{"LOCK", "lost+found", "acme"} // the last is for certificates, which may be older than the log
	names = slices.DeleteFunc(names, func(name string) bool { return slices.Contains(ignored, name) })
	if len(names) > 0 {
		slices.Sort(names)
		return fmt.Errorf("directory %s holds something else (%s): the log needs one of its own",
			d.path, strings.Join(names[:min(3, len(names))], ", "))
	}
	return nil
}

// mark says that a log is being made here. If that was begun before, the mark stays
// while it is written: it is all that tells a log half made from something else.
// Create would remove it first.
func (d *directory) mark() error {
	f, err := d.fs.OpenReadWrite(d.fs.PathJoin(d.path, newMarkName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(fmt.Appendf(nil, markFormat, format), 0); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return syncDir(d.fs, d.path)
}

// made says that a log is here: from now on, not to find one is damage.
func (d *directory) made() error {
	if !d.fresh {
		return nil
	}
	if err := d.fs.Rename(d.fs.PathJoin(d.path, newMarkName), d.fs.PathJoin(d.path, markName)); err != nil {
		return err
	}
	return syncDir(d.fs, d.path)
}

func readFile(fs vfs.FS, path string) (string, error) {
	f, err := fs.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	return string(text), err
}
