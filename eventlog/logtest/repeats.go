package logtest

import (
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// wantRepeat appends a batch that was stored before, at first.
func (x *fixture) wantRepeat(b eventlog.Batch, first uint64) {
	x.Helper()
	head := x.log.Head()
	if got := x.append(b)[0]; got.Err != nil || !got.Repeat || got.First != first {
		x.Errorf("outcome = %+v, want a repeat of %d", got, first)
	}
	if x.log.Head() != head {
		x.Errorf("head moved from %d to %d for a repeat", head, x.log.Head())
	}
}

var repeatRules = []rule{
	{says: "the same id and source is stored once", test: func(x *fixture) {
		for _, make := range []func(...nave.Event) eventlog.Batch{durable, memory} {
			batch := make(named(event("a"), make(event("a")).Durability.String()))
			x.wantRepeat(batch, x.add(batch))
		}
		if got := x.read(0, "**"); len(got) != 2 {
			x.Errorf("events = %v, want 2", got)
		}
	}},
	{says: "an id is its source's", test: func(x *fixture) {
		e := named(event("a"), "1")
		x.add(durable(e))
		e.Source = "other"
		x.add(durable(e))
	}},
	{says: "an event without id is never a repeat", test: func(x *fixture) {
		e := event("a")
		e.Source = "test"
		x.add(durable(e))
		x.add(durable(e))
	}},
	{says: "a batch is repeated by those of its events that have ids", test: func(x *fixture) {
		batch := durable(event("a"), named(event("a"), "1"), event("b"), named(event("c"), "2"))
		x.wantRepeat(batch, x.add(batch))
	}},
	{says: "a repeat need not have the durability of the first", test: func(x *fixture) {
		one, two := named(event("a"), "1"), named(event("a"), "2")
		x.wantRepeat(memory(one), x.add(durable(one)))
		x.wantRepeat(durable(two), x.add(memory(two)))
	}},
	{says: "a repeat within the group is answered like any other", test: func(x *fixture) {
		batch := durable(named(event("a"), "1"), named(event("b"), "2"))
		outcomes := x.append(batch, batch, durable(named(event("a"), "1")))
		first, again, part := outcomes[0], outcomes[1], outcomes[2]
		if first.Err != nil || first.Repeat || again.Err != nil || !again.Repeat || again.First != first.First {
			x.Errorf("outcomes = %+v, want the second a repeat of the first", outcomes)
		}
		if nave.CodeOf(part.Err) != nave.CodePartialRepeat {
			x.Errorf("outcome = %+v, want a partial repeat", part)
		}
		if got := x.read(0, "**"); len(got) != 2 {
			x.Errorf("events = %v, want 2", got)
		}
	}},
	{says: "ids of a refused batch are free", test: func(x *fixture) {
		x.add(durable(keyed("a", "k", "1")))
		e := named(keyed("a", "k", "2"), "1")
		x.refused(durable(conditional(e, 0)), nave.CodeConflict)
		x.add(durable(e))
	}},
	{says: "a repeat is looked for before conditions are checked", test: func(x *fixture) {
		batch := durable(named(conditional(keyed("a", "k", "1"), 0), "1"))
		first := x.add(batch)
		x.add(durable(keyed("a", "k", "2")))
		x.wantRepeat(batch, first)
	}},
	{says: "a batch of which only some was seen, or not together, is refused", test: func(x *fixture) {
		one, two, three := named(event("a"), "1"), named(event("a"), "2"), named(event("a"), "3")
		x.add(durable(one, two))
		x.add(durable(three))
		for _, batch := range []eventlog.Batch{
			durable(one),                   // another size
			durable(two, one),              // other places
			durable(event("a"), one),       // another place
			durable(one, three),            // not together
			durable(one, two, three),       // not together, another size
			memory(named(one, "new"), one), // some new
		} {
			x.refused(batch, nave.CodePartialRepeat)
		}
		if got := x.read(0, "**"); len(got) != 3 {
			x.Errorf("events = %v, want 3", got)
		}
	}},
	{says: "the same id twice in one batch is refused", test: func(x *fixture) {
		x.refused(durable(named(event("a"), "1"), named(event("b"), "1")), nave.CodeInvalid)
		x.add(durable(named(event("a"), "1")))
	}},
	{says: "an id is forgotten when its window passes, trimmed or not", options: eventlog.Options{IdempotencyWindow: time.Hour}, test: func(x *fixture) {
		one, two := durable(named(event("a"), "1")), memory(named(event("a"), "2"))
		first, second := x.add(one), x.add(two)
		almost, then := noon.Add(time.Hour-1), noon.Add(time.Hour)
		x.trim(almost)
		x.wantRepeat(at(almost, one), first)
		x.wantRepeat(at(almost, two), second)
		again := x.add(at(then, one))
		x.trim(then)
		x.add(at(then, two))
		x.trim(then.Add(time.Minute))
		x.wantRepeat(at(then, one), again)
	}},
	{says: "the window is a day unless said otherwise", test: func(x *fixture) {
		batch := durable(named(event("a"), "1"))
		first := x.add(batch)
		x.wantRepeat(at(noon.Add(24*time.Hour-1), batch), first)
		x.add(at(noon.Add(24*time.Hour), batch))
	}},
	{says: "ids of durable events outlive a restart", reopens: true, test: func(x *fixture) {
		batch := durable(named(event("a"), "1"), named(event("b"), "2"))
		first := x.add(batch)
		x.reopen()
		x.wantRepeat(batch, first)
	}},
}
