// Package degrade has the hub give things up, and come back: on real processes, with
// clients that do what they are told.
package degrade

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// A member is a spoke, and writes down what it sees.
type member struct {
	mu      sync.Mutex
	offsets []uint64
	state   spoke.State
	told    time.Time  // when it was last told to poll
	polls   int        // pages with events
	level   nave.Level // as it was told last
	changes int        // of it that it was told
	jumps   int        // those of them that were not by one step
	resets  []nave.ResetReason
	err     error
}

func (m *member) note(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// follow follows everything until ctx ends.
func (m *member) follow(ctx context.Context, hub *spoke.Client) {
	config := spoke.SubscribeConfig{
		Filters:  nave.Filters{"a/**"},
		Retry:    100 * time.Millisecond,
		OnStatus: func(s spoke.Status) { m.note(func() { m.state = s.State }) },
		OnNotice: func(e sse.Event) { m.note(func() { m.hear(e) }) },
	}
	for b, err := range hub.Subscribe(config).Batches(ctx) {
		m.note(func() { m.take(b, err) })
	}
}

func (m *member) hear(e sse.Event) {
	var said struct {
		Level nave.Level
		Poll  bool
	}
	switch {
	case e.Name != "hub.sync" && e.Name != "hub.level" || json.Unmarshal(e.Data, &said) != nil:
		return
	case e.Name == "hub.sync":
		m.level = cmp.Or(said.Level, nave.LevelNormal)
		return
	}
	m.changes++
	if by := said.Level.Number() - m.level.Number(); by != 1 && by != -1 {
		m.jumps++
	}
	if m.level = said.Level; said.Poll {
		m.told = time.Now()
	}
}

func (m *member) take(b spoke.Batch, err error) {
	var reset *nave.ResetError
	switch {
	case errors.As(err, &reset):
		m.resets = append(m.resets, reset.Reason)
	case err != nil:
		m.err = err
	case m.state == spoke.Polling:
		m.polls++
	}
	for _, e := range b.Events {
		if e.Offset > 0 {
			m.offsets = append(m.offsets, e.Offset)
		}
	}
}

// A crowd is many of them.
type crowd struct {
	*testing.T
	members []*member
	leave   context.CancelFunc
	running sync.WaitGroup
}

// gather has n members follow, and waits until all are live.
func gather(t *testing.T, hub *harness.Process, n int) *crowd {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	ctx, leave := context.WithCancel(t.Context())
	c := &crowd{T: t, members: make([]*member, n), leave: leave}
	client := newClient(t, hub, transport)
	for i := range c.members {
		c.members[i] = new(member)
		c.running.Go(func() { c.members[i].follow(ctx, client) })
	}
	t.Cleanup(func() { c.end(); transport.CloseIdleConnections() })
	c.await("all stream", func(m *member) bool { return m.state == spoke.Live })
	return c
}

func newClient(t *testing.T, hub *harness.Process, transport http.RoundTripper) *spoke.Client {
	t.Helper()
	client, err := spoke.New(spoke.Config{URL: hub.URL(""), Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func (c *crowd) end() {
	c.leave()
	c.running.Wait()
}

// await waits until all members are so.
func (c *crowd) await(what string, done func(*member) bool) {
	c.Helper()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		left := 0
		for _, m := range c.members {
			m.note(func() {
				if !done(m) {
					left++
				}
			})
		}
		if left == 0 {
			return
		}
		if time.Since(begun) > time.Minute {
			c.Fatalf("%s: not after a minute: %d of %d are missing", what, left, len(c.members))
		}
	}
}

// heard judges what the members were told of levels: each change by one step.
func (c *crowd) heard(table *trial.Table) {
	c.Helper()
	changes, jumps := 0, 0
	for _, m := range c.members {
		m.note(func() {
			changes += m.changes
			jumps += m.jumps
		})
	}
	table.Row("changes of the level that clients were told", "", "%d", changes)
	table.Count("of these by more than one step", jumps)
	if changes == 0 {
		c.Error("no client was told of a level")
	}
}

// judge waits until all have the last of what was published, has them leave, and compares
// what each of them saw with all of it.
func (c *crowd) judge(table *trial.Table, want []uint64) {
	c.Helper()
	if len(want) == 0 {
		c.Fatal("nothing was published")
	}
	c.await("all have all", func(m *member) bool {
		return len(m.offsets) > 0 && m.offsets[len(m.offsets)-1] >= want[len(want)-1]
	})
	c.end()
	lost, double := 0, 0
	var polls, resets int
	for _, m := range c.members {
		if m.err != nil {
			c.Errorf("a client ended: %v", m.err)
		}
		if !slices.IsSorted(m.offsets) || len(slices.Compact(slices.Clone(m.offsets))) != len(m.offsets) {
			double++
		}
		lost += missing(m.offsets, want)
		polls += m.polls
		resets += len(m.resets)
	}
	table.Row("batches that came by polls", "", "%d", polls)
	table.Count("lost", lost)
	table.Count("clients that got something twice, or out of order", double)
	table.Count("resets", resets)
}

// missing counts what is wanted and not there.
func missing(got, want []uint64) (n int) {
	there := make(map[uint64]bool, len(got))
	for _, offset := range got {
		there[offset] = true
	}
	for _, offset := range want {
		if !there[offset] {
			n++
		}
	}
	return n
}

// A publisher publishes one event after the other, and sees each through.
type publisher struct {
	offsets []uint64
	refused int // tries
	longest time.Duration
	stop    context.CancelFunc
	done    chan struct{}
}

// publish publishes until told to stop, with a pause after each.
func publish(t *testing.T, hub *harness.Process, pause time.Duration, data func(i int) json.RawMessage) *publisher {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &publisher{stop: stop, done: make(chan struct{})}
	client, err := spoke.New(spoke.Config{URL: hub.URL(""), OnRetry: func(error, time.Duration) { p.refused++ }})
	if err != nil {
		t.Fatal(err)
	}
	go func() { // ends with stop
		defer close(p.done)
		defer client.Close()
		for i := 0; ctx.Err() == nil; i++ {
			begun := time.Now()
			answer, err := client.Publish(context.WithoutCancel(ctx), nave.Event{
				Topic: nave.Topic(fmt.Sprintf("a/%d", i%7)), Type: "moved", Data: data(i),
			})
			if err != nil {
				t.Errorf("a durable event is refused for good: %v", err)
				return
			}
			p.longest = max(p.longest, time.Since(begun))
			p.offsets = append(p.offsets, answer.Events[0].Offset)
			time.Sleep(pause)
		}
	}()
	t.Cleanup(func() { p.end() })
	return p
}

// end waits for what is under way, and returns all that was acknowledged.
func (p *publisher) end() []uint64 {
	p.stop()
	<-p.done
	return p.offsets
}

func number(i int) json.RawMessage { return json.RawMessage(fmt.Sprint(i)) }
