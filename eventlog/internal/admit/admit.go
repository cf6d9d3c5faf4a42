// Package admit decides what becomes of each batch of a group before anything
// is stored: stored now, stored before, or refused. The embedded engines share
// it, so that they answer alike.
package admit

import (
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A Key names an entity: a key within its topic.
type Key struct {
	Topic nave.Topic
	Key   string
}

// KeyOf is the entity that the event is about.
func KeyOf(e *nave.Event) Key { return Key{e.Topic, e.Key} }

// An ID names an event for idempotency.
type ID struct{ Source, ID string }

// IDOf is the event's name.
func IDOf(e *nave.Event) ID { return ID{e.Source, e.ID} }

// A Place is where an event with an ID was appended.
type Place struct {
	First   uint64        // offset of the first event of its batch
	Batch   nave.Position // where in the batch
	Expires time.Time     // when the idempotency window passes
}

// PlaceOf is the place of an event that has its offset.
func PlaceOf(e *nave.Event, expires time.Time) Place {
	return Place{First: e.Offset - uint64(e.Batch.I), Batch: e.Batch, Expires: expires}
}

// Past is the log as it was before the group.
type Past interface {
	// Version is the key's version, 0 if it has none.
	Version(Key) (uint64, error)
	// Latest is the event that made the key's version, which is not 0.
	Latest(Key) (nave.Event, error)
	// Seen is where the ID was appended last, within the window as of now.
	Seen(id ID, now time.Time) (Place, bool, error)
}

// Group takes the batches one after the other, a later one seeing what an
// earlier one did. The accepted ones are copies with offsets from head+1 on,
// ready to be stored. An error is the past's; then nothing is decided.
func Group(past Past, window time.Duration, head uint64, group []eventlog.Batch) ([]eventlog.Outcome, []eventlog.Batch, error) {
	g := &gate{
		past:     past,
		window:   window,
		head:     head,
		versions: make(map[Key]*nave.Event),
		places:   make(map[ID]Place),
	}
	outcomes := make([]eventlog.Outcome, len(group))
	for i := range group {
		var err error
		if outcomes[i], err = g.decide(&group[i]); err != nil {
			return nil, nil, err
		}
	}
	return outcomes, g.accepted, nil
}

// A gate is the past with what the group has done so far laid over it.
type gate struct {
	past     Past
	window   time.Duration
	head     uint64
	versions map[Key]*nave.Event
	places   map[ID]Place
	accepted []eventlog.Batch
}

func (g *gate) decide(b *eventlog.Batch) (eventlog.Outcome, error) {
	if err := check(b); err != nil {
		return eventlog.Outcome{Err: err}, nil
	}
	if outcome, known, err := g.repeat(b); known || err != nil {
		return outcome, err
	}
	conflicts, err := g.conflicts(b)
	if err != nil {
		return eventlog.Outcome{}, err
	}
	if len(conflicts) > 0 {
		return eventlog.Outcome{Err: &nave.ConflictError{Conflicts: conflicts}}, nil
	}
	return eventlog.Outcome{First: g.accept(b)}, nil
}

// check refuses what no log can store.
func check(b *eventlog.Batch) error {
	if len(b.Events) == 0 {
		return nave.Errorf(nave.CodeInvalid, "the batch has no events")
	}
	if b.Durability != nave.Durable && b.Durability != nave.Memory {
		return nave.Errorf(nave.CodeInvalid, "a batch with durability %s cannot be stored", b.Durability)
	}
	if len(b.Events) == 1 {
		return nil
	}
	ids := make(map[ID]struct{}, len(b.Events))
	for i := range b.Events {
		e := &b.Events[i]
		if e.ID == "" {
			continue
		}
		if _, twice := ids[IDOf(e)]; twice {
			return nave.Errorf(nave.CodeInvalid, "id %q of source %q is in the batch twice", e.ID, e.Source)
		}
		ids[IDOf(e)] = struct{}{}
	}
	return nil
}

// repeat answers a batch of which ids were seen before.
func (g *gate) repeat(b *eventlog.Batch) (outcome eventlog.Outcome, known bool, err error) {
	var first uint64
	named, seen, together := 0, 0, true
	for i := range b.Events {
		e := &b.Events[i]
		if e.ID == "" {
			continue
		}
		named++
		place, ok, err := g.seen(IDOf(e), b.Time)
		if err != nil {
			return outcome, false, err
		}
		if !ok {
			continue
		}
		seen++
		if seen == 1 {
			first = place.First
		}
		together = together && place.First == first && place.Batch == nave.Position{I: i, N: len(b.Events)}
	}
	switch {
	case seen == 0:
		return outcome, false, nil
	case seen == named && together:
		return eventlog.Outcome{First: first, Repeat: true}, true, nil
	default:
		return eventlog.Outcome{Err: nave.Errorf(nave.CodePartialRepeat,
			"%d of the batch's %d ids were published before, but not as this batch", seen, named)}, true, nil
	}
}

func (g *gate) seen(id ID, now time.Time) (Place, bool, error) {
	if place, ok := g.places[id]; ok && place.Expires.After(now) {
		return place, true, nil
	}
	return g.past.Seen(id, now)
}

// conflicts are the conditions that do not hold in the state before the batch.
func (g *gate) conflicts(b *eventlog.Batch) ([]nave.Conflict, error) {
	var conflicts []nave.Conflict
	for i := range b.Events {
		e := &b.Events[i]
		if e.IfVersion == nil {
			continue
		}
		version, err := g.version(KeyOf(e))
		if err != nil {
			return nil, err
		}
		if version == *e.IfVersion {
			continue
		}
		c := nave.Conflict{Topic: e.Topic, Key: e.Key, IfVersion: *e.IfVersion, Version: version}
		if version != 0 {
			latest, err := g.latest(KeyOf(e))
			if err != nil {
				return nil, err
			}
			c.Event = &latest
		}
		conflicts = append(conflicts, c)
	}
	return conflicts, nil
}

func (g *gate) version(k Key) (uint64, error) {
	if e, ok := g.versions[k]; ok {
		return e.Offset, nil
	}
	return g.past.Version(k)
}

func (g *gate) latest(k Key) (nave.Event, error) {
	if e, ok := g.versions[k]; ok {
		return *e, nil
	}
	return g.past.Latest(k)
}

// accept gives the batch its offsets and returns the first.
func (g *gate) accept(b *eventlog.Batch) uint64 {
	first := g.head + 1
	stored := eventlog.Batch{
		Events:     slices.Clone(b.Events),
		Durability: b.Durability,
		Time:       b.Time.UTC(),
	}
	for i := range stored.Events {
		e := &stored.Events[i]
		e.Offset = first + uint64(i)
		e.Batch = nave.Position{I: i, N: len(stored.Events)}
		e.Time = e.Time.UTC().Round(0)
		e.IfVersion = nil
		if e.Key != "" {
			g.versions[KeyOf(e)] = e
		}
		if e.ID != "" {
			g.places[IDOf(e)] = PlaceOf(e, stored.Time.Add(g.window))
		}
	}
	g.accepted = append(g.accepted, stored)
	g.head += uint64(len(stored.Events))
	return first
}
