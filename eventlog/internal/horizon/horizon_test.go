package horizon

import (
	"maps"
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

func TestHorizonsBelongToTheirNames(t *testing.T) {
	m := New(10)
	m.Raise("a", 5)
	m.Raise("a/b", 7)
	m.Raise("a/b", 6) // never lower
	m.Raise("$hub", 9)
	for f, want := range map[nave.Filter]uint64{"a": 5, "a/b": 7, "a/*": 7, "*": 5, "**": 7, "b": 0, "b/*": 0, "$hub": 9} {
		if got := m.Oldest(nave.Filters{f}); got != want {
			t.Errorf("oldest of %s = %d, want %d", f, got, want)
		}
	}
	if got := m.Oldest(nave.Filters{"b", "a", "$hub"}); got != 9 {
		t.Errorf("oldest of three = %d, want 9", got)
	}
}

func TestFloorIsForAllNames(t *testing.T) {
	m := New(10)
	m.Raise("a", 5)
	m.Raise("b", 9)
	if change := m.RaiseFloor(7); change.Floor != 7 || len(change.Dropped) != 1 || change.Dropped[0] != "a" {
		t.Errorf("change = %+v, want floor 7 with a dropped", change)
	}
	for f, want := range map[nave.Filter]uint64{"a": 7, "b": 9, "c": 7, "**": 9} {
		if got := m.Oldest(nave.Filters{f}); got != want {
			t.Errorf("oldest of %s = %d, want %d", f, got, want)
		}
	}
	if change := m.Raise("c", 6); len(change.Dropped) != 1 || change.Dropped[0] != "c" {
		t.Errorf("change = %+v, want c dropped, being under the floor", change)
	}
}

// TestNeverTooLow raises at random: a horizon may be too high once there are too
// many names, but never too low, and what the changes leave on disk is the same.
func TestNeverTooLow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const bound = 8
		m, exact, disk := New(bound), map[string]uint64{}, map[string]uint64{}
		names := rapid.StringMatching(`[a-p]`)
		for range rapid.IntRange(0, 100).Draw(t, "raises") {
			name, offset := names.Draw(t, "name"), rapid.Uint64Range(1, 50).Draw(t, "offset")
			exact[name] = max(exact[name], offset)
			disk[name] = max(disk[name], offset)
			change := m.Raise(name, offset)
			for _, dropped := range change.Dropped {
				delete(disk, dropped)
			}
			if len(change.Dropped) > 0 {
				disk[""] = change.Floor
			}
		}
		of := maps.Clone(m.of)
		if m.floor > 0 {
			of[""] = m.floor
		}
		if len(m.of) > bound || !maps.Equal(of, disk) {
			t.Fatalf("holds %v, the disk %v, want the same and at most %d", of, disk, bound)
		}
		for name, offset := range exact {
			fs := nave.Filters{nave.Filter(name)}
			oldest := m.Oldest(fs)
			if oldest < offset {
				t.Fatalf("oldest of %s = %d, want at least %d", name, oldest, offset)
			}
			if len(exact) <= bound && oldest != offset {
				t.Fatalf("oldest of %s = %d, want %d, since nothing was folded", name, oldest, offset)
			}
			for after := range uint64(52) {
				if got := m.Allows(after, fs); got != (after >= oldest) {
					t.Fatalf("allows %d of %s = %t, but the oldest is %d", after, name, got, oldest)
				}
			}
		}
	})
}
