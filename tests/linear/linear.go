// Package linear tries the promise that the first writer wins and the other is
// told, as one of linearizability: clients publish with and without conditions,
// read the state, repeat and lose answers, all at once, and a checker that knows
// nothing of the hub but its promises looks for one order of all they did that
// agrees with every answer and with who answered before whom asked.
//
//	play.go     a history happens
//	client.go   what clients do in it
//	record.go   what they asked, and what they were told
//	local.go    the hub in this process, on a log that can break: breaking.go
//	remote.go   the hub in another one, over HTTP
//	settle.go   what became of publishes that nobody was told of
//	model.go    what the hub promises, as a machine that does one thing at a time
//	judge.go    the checker, and the count
package linear

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/navehub/nave"
)

// keys is how many keys a history is about: few, so that clients meet.
const keys = 3

// A key is one of them. Two share a topic, so that batches go over keys of one
// topic and of two.
type key int

func (k key) topic() string { return [keys]string{"cards", "cards", "lists"}[k] }
func (k key) name() string  { return [keys]string{"a", "b", "a"}[k] }

func (k key) String() string { return k.topic() + "/" + k.name() }

// keyOf finds the key by the last segment of its topic, and its name.
func keyOf(e *nave.Event) (key, error) {
	topic := string(e.Topic)[strings.LastIndexByte(string(e.Topic), '/')+1:]
	for k := range key(keys) {
		if k.topic() == topic && k.name() == e.Key {
			return k, nil
		}
	}
	return 0, fmt.Errorf("nobody published %s in %s", e.Key, e.Topic)
}

// unconditional is the version of a change that has no condition.
const unconditional uint64 = math.MaxUint64

// A change is one event: it sets a key or removes it.
type change struct {
	key       key
	ifVersion uint64
	removes   bool
}

// A write is one publish, of a single event or a batch, however often it is tried.
type write struct {
	number  int
	changes []change

	// at is where the log has the first event, 0 if it has none; see settle.
	at uint64
}

// id names the i-th event for idempotency, and is its data, so that whoever meets
// it knows whose it is.
func (w *write) id(i int) string { return fmt.Sprintf("%d.%d", w.number, i) }

// event is the i-th, as it is published.
func (w *write) event(place string, i int) nave.Event {
	c := w.changes[i]
	e := nave.Event{
		Topic: nave.Topic(place + "/" + c.key.topic()), Type: "changed", Key: c.key.name(),
		ID: w.id(i), Source: place,
	}
	if !c.removes {
		e.Data = []byte(strconv.Quote(w.id(i)))
	}
	if c.ifVersion != unconditional {
		e.IfVersion = &c.ifVersion
	}
	return e
}

// An entry is what a key holds: its version and the event that made it.
type entry struct {
	version uint64
	id      string
	removed bool
}

// entryOf is what the event made of its key. The state says no ids, so there the
// data stands for them; where both are told they must agree.
func entryOf(e *nave.Event) entry {
	entered := entry{version: e.Offset, id: e.ID, removed: e.Tombstone()}
	data, _ := strconv.Unquote(string(e.Data))
	switch {
	case entered.id == "":
		entered.id = data
	case !entered.removed && entered.id != data:
		entered.id += " with the data of " + data
	}
	return entered
}
