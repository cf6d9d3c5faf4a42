// Package horizon remembers, by name, up to which offset events are gone, in
// bounded memory.
package horizon

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/navehub/nave"
)

// A Map holds the horizon of each name: the highest offset that is gone. When
// it holds too many names, it forgets those with the lowest horizons and raises
// the floor, the horizon of all other names, instead: nobody is told that
// nothing is missing when something is.
//
// It may be used from several goroutines.
type Map struct {
	bound int

	mu     sync.RWMutex
	floor  uint64
	newest uint64 // no horizon is higher
	of     map[string]uint64
}

// New makes a Map that holds at most bound names.
func New(bound int) *Map {
	return &Map{bound: bound, of: make(map[string]uint64)}
}

// A Change is what a raise did to a Map, for whoever keeps it on disk.
type Change struct {
	Floor   uint64
	Dropped []string // names that now have the floor's horizon
}

// Raise lifts a name's horizon, never lowering it.
func (m *Map) Raise(name string, offset uint64) Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	if offset = max(offset, m.of[name]); offset <= m.floor {
		return Change{Floor: m.floor, Dropped: []string{name}}
	}
	m.of[name] = offset
	m.newest = max(m.newest, offset)
	if len(m.of) <= m.bound {
		return Change{Floor: m.floor}
	}
	return m.fold()
}

// RaiseFloor lifts the horizon of every name.
func (m *Map) RaiseFloor(offset uint64) Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.raiseFloor(offset)
}

// fold forgets an eighth of the names, so that it is rarely called.
func (m *Map) fold() Change {
	names := slices.SortedFunc(maps.Keys(m.of), func(a, b string) int {
		return cmp.Compare(m.of[a], m.of[b])
	})
	return m.raiseFloor(m.of[names[len(m.of)/8]])
}

func (m *Map) raiseFloor(offset uint64) Change {
	m.floor = max(m.floor, offset)
	m.newest = max(m.newest, offset)
	change := Change{Floor: m.floor}
	for name, offset := range m.of {
		if offset <= m.floor {
			delete(m.of, name)
			change.Dropped = append(change.Dropped, name)
		}
	}
	return change
}

// Oldest is the highest horizon of the names that match the filters.
func (m *Map) Oldest(filters nave.Filters) uint64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	oldest := m.floor
	for _, f := range filters {
		if name, exact := f.Exact(); exact {
			oldest = max(oldest, m.of[string(name)])
			continue
		}
		oldest = max(oldest, m.highest(f))
	}
	return oldest
}

func (m *Map) highest(pattern nave.Filter) uint64 {
	var highest uint64
	prefix := pattern.Prefix()
	for name, offset := range m.of {
		if offset > highest && strings.HasPrefix(name, prefix) && pattern.Match(nave.Topic(name)) {
			highest = offset
		}
	}
	return highest
}

// Allows reports whether a reader of these filters who has everything up to the
// offset misses nothing: after >= Oldest(filters), but quick for the usual
// reader, who stands where nothing at all is gone.
func (m *Map) Allows(after uint64, filters nave.Filters) bool {
	m.mu.RLock()
	newest := m.newest
	m.mu.RUnlock()
	return after >= newest || after >= m.Oldest(filters)
}
