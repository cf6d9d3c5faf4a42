package power

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A disk is a machine with a real directory. From the cut on every write fails;
// when the hub is gone the directory is made what a power cut could have left:
//
//   - a directory that was not synced has some of its changes, and not others;
//   - a file that was not synced has what was written since up to some byte, or
//     some of its sectors, or zeros or garbage in their place.
//
// Every file has a second name outside the directory, under which it can be found
// again when its removal is undone.
type disk struct {
	random *rand.Rand
	root   string
	spare  string // where the second names are
	drive  *drive // of the run
}

func newDisk(random *rand.Rand, root string) *disk {
	return &disk{random: random, root: root}
}

func (d *disk) volume() string { return filepath.Join(d.root, "volume") }
func (d *disk) place() string  { return filepath.Join(d.volume(), "log") }

func (d *disk) boot(s *supply) (*drive, error) {
	if d.spare != "" {
		if err := os.RemoveAll(d.spare); err != nil {
			return nil, err
		}
	}
	d.spare = filepath.Join(d.root, "spare")
	for _, dir := range []string{d.spare, d.volume()} {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return nil, err
		}
	}
	d.drive = newDrive(vfs.Default, s)
	d.drive.keep = func(path string, n *inode) error { return os.Link(path, d.second(n)) }
	s.cutting = func() { s.dead = true }
	return d.drive, d.register()
}

func (d *disk) second(n *inode) string { return filepath.Join(d.spare, fmt.Sprint(n.id)) }

// register takes note of what is there. Nobody has more than a lock in LOCK.
func (d *disk) register() error {
	entries, err := os.ReadDir(d.place())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Name() == "LOCK" {
			continue
		}
		path := filepath.Join(d.place(), e.Name())
		if err := d.drive.keep(path, d.drive.node(path)); err != nil {
			return err
		}
	}
	return err
}

func (d *disk) down() (lost loss, err error) {
	kept := d.keeper()
	made := d.drive.folder(d.volume())
	if len(made.changes) > 0 && !kept(0, 1) {
		return loss{names: 1}, os.RemoveAll(d.place())
	}
	folder := d.drive.folder(d.place())
	if err := d.files(folder, &lost); err != nil {
		return lost, err
	}
	entries := folder.synced
	for i, c := range folder.changes {
		if kept(i, len(folder.changes)) {
			c.apply(entries)
		} else {
			lost.names++
		}
	}
	return lost, d.rename(folder.now, entries)
}

// keeper decides which of n changes of a directory a cut keeps: all, none, the
// first few, or any.
func (d *disk) keeper() func(i, n int) bool {
	switch d.random.IntN(6) {
	case 0:
		return func(int, int) bool { return true }
	case 1:
		return func(int, int) bool { return false }
	case 2:
		share := d.random.Float64()
		return func(i, n int) bool { return float64(i) < share*float64(n) }
	default:
		return func(int, int) bool { return d.random.IntN(2) == 0 }
	}
}

// rename gives the files the names that they have after the cut.
func (d *disk) rename(now, after map[string]*inode) error {
	for name, n := range now {
		if after[name] != n {
			if err := os.Remove(filepath.Join(d.place(), name)); err != nil {
				return err
			}
		}
	}
	for name, n := range after {
		if now[name] != n {
			if err := os.Link(d.second(n), filepath.Join(d.place(), name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// files gives the files what is in them after the cut.
func (d *disk) files(f *folder, lost *loss) error {
	var dirty []*inode
	for _, entries := range []map[string]*inode{f.now, f.synced} {
		for _, n := range entries {
			if len(n.dirty) > 0 && !slices.Contains(dirty, n) {
				dirty = append(dirty, n)
			}
		}
	}
	slices.SortFunc(dirty, func(a, b *inode) int { return a.id - b.id })
	for _, n := range dirty {
		if err := d.settle(n, lost); err != nil {
			return err
		}
	}
	return nil
}
