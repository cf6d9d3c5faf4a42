package logtest

import (
	"slices"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var orderRules = []rule{
	{says: "an empty log has nothing", test: func(x *fixture) {
		x.want(x.read(0, "**"))
		x.wantState(nil)
		if got := x.log.Head(); got != 0 {
			x.Errorf("head = %d, want 0", got)
		}
	}},
	{says: "an epoch is a valid part of a cursor", test: func(x *fixture) {
		c := nave.Cursor{Epoch: x.log.Epoch(), Offset: 1}
		if got, err := nave.ParseCursor(c.String()); err != nil || got != c {
			x.Errorf("cursor %s is read as %s, %v", c, got, err)
		}
	}},
	{says: "events are read in the order of their offsets, whatever their durability", test: func(x *fixture) {
		var want []nave.Event
		for i, make := range []func(...nave.Event) eventlog.Batch{durable, memory, memory, durable, memory} {
			e := event([]nave.Topic{"a", "b/c"}[i%2])
			want = append(want, placed(x.add(make(e)), e)...)
		}
		x.want(x.read(0, "**"), want...)
		if !slices.IsSortedFunc(want, func(a, b nave.Event) int { return int(a.Offset) - int(b.Offset) }) {
			x.Errorf("offsets do not rise: %v", want)
		}
		if head := x.log.Head(); head != want[4].Offset {
			x.Errorf("head = %d, want %d", head, want[4].Offset)
		}
	}},
	{says: "an event comes back as it was published, without its condition", test: func(x *fixture) {
		full := nave.Event{
			Topic: "cards/board-1", Type: "card.moved", Key: "card-42", Data: []byte(`{"to":"done","n":1.50}`),
			ID: "7f", Source: "//boards", Time: time.Date(1969, 7, 20, 20, 17, 40, 1, time.UTC),
			TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", TraceState: "x=y",
		}
		bare := nave.Event{Topic: "cards", Type: "t"}
		long := nave.Event{Topic: nave.Topic(strings.Repeat("ü", 127)), Type: "t", Data: []byte(strings.Repeat("7", 1<<16))}
		batch := durable(conditional(full, 0), bare, long)
		x.want(x.read(x.add(batch)-1, "**"), placed(1, full, bare, long)...)
		x.want(x.read(x.add(memory(bare))-1, "**"), placed(4, bare)...)
	}},
	{says: "a batch over topics and keys is stored whole, at offsets without gaps", test: func(x *fixture) {
		batch := durable(keyed("a", "1", "1"), event("b"), keyed("c/d", "2", "2"), keyed("a", "1", "3"))
		x.add(memory(event("z")))
		first := x.add(batch)
		x.want(x.read(first-1, "**"), placed(first, batch.Events...)...)
		x.wantState(map[string]string{"a 1": "3", "c/d 2": "2"})
	}},
	{says: "a refused batch leaves nothing behind, and the others of its group are stored", test: func(x *fixture) {
		one, other := event("a"), event("b")
		bad := durable(keyed("a", "k", "1"), conditional(keyed("b", "k", "2"), 99))
		outcomes := x.append(durable(one), bad, memory(other))
		if outcomes[0].Err != nil || nave.CodeOf(outcomes[1].Err) != nave.CodeConflict || outcomes[2].Err != nil {
			x.Fatalf("outcomes = %+v, want only the second refused", outcomes)
		}
		x.want(x.read(0, "**"), append(placed(outcomes[0].First, one), placed(outcomes[2].First, other)...)...)
		x.wantState(nil)
	}},
	{says: "what no log can store is refused", test: func(x *fixture) {
		x.refused(durable(), nave.CodeInvalid)
		transient := durable(event("a"))
		transient.Durability = nave.Transient
		x.refused(transient, nave.CodeInvalid)
	}},
	{says: "a group without batches does nothing", test: func(x *fixture) {
		x.append()
		x.want(x.read(0, "**"))
	}},
	{says: "the caller may go on using its batch", test: func(x *fixture) {
		batch := durable(keyed("a", "k", "1"))
		x.add(batch)
		if got := batch.Events[0]; got.Offset != 0 || got.Batch.N != 0 {
			x.Errorf("the batch was changed to %+v", got)
		}
		batch.Events[0].Topic = "b"
		if got := x.read(0, "**"); len(got) != 1 || got[0].Topic != "a" {
			x.Errorf("events = %+v, want one in topic a", got)
		}
	}},
}
