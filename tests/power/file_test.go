package power

import (
	"io"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// An inode is a file, whatever its names.
type inode struct {
	id    int
	wal   bool
	dirty []stretch // what was written since the last sync, oldest first
}

// A stretch of a file that was written, and what was there before.
type stretch struct {
	from, to int64
	before   []byte // shorter where the file has grown
	size     int64  // of the file, before
}

// A file is one that is open. Pebble writes to a file from one goroutine at a
// time, and syncs it from that one too.
type file struct {
	vfs.File
	drive *drive
	path  string
	node  *inode
	at    int64 // where Write goes on
}

func isWAL(path string) bool { return strings.HasSuffix(path, ".log") }

func (f *file) Write(p []byte) (n int, err error) {
	err = f.drive.supply.write(func() error {
		if err := f.soil(f.at, len(p)); err != nil {
			return err
		}
		n, err = f.File.Write(p)
		f.at += int64(n)
		return err
	})
	return n, err
}

func (f *file) WriteAt(p []byte, at int64) (n int, err error) {
	err = f.drive.supply.write(func() error {
		if err := f.soil(at, len(p)); err != nil {
			return err
		}
		n, err = f.File.WriteAt(p, at)
		return err
	})
	return n, err
}

// soil notes that a stretch is about to be written.
func (f *file) soil(at int64, n int) error {
	s := stretch{from: at, to: at + int64(n)}
	if f.drive.keep != nil {
		info, err := f.File.Stat()
		if err != nil {
			return err
		}
		s.size = info.Size()
		s.before = make([]byte, max(0, min(s.to, s.size)-s.from))
		if _, err := f.File.ReadAt(s.before, s.from); err != nil && err != io.EOF {
			return err
		}
	}
	f.drive.mu.Lock()
	defer f.drive.mu.Unlock()
	f.node.dirty = append(f.node.dirty, s)
	return nil
}

func (f *file) Sync() error {
	return f.clean(func() (bool, error) { return true, f.File.Sync() })
}

func (f *file) SyncData() error {
	return f.clean(func() (bool, error) { return true, f.File.SyncData() })
}

// SyncTo promises nothing unless it says that it has synced the whole file.
func (f *file) SyncTo(length int64) (whole bool, err error) {
	err = f.clean(func() (bool, error) {
		whole, err = f.File.SyncTo(length)
		return whole, err
	})
	return whole, err
}

// clean syncs the file. It holds up nobody else.
func (f *file) clean(sync func() (whole bool, err error)) error {
	d := f.drive
	return d.supply.step(isWAL(f.path), func() error {
		d.mu.Lock()
		n := len(f.node.dirty)
		d.mu.Unlock()
		whole, err := sync()
		if !whole || err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		f.node.dirty = f.node.dirty[n:]
		return nil
	})
}
