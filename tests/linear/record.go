package linear

import (
	"sync"
	"sync/atomic"

	"github.com/navehub/nave"
)

// An outcome is what a client was told.
//
//sumtype:decl
type outcome interface{ outcome() }

// stored: yes, and the first event is at this offset.
type stored struct{ first uint64 }

// repeated: it has been at this offset since an earlier try.
type repeated struct{ first uint64 }

// conflicted: no, as these conditions do not hold.
type conflicted struct{ conflicts []conflict }

// unknown: there was no answer, or one that says that nobody knows.
type unknown struct{}

// snapshot is the answer to a read of the state: what is there, as of the cursor.
type snapshot struct {
	cursor uint64
	keys   [keys]entry
}

// replay is the answer to a read of the log: all events, oldest first, up to the
// cursor.
type replay struct {
	cursor uint64
	events []sighting
}

func (stored) outcome()     {}
func (repeated) outcome()   {}
func (conflicted) outcome() {}
func (unknown) outcome()    {}
func (snapshot) outcome()   {}
func (replay) outcome()     {}

// A conflict is one condition that does not hold, and what the key holds instead.
type conflict struct {
	key       key
	ifVersion uint64
	entry     entry
}

// A sighting is of an event at its place in the log.
type sighting struct {
	offset uint64
	id     string
}

// An operation is one question of one client, and what it was told.
type operation struct {
	client    int
	call, end int64  // ticks of the record's clock
	write     *write // nil for a read
	outcome   outcome
}

// A history is what clients did to the keys of one place. It ends, when all of
// them have ended, with a replay of the log: so it is known of every write whether
// it had been stored by then.
type history struct {
	writes     []*write
	operations []operation
	cut        int64 // when the hub was killed, 0 if it was not
}

// A record writes down a history while it happens.
type record struct {
	// Its ticks are all different, so nothing seems concurrent that was not.
	clock atomic.Int64
	// asked counts the questions; reached is closed when there have been mark.
	asked   atomic.Int64
	mark    int64
	reached chan struct{}

	mu sync.Mutex
	history
}

func newRecord(mark int) *record {
	return &record{mark: int64(mark), reached: make(chan struct{})}
}

func (r *record) newWrite(changes []change) *write {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &write{number: len(r.writes), changes: changes}
	r.writes = append(r.writes, w)
	return w
}

// note asks, and writes down what was told. No outcome means that nothing was
// done.
func (r *record) note(client int, w *write, ask func() (outcome, error)) (outcome, error) {
	call := r.clock.Add(1)
	if r.asked.Add(1) == r.mark {
		close(r.reached)
	}
	told, err := ask()
	end := r.clock.Add(1)
	if told == nil || err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.operations = append(r.operations, operation{client, call, end, w, told})
	return told, nil
}

// snapshotOf puts what the state holds in its place.
func snapshotOf(at nave.Cursor, items []nave.Event) (outcome, error) {
	s := snapshot{cursor: at.Offset}
	for i := range items {
		k, err := keyOf(&items[i])
		if err != nil {
			return nil, err
		}
		s.keys[k] = entryOf(&items[i])
	}
	return s, nil
}

// conflictedOf is the hub's refusal. What makes no sense in it agrees with nothing
// that a key can hold.
func conflictedOf(err *nave.ConflictError) (outcome, error) {
	var told conflicted
	for _, c := range err.Conflicts {
		k, err := keyOf(&nave.Event{Topic: c.Topic, Key: c.Key})
		if err != nil {
			return nil, err
		}
		shown := entry{version: c.Version}
		if c.Event != nil {
			shown = entryOf(c.Event)
			if other, err := keyOf(c.Event); err != nil || other != k || shown.version != c.Version {
				shown.id += " of another version or key"
			}
		}
		told.conflicts = append(told.conflicts, conflict{k, c.IfVersion, shown})
	}
	return told, nil
}
