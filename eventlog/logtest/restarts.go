package logtest

import (
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

var restartRules = []rule{
	{says: "a log that is opened again is the same log", reopens: true, test: func(x *fixture) {
		epoch := x.log.Epoch()
		batch := durable(keyed("a", "1", "1"), event("b"))
		first := x.add(batch)
		for range 3 {
			x.reopen()
			if got := x.log.Epoch(); got != epoch {
				x.Fatalf("epoch = %s, want %s", got, epoch)
			}
			x.want(x.read(0, "**"), placed(first, batch.Events...)...)
		}
	}},
	{says: "offsets are never used again, not even those of lost memory events", reopens: true, test: func(x *fixture) {
		var highest uint64
		for i := range 6 {
			first := x.add([]func(...nave.Event) eventlog.Batch{durable, memory, memory}[i%3](event("a"), event("a")))
			if first <= highest {
				x.Fatalf("offset %d was handed out again; %d was", first, highest)
			}
			highest = first + 1
			x.reopen()
			if head := x.log.Head(); head < highest {
				x.Fatalf("head = %d, but %d was handed out", head, highest)
			}
		}
	}},
	{says: "readers that may have missed memory events are told, others are not", reopens: true, test: func(x *fixture) {
		x.add(durable(event("cards/1")))
		x.add(memory(event("presence/1")))
		last := x.add(durable(event("cards/1")))
		x.reopen()
		for _, f := range []nave.Filter{"presence/1", "presence/*", "*/1", "**"} {
			if got := x.log.Oldest(nave.Filters{f}); got < last-1 {
				x.Errorf("oldest of %s = %d, want at least %d", f, got, last-1)
			}
			x.wantReset(0, nave.ResetRetention, f)
			x.wantReset(0, nave.ResetRetention, "cards/1", f)
			x.want(x.read(x.log.Head(), f))
		}
		for _, f := range []nave.Filter{"cards/1", "cards/**", "other"} {
			if got := x.log.Oldest(nave.Filters{f}); got != 0 {
				x.Errorf("oldest of %s = %d, want 0", f, got)
			}
		}
		if got := x.read(0, "cards/*"); len(got) != 2 {
			x.Errorf("events = %v, want 2", got)
		}
	}},
	{says: "a loss of memory is remembered over further restarts, and does not grow", reopens: true, test: func(x *fixture) {
		x.add(memory(event("presence/1")))
		x.reopen()
		lost := x.log.Oldest(nave.Filters{"presence/*"})
		x.add(durable(event("presence/1")))
		x.reopen()
		x.wantReset(0, nave.ResetRetention, "presence/1")
		if got := x.log.Oldest(nave.Filters{"presence/*"}); got != lost {
			x.Errorf("oldest = %d, want %d as before", got, lost)
		}
		if got := x.read(lost, "presence/1"); len(got) != 1 {
			x.Errorf("events after %d = %v, want the durable one", lost, got)
		}
	}},
	{says: "a reader who had everything when the log was closed resumes", reopens: true, test: func(x *fixture) {
		x.add(memory(event("presence/1")))
		head := x.log.Head()
		x.reopen()
		later := durable(event("presence/1"))
		first := x.add(later)
		x.want(x.read(head, "**"), placed(first, later.Events...)...)
	}},
	{says: "memory events in thousands of segments are lost honestly", reopens: true, test: func(x *fixture) {
		x.add(durable(event("cards/1")))
		var events []nave.Event
		for i := range 2500 {
			events = append(events, event(nave.Topic(fmt.Sprintf("s%d/x", i))))
		}
		x.add(memory(events...))
		for range 2 {
			x.reopen()
			for _, i := range []int{0, 1023, 1024, 2499} {
				x.wantReset(0, nave.ResetRetention, nave.Filter(fmt.Sprintf("s%d/*", i)))
			}
		}
	}},
	{says: "what retention has done outlives a restart", options: bothAnHour, reopens: true, test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1")))
		x.add(durable(event("b")))
		gone := x.add(durable(removed("c", "1")))
		late := noon.Add(2 * time.Hour)
		left := at(late, durable(keyed("d", "1", "1")))
		x.add(left)
		x.trim(late)
		for range 2 {
			x.reopen()
			for f, want := range map[nave.Filter]uint64{"a": 1, "b": 2, "c": 3, "d": 0, "**": 3} {
				if got := x.log.Oldest(nave.Filters{f}); got != want {
					x.Errorf("oldest of %s = %d, want %d", f, got, want)
				}
			}
			x.wantState(map[string]string{"a 1": "1", "d 1": "1"})
			x.want(x.read(gone, "**"), placed(4, left.Events...)...)
			stats := x.log.Stats()
			if want := int64(left.Size()); stats.DurableBytes != want || !stats.OldestDurable.Equal(late) || !stats.NewestDurable.Equal(late) {
				x.Errorf("stats = %+v, want %d bytes of %v", stats, want, late)
			}
		}
		x.add(durable(conditional(keyed("c", "1", "1"), 0)))
	}},
}
