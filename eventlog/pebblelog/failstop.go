package pebblelog

import (
	"io"
	"os"
	"strings"
	"sync/atomic"

	"github.com/cockroachdb/errors/oserror"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A fault is the first thing that broke the log, if anything did.
type fault struct{ first atomic.Pointer[error] }

func (f *fault) set(err error) { f.first.CompareAndSwap(nil, &err) }

func (f *fault) err() error {
	if err := f.first.Load(); err != nil {
		return *err
	}
	return nil
}

// note records what a write came to, and hides its error.
func (f *fault) note(err error) {
	if err != nil {
		f.set(err)
	}
}

// A failStop is a file system on which the first failed write or sync is the
// last: it is noted as the fault, and from then on nothing changes on disk, as
// if the machine had stopped there. A later open recovers as from a crash, and
// a failed sync is never retried and believed.
//
// Pebble is not told. It would panic holding locks, or end the process; instead
// it goes on in vain until it is closed, and the log, which looks at the fault
// before it believes a commit, says no to everybody.
type failStop struct {
	vfs.FS
	fault *fault
}

func (fs failStop) Unwrap() vfs.FS { return fs.FS }

// change runs a write unless the disk has stopped.
func (fs failStop) change(write func() error) error {
	if fs.fault.err() == nil {
		fs.fault.note(write())
	}
	return nil
}

// open opens a file for writing; one that goes nowhere if the disk has stopped.
func (fs failStop) open(name string, open func() (vfs.File, error)) (vfs.File, error) {
	if fs.fault.err() == nil {
		f, err := open()
		if err == nil {
			return failStopFile{f, fs.fault}, nil
		}
		fs.fault.set(err)
	}
	nowhere, err := vfs.NewMem().Create(fs.PathBase(name), vfs.WriteCategoryUnspecified)
	return failStopFile{nowhere, fs.fault}, err
}

// Create syncs the directory before and after it makes a Pebble marker, which
// names another file there and replaces another marker. Pebble syncs only when
// it is done with all three, so that a power cut might keep the new marker and
// lose its file, or keep neither marker.
func (fs failStop) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	dir := fs.PathDir(name)
	marker := strings.HasPrefix(fs.PathBase(name), "marker.")
	if marker {
		_ = fs.change(func() error { return syncDir(fs.FS, dir) })
	}
	f, err := fs.open(name, func() (vfs.File, error) { return fs.FS.Create(name, c) })
	if marker {
		_ = fs.change(func() error { return syncDir(fs.FS, dir) })
	}
	return f, err
}

func (fs failStop) OpenReadWrite(name string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	return fs.open(name, func() (vfs.File, error) { return fs.FS.OpenReadWrite(name, c, o...) })
}

func (fs failStop) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.open(to, func() (vfs.File, error) { return fs.FS.ReuseForWrite(from, to, c) })
}

func (fs failStop) OpenDir(name string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return failStopFile{f, fs.fault}, nil
}

func (fs failStop) Link(from, to string) error {
	return fs.change(func() error { return fs.FS.Link(from, to) })
}

// Remove reports a missing file as such: that is an answer, not a fault.
func (fs failStop) Remove(name string) error {
	if fs.fault.err() != nil {
		return nil
	}
	err := fs.FS.Remove(name)
	if oserror.IsNotExist(err) {
		return err
	}
	fs.fault.note(err)
	return nil
}

func (fs failStop) RemoveAll(name string) error {
	return fs.change(func() error { return fs.FS.RemoveAll(name) })
}

func (fs failStop) Rename(from, to string) error {
	return fs.change(func() error { return fs.FS.Rename(from, to) })
}

func (fs failStop) MkdirAll(name string, perm os.FileMode) error {
	return fs.change(func() error { return fs.FS.MkdirAll(name, perm) })
}

type failStopFile struct {
	vfs.File
	fault *fault
}

var _ io.WriterAt = failStopFile{}

func (f failStopFile) change(write func() error) error {
	return failStop{fault: f.fault}.change(write)
}

func (f failStopFile) Write(p []byte) (int, error) {
	return len(p), f.change(func() error { _, err := f.File.Write(p); return err })
}

func (f failStopFile) WriteAt(p []byte, offset int64) (int, error) {
	return len(p), f.change(func() error { _, err := f.File.WriteAt(p, offset); return err })
}

// Preallocate writes zeros where Pebble asks for room only. It does so for the
// write-ahead log, which would otherwise grow with every commit, and then each sync
// has to write down how long it is now, which takes longer than the rest of it. An
// error is no fault: the log then grows as it would have.
func (f failStopFile) Preallocate(offset, length int64) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	for at, end := max(offset, info.Size()), offset+length; at < end && err == nil && f.fault.err() == nil; at += int64(len(zeros)) {
		_, err = f.File.WriteAt(zeros[:min(int64(len(zeros)), end-at)], at)
	}
	return err
}

// zeros are only ever read.
var zeros [64 << 10]byte

func (f failStopFile) Sync() error     { return f.change(f.File.Sync) }
func (f failStopFile) SyncData() error { return f.change(f.File.SyncData) }

func (f failStopFile) SyncTo(length int64) (whole bool, err error) {
	err = f.change(func() (err error) { whole, err = f.File.SyncTo(length); return err })
	return whole, err
}

// Close always closes, since the file is open in any case.
func (f failStopFile) Close() error {
	f.fault.note(f.File.Close())
	return nil
}
