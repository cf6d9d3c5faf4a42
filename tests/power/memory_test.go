package power

import (
	"errors"
	"math/rand/v2"
	"os"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// A memory is a machine whose disk is Pebble's crashable file system in memory. A
// cut leaves a clone of it, with some of what was not synced; the hub of that run
// goes on for a moment on what nobody will see again.
type memory struct {
	random *rand.Rand
	disk   *vfs.MemFS
	drive  *drive // of the run
	left   *vfs.MemFS
	lost   loss
	err    error
}

func newMemory(random *rand.Rand) *memory {
	return &memory{random: random, disk: vfs.NewCrashableMem()}
}

func (*memory) place() string { return "log" }

func (m *memory) boot(s *supply) (*drive, error) {
	m.drive = newDrive(m.disk, s)
	s.cutting = m.cut
	return m.drive, nil
}

func (m *memory) down() (loss, error) {
	m.disk = m.left
	return m.lost, m.err
}

// cut clones the disk, and then hurts the newest WAL if it ends in what was not
// synced.
func (m *memory) cut() {
	percent := m.random.IntN(101)
	tear := m.random.IntN(2) == 0
	if tear {
		percent = 100 - m.random.IntN(50) // there must be something to tear
	}
	m.left = m.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: m.random})
	m.lost = loss{}
	if tear {
		m.err = m.tear()
	}
	if m.err == nil {
		m.err = m.compare()
	}
}

// dirty are the files of the log that were not synced, and their names.
func (m *memory) dirty() (names []string, files map[string]*inode) {
	files = make(map[string]*inode)
	for name, n := range m.drive.folder(m.place()).now {
		if n != nil && len(n.dirty) > 0 {
			names = append(names, name)
			files[name] = n
		}
	}
	slices.Sort(names)
	return names, files
}

func (m *memory) tear() error {
	names, files := m.dirty()
	wal := ""
	for _, name := range names {
		if isWAL(name) && len(name) >= len(wal) {
			wal = name // names of one length are sorted by number
		}
	}
	if wal == "" {
		return nil
	}
	path := m.disk.PathJoin(m.place(), wal)
	content, err := readAll(m.left, path)
	if err != nil {
		return ignoreMissing(err)
	}
	s := files[wal].dirty[len(files[wal].dirty)-1]
	s.to = min(s.to, int64(len(content)))
	if s.to <= s.from {
		return nil // the clone has not got it
	}
	m.lost.torn = true
	return m.replace(path, hurt(content, s, m.random))
}

// replace puts other content into a file of the clone.
func (m *memory) replace(path string, content []byte) error {
	f, err := m.left.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(content); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	dir, err := m.left.OpenDir(m.place())
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}

// compare finds what the clone has not got.
func (m *memory) compare() error {
	names, files := m.dirty()
	for _, name := range names {
		path := m.disk.PathJoin(m.place(), name)
		was, err := readAll(m.disk, path)
		if err != nil {
			return err
		}
		is, err := readAll(m.left, path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		m.lost.bytes += missing(files[name].dirty, was, is)
	}
	m.lost.names = m.renamed()
	return nil
}

// renamed counts the names that the clone has got too many or too few.
func (m *memory) renamed() (n int) {
	was, _ := m.disk.List(m.place()) // the directory itself may be what is lost
	is, _ := m.left.List(m.place())
	for _, name := range append(was, is...) {
		if !strings.HasSuffix(name, "LOCK") && slices.Contains(was, name) != slices.Contains(is, name) {
			n++
		}
	}
	return n
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
