package power

import (
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A drive is a file system on which every change takes power, and which knows
// what a cut may take: what was written to a file since it was synced, and what
// was done to a directory since it was.
type drive struct {
	vfs.FS
	supply *supply
	// keep is told of every file when it is made. Nil in memory, where no file is
	// put back as it was.
	keep func(path string, n *inode) error

	mu      sync.Mutex
	inodes  int
	folders map[string]*folder

	tables atomic.Int64 // sstables that were written, by flushes and compactions
}

// A folder is a directory: what is in it, and what was when it was synced.
type folder struct {
	now, synced map[string]*inode
	changes     []change // between the two
}

// A change of a directory is kept by a power cut as a whole or not at all.
type change struct {
	drop string // a name that goes, "" if none does
	put  string // a name that comes, "" if none does
	node *inode // what it names
}

func newDrive(fs vfs.FS, s *supply) *drive {
	return &drive{FS: fs, supply: s, folders: make(map[string]*folder)}
}

func (d *drive) Unwrap() vfs.FS { return d.FS }

func (d *drive) folder(path string) *folder {
	f := d.folders[path]
	if f == nil {
		f = &folder{now: make(map[string]*inode), synced: make(map[string]*inode)}
		d.folders[path] = f
	}
	return f
}

func (f *folder) change(c change) {
	f.changes = append(f.changes, c)
	c.apply(f.now)
}

func (c change) apply(entries map[string]*inode) {
	if c.drop != "" {
		delete(entries, c.drop)
	}
	if c.put != "" {
		entries[c.put] = c.node
	}
}

// split is the folder of a path, and the name in it.
func (d *drive) split(path string) (*folder, string) {
	return d.folder(d.PathDir(path)), d.PathBase(path)
}

// node is the file at the path; one that was there before the run has not been
// written to.
func (d *drive) node(path string) *inode {
	f, name := d.split(path)
	n := f.now[name]
	if n == nil {
		n = d.newNode(path)
		f.now[name], f.synced[name] = n, n
	}
	return n
}

func (d *drive) newNode(path string) *inode {
	d.inodes++
	return &inode{id: d.inodes, wal: isWAL(path)}
}

// added notes a new name for a file, or a new file.
func (d *drive) added(path string, n *inode) {
	f, name := d.split(path)
	f.change(change{put: name, node: n})
}

func (d *drive) moved(from, to string) *inode {
	n := d.node(from)
	f, name := d.split(to)
	f.change(change{drop: d.PathBase(from), put: name, node: n})
	return n
}

func (d *drive) Create(path string, c vfs.DiskWriteCategory) (made vfs.File, err error) {
	err = d.supply.write(func() error {
		f, err := d.FS.Create(path, c)
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		n := d.newNode(path)
		d.added(path, n)
		if strings.HasSuffix(path, ".sst") {
			d.tables.Add(1)
		}
		made = &file{File: f, drive: d, path: path, node: n}
		if d.keep != nil {
			return d.keep(path, n)
		}
		return nil
	})
	return made, err
}

func (d *drive) OpenReadWrite(path string, c vfs.DiskWriteCategory, o ...vfs.OpenOption) (vfs.File, error) {
	if _, err := d.Stat(path); err != nil {
		return d.Create(path, c)
	}
	f, err := d.FS.OpenReadWrite(path, c, o...)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return &file{File: f, drive: d, path: path, node: d.node(path)}, nil
}

func (d *drive) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (reused vfs.File, err error) {
	err = d.supply.write(func() error {
		f, err := d.FS.ReuseForWrite(from, to, c)
		if err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		reused = &file{File: f, drive: d, path: to, node: d.moved(from, to)}
		return nil
	})
	return reused, err
}

func (d *drive) OpenDir(path string) (vfs.File, error) {
	f, err := d.FS.OpenDir(path)
	if err != nil {
		return nil, err
	}
	return &openFolder{File: f, drive: d, path: path}, nil
}

func (d *drive) Link(from, to string) error {
	return d.changed(func() error { return d.FS.Link(from, to) }, func() { d.added(to, d.node(from)) })
}

func (d *drive) Rename(from, to string) error {
	return d.changed(func() error { return d.FS.Rename(from, to) }, func() { d.moved(from, to) })
}

func (d *drive) Remove(path string) error {
	return d.changed(func() error { return d.FS.Remove(path) }, func() {
		d.node(path)
		f, name := d.split(path)
		f.change(change{drop: name})
	})
}

func (d *drive) RemoveAll(string) error { panic("Pebble removes no directory of a log") }

func (d *drive) MkdirAll(path string, perm os.FileMode) error {
	if _, err := d.Stat(path); err == nil {
		return nil
	}
	return d.changed(func() error { return d.FS.MkdirAll(path, perm) }, func() { d.added(path, nil) })
}

// changed notes a change of a directory once it is made.
func (d *drive) changed(change func() error, note func()) error {
	return d.supply.write(func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if err := change(); err != nil {
			return err
		}
		note()
		return nil
	})
}

// An openFolder is a directory open for syncing.
type openFolder struct {
	vfs.File
	drive *drive
	path  string
}

func (o *openFolder) SyncData() error { return o.Sync() }

func (o *openFolder) Sync() error {
	d := o.drive
	return d.supply.write(func() error {
		d.mu.Lock() // nothing is changed meanwhile
		defer d.mu.Unlock()
		if err := o.File.Sync(); err != nil {
			return err
		}
		f := d.folder(o.path)
		for _, c := range f.changes {
			c.apply(f.synced)
		}
		f.changes = nil
		return nil
	})
}
