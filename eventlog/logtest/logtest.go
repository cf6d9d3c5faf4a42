// Package logtest is the suite that every engine of [eventlog.Log] passes: each
// rule of the contract as a test, and random histories compared with a model.
package logtest

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
)

// A Factory makes logs of one engine.
type Factory struct {
	// New makes a fresh place for a log, and returns what opens the log there, each
	// time as a process of its own would.
	New func(eventlog.Options) eventlog.Opener
	// Durable is whether durable events are there when the log is opened again.
	// Without it, tests that open a log again are left out.
	Durable bool
}

// A rule is one sentence of the contract, as a test.
type rule struct {
	says    string
	options eventlog.Options
	reopens bool
	test    func(*fixture)
}

// Run tests the engine.
func Run(t *testing.T, f Factory) {
	for _, rules := range [][]rule{
		orderRules, conditionRules, repeatRules, readRules, filterRules,
		stateRules, trimRules, restartRules, lifeRules, concurrencyRules,
	} {
		for _, r := range rules {
			if r.reopens && !f.Durable {
				continue
			}
			t.Run(r.says, func(t *testing.T) {
				r.test(start(t, f.New(r.options)))
			})
		}
	}
	t.Run("random histories are as the model says", func(t *testing.T) { testHistories(t, f) })
}

// noon is when tests begin.
var noon = time.Date(2026, 3, 20, 12, 0, 0, 123456789, time.UTC)

var everything = nave.Filters{"**"}

// A fixture is a log under test, and the shorthand for using it.
type fixture struct {
	*testing.T
	open eventlog.Opener
	log  eventlog.Log
}

func start(t *testing.T, open eventlog.Opener) *fixture {
	x := &fixture{T: t, open: open}
	x.reopen()
	t.Cleanup(func() { x.must(x.log.Close()) })
	return x
}

// reopen closes the log, if it is open, and opens it.
func (x *fixture) reopen() {
	x.Helper()
	if x.log != nil {
		x.must(x.log.Close())
	}
	log, err := x.open(context.Background())
	x.must(err)
	x.log = log
}

func (x *fixture) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

// append appends a group and returns what became of it.
func (x *fixture) append(group ...eventlog.Batch) []eventlog.Outcome {
	x.Helper()
	outcomes, err := x.log.Append(context.Background(), group)
	x.must(err)
	if len(outcomes) != len(group) {
		x.Fatalf("outcomes = %d, want one for each of %d batches", len(outcomes), len(group))
	}
	return outcomes
}

// add appends a batch that is to be stored, and returns its first offset.
func (x *fixture) add(b eventlog.Batch) uint64 {
	x.Helper()
	outcome := x.append(b)[0]
	if outcome.Err != nil || outcome.Repeat {
		x.Fatalf("outcome = %+v, want the batch stored", outcome)
	}
	return outcome.First
}

// refused appends a batch that is to be refused with the code.
func (x *fixture) refused(b eventlog.Batch, code nave.Code) error {
	x.Helper()
	head := x.log.Head()
	outcome := x.append(b)[0]
	if nave.CodeOf(outcome.Err) != code {
		x.Fatalf("outcome = %+v, want an error with code %s", outcome, code)
	}
	if x.log.Head() != head {
		x.Fatalf("head moved from %d to %d though the batch was refused", head, x.log.Head())
	}
	return outcome.Err
}

func (x *fixture) page(after uint64, fs nave.Filters, limit eventlog.Limit) eventlog.Page {
	x.Helper()
	p, err := x.log.Read(context.Background(), after, fs, limit)
	x.must(err)
	return p
}

// read reads everything after the offset.
func (x *fixture) read(after uint64, fs ...nave.Filter) []nave.Event {
	x.Helper()
	var events []nave.Event
	for more := true; more; {
		p := x.page(after, fs, eventlog.Limit{})
		if p.More && p.Next <= after {
			x.Fatalf("page after %d has more, but goes on after %d", after, p.Next)
		}
		events = append(events, p.Events...)
		after, more = p.Next, p.More
	}
	return events
}

// state is the state of all keys, as data by "topic key", and its offset.
func (x *fixture) state(fs ...nave.Filter) (map[string]string, uint64) {
	x.Helper()
	s, err := x.log.State(context.Background(), fs)
	x.must(err)
	state := make(map[string]string)
	for e, err := range s.Events() {
		x.must(err)
		state[string(e.Topic)+" "+e.Key] = string(e.Data)
	}
	offset := s.Offset()
	x.must(s.Close())
	return state, offset
}

func (x *fixture) wantState(want map[string]string) {
	x.Helper()
	got, offset := x.state("**")
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		x.Errorf("state (-want +got):\n%s", diff)
	}
	if head := x.log.Head(); offset != head {
		x.Errorf("state is as of %d, want the head, %d", offset, head)
	}
}

// wantReset reads after the offset, to be told that events are missing.
func (x *fixture) wantReset(after uint64, reason nave.ResetReason, fs ...nave.Filter) {
	x.Helper()
	p, err := x.log.Read(context.Background(), after, fs, eventlog.Limit{})
	var reset *nave.ResetError
	if !errors.As(err, &reset) || reset.Reason != reason {
		x.Errorf("read %v after %d = %+v, %v, want a reset for %s", fs, after, p, err, reason)
	}
}

func (x *fixture) trim(now time.Time) {
	x.Helper()
	x.must(x.log.Trim(context.Background(), now))
}

// want compares events as stored with events as published.
func (x *fixture) want(got []nave.Event, want ...nave.Event) {
	x.Helper()
	if diff := diffEvents(want, got); diff != "" {
		x.Errorf("events (-want +got):\n%s", diff)
	}
}

func diffEvents(want, got []nave.Event) string {
	if len(want) == 0 && len(got) == 0 {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.IgnoreFields(nave.Event{}, "IfVersion"),
		cmp.Comparer(func(a, b json.RawMessage) bool { return string(a) == string(b) }))
}

// placed are the events as they are stored from the offset on, as one batch.
func placed(first uint64, events ...nave.Event) []nave.Event {
	out := make([]nave.Event, len(events))
	for i, e := range events {
		e.Offset = first + uint64(i)
		e.Batch = nave.Position{I: i, N: len(events)}
		out[i] = e
	}
	return out
}

// durable and memory are batches at noon.
func durable(events ...nave.Event) eventlog.Batch {
	return eventlog.Batch{Events: events, Durability: nave.Durable, Time: noon}
}

func memory(events ...nave.Event) eventlog.Batch {
	return eventlog.Batch{Events: events, Durability: nave.Memory, Time: noon}
}

func at(when time.Time, b eventlog.Batch) eventlog.Batch {
	b.Time = when
	return b
}

// event is an event without key; keyed one with, and data.
func event(topic nave.Topic) nave.Event {
	return nave.Event{Topic: topic, Type: "test.happened", Time: noon}
}

func keyed(topic nave.Topic, key, data string) nave.Event {
	e := event(topic)
	e.Key, e.Data = key, []byte(data)
	return e
}

func removed(topic nave.Topic, key string) nave.Event {
	e := event(topic)
	e.Key = key
	return e
}

func named(e nave.Event, id string) nave.Event {
	e.ID, e.Source = id, "test"
	return e
}

func conditional(e nave.Event, version uint64) nave.Event {
	e.IfVersion = &version
	return e
}

func sizeOf(e nave.Event) int { return e.Size() }
