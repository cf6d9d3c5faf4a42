package logtest

import (
	"errors"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/navehub/nave"
)

// wantConflicts appends a batch that meets other versions, in what order its
// conditions are.
func (x *fixture) wantConflicts(err error, want ...nave.Conflict) {
	x.Helper()
	var conflict *nave.ConflictError
	if !errors.As(err, &conflict) {
		x.Fatalf("error = %v, want a conflict", err)
	}
	if diff := cmp.Diff(want, conflict.Conflicts, cmpopts.IgnoreFields(nave.Event{}, "IfVersion")); diff != "" {
		x.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

var conditionRules = []rule{
	{says: "the first writer wins and the other is told the version and the event", test: func(x *fixture) {
		mine, theirs := keyed("a", "k", `"mine"`), keyed("a", "k", `"theirs"`)
		version := x.add(durable(conditional(mine, 0)))
		err := x.refused(durable(conditional(theirs, 0)), nave.CodeConflict)
		x.wantConflicts(err, nave.Conflict{Topic: "a", Key: "k", Version: version, Event: &placed(version, mine)[0]})
		next := x.add(memory(conditional(theirs, version)))
		x.refused(durable(conditional(mine, version)), nave.CodeConflict)
		x.add(durable(conditional(mine, next)))
	}},
	{says: "a key belongs to its topic", test: func(x *fixture) {
		x.add(durable(keyed("a", "k", "1")))
		x.add(durable(conditional(keyed("b", "k", "1"), 0)))
	}},
	{says: "a condition on a key without version holds only for 0", test: func(x *fixture) {
		x.wantConflicts(x.refused(durable(conditional(keyed("a", "k", "1"), 7)), nave.CodeConflict),
			nave.Conflict{Topic: "a", Key: "k", IfVersion: 7})
	}},
	{says: "the conditions of a batch hold together, and all that do not are listed", test: func(x *fixture) {
		one := x.add(durable(keyed("a", "1", "1")))
		two := x.add(memory(keyed("b", "2", "2")))
		err := x.refused(durable(
			conditional(keyed("a", "1", "x"), one+9),
			conditional(keyed("c", "3", "x"), 0),
			event("d"),
			conditional(keyed("b", "2", "x"), 0),
		), nave.CodeConflict)
		x.wantConflicts(err,
			nave.Conflict{Topic: "a", Key: "1", IfVersion: one + 9, Version: one, Event: &placed(one, keyed("a", "1", "1"))[0]},
			nave.Conflict{Topic: "b", Key: "2", IfVersion: 0, Version: two, Event: &placed(two, keyed("b", "2", "2"))[0]})
		x.wantState(map[string]string{"a 1": "1", "b 2": "2"})
	}},
	{says: "conditions see the state before their own batch", test: func(x *fixture) {
		first := x.add(durable(conditional(keyed("a", "k", "1"), 0), conditional(keyed("a", "k", "2"), 0)))
		x.refused(durable(conditional(keyed("a", "k", "3"), first)), nave.CodeConflict)
		x.add(durable(conditional(keyed("a", "k", "3"), first+1)))
	}},
	{says: "conditions see the batches before theirs in the group", test: func(x *fixture) {
		won, lost := keyed("a", "k", `"won"`), keyed("a", "k", `"lost"`)
		outcomes := x.append(durable(conditional(won, 0)), memory(conditional(lost, 0)), durable(conditional(lost, 1)))
		if outcomes[0].Err != nil || outcomes[2].Err != nil || outcomes[2].First != 2 {
			x.Fatalf("outcomes = %+v, want only the second refused", outcomes)
		}
		x.wantConflicts(outcomes[1].Err, nave.Conflict{Topic: "a", Key: "k", Version: 1, Event: &placed(1, won)[0]})
	}},
	{says: "a removed key keeps its tombstone's version", test: func(x *fixture) {
		x.add(durable(keyed("a", "k", "1")))
		gone := x.add(durable(removed("a", "k")))
		x.wantState(nil)
		x.wantConflicts(x.refused(durable(conditional(keyed("a", "k", "2"), 0)), nave.CodeConflict),
			nave.Conflict{Topic: "a", Key: "k", Version: gone, Event: &placed(gone, removed("a", "k"))[0]})
		x.add(durable(conditional(keyed("a", "k", "2"), gone)))
		x.wantState(map[string]string{"a k": "2"})
	}},
}
