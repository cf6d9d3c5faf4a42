package logtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// addBatches appends batches of the sizes, of both durabilities, all in topic a
// but for every other event, which is in b.
func (x *fixture) addBatches(sizes ...int) {
	x.Helper()
	for i, size := range sizes {
		var events []nave.Event
		for j := range size {
			events = append(events, event([]nave.Topic{"a", "b"}[j%2]))
		}
		x.add([]func(...nave.Event) eventlog.Batch{durable, memory}[i%2](events...))
	}
}

func (x *fixture) wantPage(p eventlog.Page, events int, next uint64, more bool) {
	x.Helper()
	if len(p.Events) != events || p.Next != next || p.More != more {
		x.Errorf("page has %d events, next %d, more %t; want %d, %d, %t",
			len(p.Events), p.Next, p.More, events, next, more)
	}
}

var readRules = []rule{
	{says: "a page ends where a batch ends, past its limit if need be", test: func(x *fixture) {
		x.addBatches(3, 2, 1)
		x.wantPage(x.page(0, everything, eventlog.Limit{Events: 1}), 3, 3, true)
		x.wantPage(x.page(0, everything, eventlog.Limit{Events: 3}), 3, 3, true)
		x.wantPage(x.page(0, everything, eventlog.Limit{Events: 4}), 5, 5, true)
		x.wantPage(x.page(3, everything, eventlog.Limit{Events: 3}), 3, 6, false)
		x.wantPage(x.page(0, nave.Filters{"b"}, eventlog.Limit{Events: 1}), 1, 3, true)
	}},
	{says: "a page is bounded in bytes, but never empty when there is more", test: func(x *fixture) {
		x.addBatches(1, 2, 1)
		size := sizeOf(event("a"))
		x.wantPage(x.page(0, everything, eventlog.Limit{Bytes: 1}), 1, 1, true)
		x.wantPage(x.page(0, everything, eventlog.Limit{Bytes: size + 1}), 3, 3, true)
		x.wantPage(x.page(0, everything, eventlog.Limit{Bytes: 4 * size}), 4, 4, false)
	}},
	{says: "a page has no more when all that matches was read, though others follow", test: func(x *fixture) {
		x.add(durable(event("a")))
		x.add(memory(event("a")))
		x.add(durable(event("b")))
		x.wantPage(x.page(0, nave.Filters{"a"}, eventlog.Limit{Events: 1}), 1, 1, true)
		x.wantPage(x.page(0, nave.Filters{"a"}, eventlog.Limit{Events: 2}), 2, 3, false)
	}},
	{says: "the reader of a quiet topic keeps up with the head", test: func(x *fixture) {
		x.addBatches(4, 4)
		x.wantPage(x.page(0, nave.Filters{"quiet/*"}, eventlog.Limit{}), 0, 8, false)
		x.wantPage(x.page(5, nave.Filters{"quiet"}, eventlog.Limit{}), 0, 8, false)
		x.wantPage(x.page(8, everything, eventlog.Limit{}), 0, 8, false)
		x.wantPage(x.page(0, nil, eventlog.Limit{}), 0, 8, false)
	}},
	{says: "pages with the default limit are bounded and together say everything", test: func(x *fixture) {
		const batches, size = 300, 10
		sizes := make([]int, batches)
		for i := range sizes {
			sizes[i] = size
		}
		x.addBatches(sizes...)
		if p := x.page(0, everything, eventlog.Limit{}); len(p.Events) > batches*size/2 || !p.More {
			x.Errorf("page has %d events, more %t; want it bounded", len(p.Events), p.More)
		}
		if got := len(x.read(0, "**")); got != batches*size {
			x.Errorf("events = %d, want %d", got, batches*size)
		}
	}},
	{says: "many topics are merged in the order of the log", test: func(x *fixture) {
		const topics, rounds = 150, 3
		var fs nave.Filters
		for i := range topics * rounds {
			topic := nave.Topic(fmt.Sprintf("t/%d", i*7%topics))
			x.add([]func(...nave.Event) eventlog.Batch{durable, memory}[i%3%2](event(topic), event("other")))
			if i < topics {
				fs = append(fs, nave.Filter(topic))
			}
		}
		for _, fs := range []nave.Filters{fs[:1], fs[:20], fs, {"t/*"}, {"t/*", "t/1"}, {"t/1", "x/**", "t/2"}} {
			var want []nave.Event
			for _, e := range x.read(0, "**") {
				if fs.Match(e.Topic) {
					want = append(want, e)
				}
			}
			x.want(x.read(0, fs...), want...)
		}
	}},
	{says: "a reader ahead of the log is told so", test: func(x *fixture) {
		x.addBatches(1)
		x.wantReset(2, nave.ResetAhead, "a")
	}},
	{says: "a read ends with its context", test: func(x *fixture) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := x.log.Read(ctx, 0, everything, eventlog.Limit{}); !errors.Is(err, context.Canceled) {
			x.Errorf("error = %v, want that of the context", err)
		}
	}},
}

var filterRules = []rule{
	{says: "filters choose topics", test: func(x *fixture) {
		topics := []nave.Topic{"a", "a/b", "a/b/c", "ab", "b", "b/b", "$hub/a", "a$"}
		for i, topic := range topics {
			x.add([]func(...nave.Event) eventlog.Batch{durable, memory}[i%2](event(topic)))
		}
		for _, fs := range []nave.Filters{
			{"a"}, {"a/b"}, {"a/*"}, {"a/**"}, {"*"}, {"*/b"}, {"*/*"}, {"**"}, {"$hub/*"}, {"$hub/a"}, {"$hub/**", "**"},
			{"a", "b"}, {"a", "a"}, {"a/**", "a/b"}, {"b", "*/b", "nothing"}, {"*/a"}, {},
		} {
			var want []nave.Topic
			for _, topic := range topics {
				if fs.Match(topic) {
					want = append(want, topic)
				}
			}
			var got []nave.Topic
			for _, e := range x.read(0, fs...) {
				got = append(got, e.Topic)
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				x.Errorf("filters %q read topics %q, want %q", fs, got, want)
			}
		}
	}},
	{says: "filters choose state", test: func(x *fixture) {
		topics := []nave.Topic{"a", "a/b", "a/b/c", "ab", "b", "b/b", "$hub/a", "a$"}
		for i, topic := range topics {
			for _, key := range []string{"2", "1"} {
				x.add([]func(...nave.Event) eventlog.Batch{durable, memory}[i%2](keyed(topic, key, "1")))
			}
		}
		for _, fs := range []nave.Filters{
			{"a"}, {"a/*"}, {"a/**"}, {"*/b"}, {"**"}, {"$hub/*"}, {"a/**", "a/b", "a"}, {"b", "*/b"}, {"**", "$hub/a"}, {},
		} {
			want := 0
			for _, topic := range topics {
				if fs.Match(topic) {
					want += 2
				}
			}
			if got := x.orderedState(fs); len(got) != want {
				x.Errorf("state of %q has %d keys, want %d: %q", fs, len(got), want, got)
			}
		}
	}},
}
