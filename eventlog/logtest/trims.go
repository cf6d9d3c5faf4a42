package logtest

import (
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var (
	anHour     = eventlog.Retention{Age: time.Hour}
	bothAnHour = eventlog.Options{Durable: anHour, Memory: anHour}
)

var trimRules = []rule{
	{says: "without retention everything stays", test: func(x *fixture) {
		x.addBatches(3, 3)
		x.trim(noon.Add(1000 * time.Hour))
		if got := x.read(0, "**"); len(got) != 6 {
			x.Errorf("events = %d, want 6", len(got))
		}
	}},
	{says: "batches leave when they are older than the age of their durability", test: func(x *fixture) {
		x.addBatches(2, 2)
		x.add(at(noon.Add(time.Minute), memory(event("a"))))
		x.add(at(noon.Add(time.Minute), durable(event("a"))))
		x.trim(noon.Add(time.Hour))
		x.wantPage(x.page(0, everything, eventlog.Limit{}), 6, 6, false)
		x.trim(noon.Add(time.Hour + 1))
		if oldest := x.log.Oldest(everything); oldest != 4 {
			x.Errorf("oldest = %d, want 4", oldest)
		}
		x.wantPage(x.page(4, everything, eventlog.Limit{}), 2, 6, false)
		x.wantReset(3, nave.ResetRetention, "**")
	}, options: bothAnHour},
	{says: "durabilities have ages of their own", options: eventlog.Options{Memory: anHour}, test: func(x *fixture) {
		x.add(durable(event("a")))
		x.add(memory(event("b")))
		x.add(durable(event("a")))
		x.trim(noon.Add(2 * time.Hour))
		x.wantPage(x.page(0, nave.Filters{"a"}, eventlog.Limit{}), 2, 3, false)
		x.wantPage(x.page(2, everything, eventlog.Limit{}), 1, 3, false)
		x.wantReset(1, nave.ResetRetention, "**")
	}},
	{says: "the oldest batches leave, whole, while a durability is over its bytes", test: func(x *fixture) {
		x.addBatches(3, 3, 3, 3, 3, 3)
		size := int64(sizeOf(event("a")))
		x.trim(noon)
		stats := x.log.Stats()
		if stats.DurableBytes != 3*size || stats.MemoryBytes != 3*size {
			x.Errorf("stats = %+v, want one batch of each durability, %d bytes each", stats, 3*size)
		}
		x.wantPage(x.page(12, everything, eventlog.Limit{}), 6, 18, false)
		x.wantReset(11, nave.ResetRetention, "**")
	}, options: eventlog.Options{
		Durable: eventlog.Retention{Bytes: 5 * 129},
		Memory:  eventlog.Retention{Bytes: 5 * 129},
	}},
	{says: "a busy topic's retention does not reset readers of others", options: bothAnHour, test: func(x *fixture) {
		x.add(durable(event("quiet/a")))
		x.add(durable(event("busy/a"), event("busy/b")))
		x.add(memory(event("busy/c")))
		late := noon.Add(2 * time.Hour)
		x.add(at(late, durable(event("quiet/a"))))
		x.trim(late)
		for f, want := range map[nave.Filter]uint64{
			"quiet/a": 1, "quiet/*": 1, "busy/a": 2, "busy/b": 3, "busy/c": 4, "busy/**": 4, "**": 4,
			"*/a": 2, "other": 0, "quiet": 0, "busy/*/x": 0,
		} {
			if got := x.log.Oldest(nave.Filters{f}); got != want {
				x.Errorf("oldest of %s = %d, want %d", f, got, want)
			}
		}
		if got := x.log.Oldest(nave.Filters{"quiet/a", "busy/a"}); got != 2 {
			x.Errorf("oldest of two filters = %d, want 2", got)
		}
		x.wantPage(x.page(1, nave.Filters{"quiet/*"}, eventlog.Limit{}), 1, 5, false)
		x.wantReset(0, nave.ResetRetention, "quiet/*")
		x.wantReset(2, nave.ResetRetention, "busy/b")
		x.wantPage(x.page(3, nave.Filters{"busy/b"}, eventlog.Limit{}), 0, 5, false)
	}},
	{says: "state and versions outlive retention", options: bothAnHour, test: func(x *fixture) {
		one := x.add(durable(keyed("a", "1", "1")))
		two := x.add(memory(keyed("b", "2", "2")))
		for range 2 {
			x.trim(noon.Add(2 * time.Hour))
			x.want(x.read(two, "**"))
			x.wantState(map[string]string{"a 1": "1", "b 2": "2"})
		}
		x.wantConflicts(x.refused(durable(conditional(keyed("a", "1", "x"), 0)), nave.CodeConflict),
			nave.Conflict{Topic: "a", Key: "1", Version: one, Event: &placed(one, keyed("a", "1", "1"))[0]})
		x.add(durable(conditional(keyed("a", "1", "3"), one)))
		x.add(memory(conditional(keyed("b", "2", "3"), two)))
		x.wantState(map[string]string{"a 1": "3", "b 2": "3"})
	}},
	{says: "a tombstone is the version until retention passes it, and then it is 0", options: bothAnHour, test: func(x *fixture) {
		for i, make := range []func(...nave.Event) eventlog.Batch{durable, memory} {
			topic := nave.Topic(fmt.Sprint("t", i))
			x.add(make(keyed(topic, "k", "1")))
			gone := x.add(make(removed(topic, "k")))
			x.trim(noon.Add(time.Hour))
			x.refused(make(conditional(keyed(topic, "k", "2"), 0)), nave.CodeConflict)
			x.trim(noon.Add(time.Hour + 1))
			x.wantConflicts(x.refused(make(conditional(keyed(topic, "k", "2"), gone)), nave.CodeConflict),
				nave.Conflict{Topic: topic, Key: "k", IfVersion: gone})
			x.add(make(conditional(keyed(topic, "k", "2"), 0)))
		}
	}},
	{says: "a tombstone that goes does not bring back what it removed", test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1")))
		x.add(memory(keyed("a", "2", "1")))
		x.add(memory(removed("a", "1")))
		x.add(durable(removed("a", "2")))
		x.trim(noon.Add(2 * time.Hour))
		x.wantState(nil)
		x.add(durable(conditional(keyed("a", "1", "2"), 0), conditional(keyed("a", "2", "2"), 0)))
	}, options: bothAnHour},
	{says: "a tombstone that was superseded goes without a trace", options: bothAnHour, test: func(x *fixture) {
		x.add(durable(removed("a", "1")))
		x.add(memory(removed("a", "2")))
		late := noon.Add(time.Hour)
		x.add(at(late, durable(keyed("a", "1", "1"), keyed("a", "2", "1"))))
		x.trim(late.Add(1))
		x.wantState(map[string]string{"a 1": "1", "a 2": "1"})
	}},
	{says: "thousands of events leave in one trim", options: bothAnHour, test: func(x *fixture) {
		for range 30 {
			var group []eventlog.Batch
			for i := range 50 {
				group = append(group, durable(event("a"), keyed("b", fmt.Sprint(i), "1")), memory(event("c")))
			}
			x.append(group...)
		}
		x.trim(noon.Add(2 * time.Hour))
		stats := x.log.Stats()
		if stats.MemoryBytes != 0 || stats.DurableBytes != 0 || !stats.OldestDurable.IsZero() {
			x.Errorf("stats = %+v, want nothing left", stats)
		}
		if keys := x.orderedState(everything); len(keys) != 50 {
			x.Errorf("keys = %d, want 50", len(keys))
		}
		x.wantPage(x.page(x.log.Head(), everything, eventlog.Limit{}), 0, 4500, false)
	}},
	{says: "stats tell the oldest and the newest durable event", options: bothAnHour, test: func(x *fixture) {
		if got := x.log.Stats(); !got.OldestDurable.IsZero() || !got.NewestDurable.IsZero() {
			x.Errorf("oldest and newest of an empty log = %v, %v, want the zero time", got.OldestDurable, got.NewestDurable)
		}
		later := noon.Add(time.Minute)
		x.add(memory(event("a")))
		x.add(at(later, durable(event("a"))))
		x.add(at(later.Add(1), durable(event("a"))))
		if got := x.log.Stats().OldestDurable; !got.Equal(later) {
			x.Errorf("oldest = %v, want %v", got, later)
		}
		x.add(at(later.Add(time.Hour), memory(event("a"))))
		x.trim(later.Add(time.Hour + 1))
		if got := x.log.Stats().OldestDurable; !got.Equal(later.Add(1)) {
			x.Errorf("oldest after trim = %v, want %v", got, later.Add(1))
		}
		if got := x.log.Stats().NewestDurable; !got.Equal(later.Add(1)) {
			x.Errorf("newest = %v, want %v", got, later.Add(1))
		}
		x.trim(later.Add(2 * time.Hour))
		if got := x.log.Stats().NewestDurable; !got.IsZero() {
			x.Errorf("newest when all have gone = %v, want the zero time", got)
		}
	}},
}
