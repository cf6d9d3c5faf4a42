package pebblelog

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// What an event takes that is stored in a group of 100, and read in a page of 100.
// Pebble's own goroutines are in it, and its pools that the race detector empties.
func TestAllocations(t *testing.T) {
	l, err := Open(t.Context(), "log", Options{FS: vfs.NewMem(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size, runs = 100, 20
	groups := make([][]eventlog.Batch, runs+1) // AllocsPerRun warms up with one
	for i := range groups {
		groups[i] = cards(i*size, size)
	}
	next := 0
	stored := testing.AllocsPerRun(runs, func() {
		if _, err := l.Append(t.Context(), groups[next]); err != nil {
			t.Fatal(err)
		}
		next++
	})
	if most := 2.0; stored/size > most {
		t.Errorf("an event is stored with %v allocations, want at most %v", stored/size, most)
	}
	read := testing.AllocsPerRun(runs, func() {
		if p, err := l.Read(t.Context(), 0, nave.Filters{"cards/*"}, eventlog.Limit{Events: size}); err != nil || len(p.Events) != size {
			t.Fatal(len(p.Events), err)
		}
	})
	if most := 20.0; read/size > most {
		t.Errorf("an event is read with %v allocations, want at most %v", read/size, most)
	}
}
