// Package state merges the latest events of keys from two places.
package state

import (
	"cmp"
	"iter"

	"github.com/navehub/nave"
)

// Compare orders events by topic and key.
func Compare(a, b *nave.Event) int {
	return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Key, b.Key))
}

// Merge yields the latest event of each key from two sequences in that order,
// the higher offset winning. Tombstones hide what they remove and are left out.
func Merge(stored iter.Seq2[nave.Event, error], others []nave.Event) iter.Seq2[nave.Event, error] {
	return func(yield func(nave.Event, error) bool) {
		rest := others
		emit := func(e *nave.Event) bool { return e.Tombstone() || yield(*e, nil) }
		for e, err := range stored {
			if err != nil {
				yield(nave.Event{}, err)
				return
			}
			for len(rest) > 0 && Compare(&rest[0], &e) < 0 {
				if !emit(&rest[0]) {
					return
				}
				rest = rest[1:]
			}
			if len(rest) > 0 && Compare(&rest[0], &e) == 0 {
				if rest[0].Offset > e.Offset {
					e = rest[0]
				}
				rest = rest[1:]
			}
			if !emit(&e) {
				return
			}
		}
		for i := range rest {
			if !emit(&rest[i]) {
				return
			}
		}
	}
}
