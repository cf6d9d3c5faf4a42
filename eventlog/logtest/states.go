package logtest

import (
	"context"
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// orderedState are the keys of the state, which are to be in order.
func (x *fixture) orderedState(fs nave.Filters) []string {
	x.Helper()
	s, err := x.log.State(context.Background(), fs)
	x.must(err)
	defer s.Close()
	var keys []string
	for e, err := range s.Events() {
		x.must(err)
		keys = append(keys, string(e.Topic)+"\x00"+e.Key)
	}
	if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
		x.Errorf("state is not ordered by topic and key: %q", keys)
	}
	return keys
}

var stateRules = []rule{
	{says: "state is the latest event of each key, removed ones left out", test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1"), keyed("a", "2", "1"), keyed("b", "1", "1"), event("a")))
		x.add(durable(keyed("a", "1", "2")))
		x.add(durable(removed("a", "2")))
		null := keyed("b", "1", "null")
		x.add(durable(null))
		x.wantState(map[string]string{"a 1": "2"})
	}},
	{says: "the latest event counts whatever its durability", test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1"), keyed("a", "2", "1"), keyed("a", "3", "1")))
		x.add(memory(keyed("a", "1", "2"), removed("a", "2"), keyed("a", "4", "2")))
		x.wantState(map[string]string{"a 1": "2", "a 3": "1", "a 4": "2"})
		x.add(durable(keyed("a", "1", "3"), keyed("a", "2", "3"), removed("a", "4")))
		x.wantState(map[string]string{"a 1": "3", "a 2": "3", "a 3": "1"})
	}},
	{says: "a snapshot stays as it was taken", options: eventlog.Options{Durable: eventlog.Retention{Age: time.Hour}}, test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1"), keyed("a", "2", "1")))
		x.add(memory(keyed("b", "1", "1")))
		s, err := x.log.State(context.Background(), everything)
		x.must(err)
		defer s.Close()
		x.add(durable(keyed("a", "1", "2"), removed("a", "2"), keyed("b", "1", "2"), keyed("c", "1", "2")))
		x.trim(noon.Add(2 * time.Hour))
		for range 2 {
			n := 0
			for e, err := range s.Events() {
				x.must(err)
				if string(e.Data) != "1" {
					x.Errorf("snapshot at %d has %+v", s.Offset(), e)
				}
				n++
			}
			if n != 3 || s.Offset() != 3 {
				x.Errorf("snapshot at %d has %d keys, want 3 at 3", s.Offset(), n)
			}
		}
	}},
	{says: "a snapshot can be left half read and closed twice", test: func(x *fixture) {
		x.add(durable(keyed("a", "1", "1"), keyed("a", "2", "1")))
		x.add(memory(keyed("b", "1", "1")))
		s, err := x.log.State(context.Background(), everything)
		x.must(err)
		for range s.Events() {
			break
		}
		x.must(s.Close())
		x.must(s.Close())
	}},
	{says: "durable state outlives a restart and memory's does not", reopens: true, test: func(x *fixture) {
		one := x.add(durable(keyed("a", "1", "1"), keyed("a", "2", "1")))
		x.add(memory(keyed("a", "1", "2"), keyed("b", "1", "2")))
		x.reopen()
		x.wantState(map[string]string{"a 1": "1", "a 2": "1"})
		x.add(durable(conditional(keyed("a", "1", "3"), one)))
	}},
}
