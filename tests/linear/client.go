package linear

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

// A target is the hub that clients talk to. An error with [nave.CodeUnavailable]
// means that nobody knows.
type target interface {
	Publish(ctx context.Context, events ...nave.Event) (hub.Published, error)
	// State is the latest event of every key.
	State(ctx context.Context, filter nave.Filter) (nave.Cursor, []nave.Event, error)
	// Page is what the log has after the cursor, or the beginning of it.
	Page(ctx context.Context, filter nave.Filter, after nave.Cursor) (nave.Cursor, []nave.Event, error)
	// Await returns when there is a hub, or ctx ends.
	Await(ctx context.Context) error
}

// errNotSent means that nothing reached a hub.
var errNotSent = errors.New("there is no hub")

// A client asks one thing after the other, mostly for changes to what it believes
// to be there.
type client struct {
	number  int
	rand    *rand.Rand
	hub     target
	place   string // that the history's topics are under
	record  *record
	hurried time.Duration // how long it waits at most when it is in a hurry

	told   [keys][]uint64 // versions of each key, in the order that it heard of them
	last   *write
	unsure bool // of the last
}

func newClient(number int, hub target, place string, r *record, seed rand.Source) *client {
	c := &client{number: number, rand: rand.New(seed), hub: hub, place: place, record: r}
	for k := range c.told {
		c.told[k] = []uint64{0}
	}
	return c
}

func (c *client) filter() nave.Filter { return nave.Filter(c.place + "/*") }

// run asks so many things.
func (c *client) run(ctx context.Context, steps int) error {
	for done := 0; done < steps; {
		if err := c.hub.Await(ctx); err != nil {
			return err
		}
		for range c.rand.IntN(4) {
			runtime.Gosched() // lets another be first
		}
		told, err := c.step(ctx)
		if err != nil {
			return fmt.Errorf("client %d: %w", c.number, err)
		}
		if told != nil {
			done++
		}
	}
	return nil
}

// step asks one thing. Without an answer it mostly asks again.
func (c *client) step(ctx context.Context) (outcome, error) {
	unsure := c.unsure
	c.unsure = false
	switch p := c.rand.IntN(100); {
	case unsure && p < 70, c.last != nil && p < 10:
		return c.publish(ctx, c.last)
	case p < 30:
		told, _, err := c.read(ctx)
		return told, err
	default:
		return c.publish(ctx, c.record.newWrite(c.draw()))
	}
}

// draw makes up a publish: in one of four cases a batch.
func (c *client) draw() []change {
	changes := make([]change, 1+max(0, c.rand.IntN(4)-2))
	for i := range changes {
		k := key(c.rand.IntN(keys))
		changes[i] = change{key: k, ifVersion: c.condition(k), removes: c.rand.IntN(6) == 0}
	}
	return changes
}

// condition is most often what the client heard of the key last.
func (c *client) condition(k key) uint64 {
	told := c.told[k]
	switch p := c.rand.IntN(100); {
	case p < 70:
		return told[len(told)-1]
	case p < 85:
		return told[c.rand.IntN(len(told))]
	default:
		return unconditional
	}
}

func (c *client) heard(k key, version uint64) {
	if told := c.told[k]; version > 0 && told[len(told)-1] != version {
		c.told[k] = append(told, version)
	}
}

func (c *client) publish(ctx context.Context, w *write) (outcome, error) {
	if c.hurried > 0 && c.rand.IntN(16) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.rand.Int64N(int64(c.hurried))))
		defer cancel()
	}
	events := make([]nave.Event, len(w.changes))
	for i := range events {
		events[i] = w.event(c.place, i)
	}
	told, err := c.record.note(c.number, w, func() (outcome, error) {
		p, err := c.hub.Publish(ctx, events...)
		return outcomeOf(w, p, err)
	})
	c.last = w
	switch told := told.(type) {
	case stored:
		for i, change := range w.changes {
			c.heard(change.key, told.first+uint64(i))
		}
	case conflicted:
		for _, conflict := range told.conflicts {
			c.heard(conflict.key, conflict.entry.version)
		}
	case unknown:
		c.unsure = true
	default:
	}
	return told, err
}

// outcomeOf is what the answer to a publish says. One that contradicts itself is
// an error.
func outcomeOf(w *write, p hub.Published, err error) (outcome, error) {
	var conflict *nave.ConflictError
	switch {
	case errors.Is(err, errNotSent):
		return nil, nil
	case errors.As(err, &conflict):
		return conflictedOf(conflict)
	case nave.CodeOf(err) == nave.CodeUnavailable:
		return unknown{}, nil
	case err != nil:
		return nil, fmt.Errorf("publish %v: %w", w.changes, err)
	case len(p.Events) != len(w.changes):
		return nil, fmt.Errorf("publish %v: the answer is %v", w.changes, p)
	}
	first := p.Events[0].Offset
	for i, e := range p.Events {
		if at := first + uint64(i); e != (hub.Placed{ID: w.id(i), Offset: at, Version: at}) || p.Cursor.Offset < at {
			return nil, fmt.Errorf("publish %v: the answer is %v", w.changes, p)
		}
	}
	if p.Repeat {
		return repeated{first}, nil
	}
	return stored{first}, nil
}

// read asks for the state.
func (c *client) read(ctx context.Context) (told outcome, at nave.Cursor, err error) {
	told, err = c.record.note(c.number, nil, func() (outcome, error) {
		var items []nave.Event
		var err error
		at, items, err = c.hub.State(ctx, c.filter())
		switch {
		case errors.Is(err, errNotSent), nave.CodeOf(err) == nave.CodeUnavailable:
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("read the state: %w", err)
		}
		for i := range items {
			if k, err := keyOf(&items[i]); err == nil {
				c.heard(k, items[i].Offset)
			}
		}
		return snapshotOf(at, items)
	})
	return told, at, err
}

// surely reads until there is an answer.
func (c *client) surely(ctx context.Context) (nave.Cursor, error) {
	for {
		if err := c.hub.Await(ctx); err != nil {
			return nave.Cursor{}, err
		}
		if told, at, err := c.read(ctx); told != nil || err != nil {
			return at, err
		}
	}
}

// replay asks for all that the log has after the cursor, up to the offset at least:
// a page has what was handed on to readers, and may for a moment be behind the
// state.
func (c *client) replay(ctx context.Context, after nave.Cursor, atLeast uint64) error {
	_, err := c.record.note(c.number, nil, func() (outcome, error) {
		var told replay
		for {
			if err := c.hub.Await(ctx); err != nil {
				return nil, err
			}
			next, events, err := c.hub.Page(ctx, c.filter(), after)
			switch {
			case nave.CodeOf(err) == nave.CodeUnavailable:
				continue
			case err != nil:
				return nil, fmt.Errorf("read the log: %w", err)
			}
			for i := range events {
				told.events = append(told.events, sighting{events[i].Offset, entryOf(&events[i]).id})
			}
			after = next
			if len(events) == 0 && after.Offset >= atLeast {
				told.cursor = after.Offset
				return told, nil
			}
			runtime.Gosched()
		}
	})
	return err
}
