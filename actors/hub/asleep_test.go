package hub

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

// A client whose transport takes nothing for an hour gets all that it missed, or
// is told that this has left the log: when it comes back, if the hub has given up
// its connection meanwhile, or on the same one, if the hub has waited.
func TestClientAsleepForAnHour(t *testing.T) {
	for name, c := range map[string]struct {
		topic string
		wait  time.Duration
		told  []string
	}{
		"durable events, given up":   {"cards/1", 10 * time.Second, []string{"live/", "recovered/"}},
		"durable events, waited for": {"cards/1", 2 * time.Hour, []string{"live/"}},
		"memory events, given up":    {"session/1", 10 * time.Second, []string{"live/", "reset/retention"}},
		"memory events, waited for":  {"session/1", 2 * time.Hour, []string{"live/", "reset/retention"}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) { sleepForAnHour(t, c.topic, c.wait, c.told) })
		})
	}
}

func sleepForAnHour(t *testing.T, topic string, wait time.Duration, told []string) {
	h := startOn(t, Config{
		Topics: []TopicRule{{Filter: "session/*", Durability: nave.Memory}},
		Client: client.Config{WriteTimeout: wait, Mailbox: 4 << 10},
		Limits: Limits{RecentBytes: 8 << 10},
	}, memlog.Opener(eventlog.Options{
		Durable: eventlog.Retention{Age: 7 * 24 * time.Hour},
		Memory:  eventlog.Retention{Age: 30 * time.Minute},
	}))
	sleeper, awake := connectTo(t, h, "", nave.Filter(topic)), connectTo(t, h, "", nave.Filter(topic))
	synctest.Wait()
	publish := func(n int) {
		for i := range n {
			publish1(t, h, event(topic, "moved", i))
			time.Sleep(time.Second)
		}
	}
	publish(10)
	wake := sleeper.stall()
	publish(3600)
	wake()
	synctest.Wait()
	seen := []*stream{sleeper}
	if sleeper.isClosed() {
		seen = append(seen, connectTo(t, h, lastCursor(t, sleeper), nave.Filter(topic)))
		synctest.Wait()
	}
	publish(10)
	for name, streams := range map[string][]*stream{"the sleeper": seen, "the one that was awake": {awake}} {
		if err := toldOrComplete(t, streams, 3620); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	var verdicts []string
	for _, s := range seen {
		verdicts = append(verdicts, s.statuses(t)...)
	}
	if !slices.Equal(verdicts, told) {
		t.Errorf("the sleeper is told %v, want %v", verdicts, told)
	}
}

// toldOrComplete checks that the streams, one after the other, have all events up
// to an offset, but for those that a reset has told of.
func toldOrComplete(t *testing.T, streams []*stream, upTo uint64) error {
	t.Helper()
	next := uint64(1)
	for _, s := range streams {
		for _, e := range s.events(t) {
			if e.Name == "hub.sync" && bytes.Contains(e.Data, []byte(`"reset"`)) {
				at, err := nave.ParseCursor(e.ID)
				if err != nil {
					return err
				}
				next = at.Offset + 1
			}
			if strings.HasPrefix(e.Name, "hub.") {
				continue
			}
			var b body
			if err := json.Unmarshal(e.Data, &b); err != nil || b.Offset != next {
				return fmt.Errorf("event %d comes where %d should: %v", b.Offset, next, err)
			}
			next++
		}
	}
	if next != upTo+1 {
		return fmt.Errorf("it ends before event %d, want %d to be the last", next, upTo)
	}
	return nil
}

// lastCursor is where a browser would resume.
func lastCursor(t *testing.T, s *stream) (cursor string) {
	t.Helper()
	for _, e := range s.events(t) {
		if e.ID != "" {
			cursor = e.ID
		}
	}
	return cursor
}

// A dispatcher that stands still for an hour, as in a process that is suspended,
// does not make up for the heartbeats of that hour; it does for the events.
func TestSuspendedDispatcherMakesUpForNoHeartbeats(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 1, Heartbeat: 16 * time.Second})
		suspend := drowsyDispatcher(t, h)
		var streams []*stream
		for range 1000 {
			streams = append(streams, connectTo(t, h, "", "cards/*"))
		}
		time.Sleep(32 * time.Second)
		before := make(map[*stream]int)
		check := func(when string, low, high int) {
			t.Helper()
			synctest.Wait()
			for i, s := range streams {
				n := s.heartbeats() - before[s]
				if before[s] += n; n < low || n > high {
					t.Fatalf("%s: client %d got %d heartbeats, want %d to %d", when, i, n, low, high)
				}
			}
		}
		check("in 32 s before", 2, 2)
		suspend(time.Hour)
		for i := range 60 {
			publish1(t, h, event("cards/1", "moved", i))
			time.Sleep(time.Minute)
		}
		check("in the hour", 0, 1) // when it is over
		time.Sleep(time.Second)
		check("in the second after", 0, 1)
		time.Sleep(32 * time.Second)
		check("in the 32 s after", 2, 2)
		for i, s := range streams {
			if err := rising(s.offsets(t), 1, 60); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		}
	})
}

// drowsyDispatcher replaces the hub's only one, before anybody connects, by one
// that can be made to stand still at its next message.
func drowsyDispatcher(t *testing.T, h *Hub) (suspend func(time.Duration)) {
	t.Helper()
	synctest.Wait() // until those that use the dispatchers at their start have
	naps := make(chan time.Duration, 1)
	h.shards[0] = newShard()
	spec := h.dispatcherSpec(h.shards[0])
	make := spec.New
	spec.New = func() actors.Actor[dispatcherMessage] { return &drowsy{make().(*dispatcher), naps} }
	ref, err := actors.Spawn(h.system, "drowsy", spec)
	if err != nil {
		t.Fatal(err)
	}
	h.dispatchers[0] = ref
	return func(d time.Duration) { naps <- d }
}

type drowsy struct {
	*dispatcher
	naps <-chan time.Duration
}

func (d *drowsy) Receive(c *actors.Context[dispatcherMessage], m dispatcherMessage) {
	select {
	case nap := <-d.naps:
		time.Sleep(nap)
	default:
	}
	d.dispatcher.Receive(c, m)
}

// heartbeats counts those that have come.
func (s *stream) heartbeats() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Count(s.written.Bytes(), []byte("event: hub.heartbeat\n"))
}
