package hub

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
)

func TestSlowClientLagsCatchesUpAndOthersNeverFeelIt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{
			Client: client.Config{Mailbox: 4 << 10, WriteTimeout: time.Hour},
			Limits: Limits{RecentBytes: 8 << 10},
		})
		slow, healthy := connectTo(t, h, "", "cards/*"), connectTo(t, h, "", "cards/*")
		synctest.Wait()
		resume := slow.stall()
		for i := range 500 {
			publish1(t, h, event("cards/1", "moved", strings.Repeat("x", i%100)))
		}
		synctest.Wait()
		if err := rising(healthy.offsets(t), 1, 500); err != nil {
			t.Errorf("healthy client: %v", err)
		}
		if n := len(slow.offsets(t)); n > 1 {
			t.Fatalf("the slow client got %d events while stalled", n)
		}
		resume()
		synctest.Wait()
		for i := range 50 {
			publish1(t, h, event("cards/1", "moved", i))
		}
		synctest.Wait()
		if err := rising(slow.offsets(t), 1, 550); err != nil {
			t.Errorf("slow client: %v", err)
		}
	})
}

// A client whose mailbox is too full even for the news that it lags believes to be
// live: no heartbeat may take its cursor over what it was not offered.
func TestHeartbeatSkipsAClientThatDoesNotKnowThatItLags(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{
			Dispatchers: 1,
			Heartbeat:   16 * time.Second,
			Client:      client.Config{Mailbox: 2 << 10, WriteTimeout: time.Hour},
		})
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		resume := s.stall()
		publish1(t, h, event("cards/1", "moved", 1))
		synctest.Wait()
		ref := h.clients.of(1)
		for ref.Tell(client.Attached{}) == nil {
		}
		for i := range 20 {
			publish1(t, h, event("cards/1", "moved", strings.Repeat("x", 300+i)))
		}
		time.Sleep(20 * time.Second)
		resume()
		time.Sleep(40 * time.Second)
		synctest.Wait()
		if err := rising(s.offsets(t), 1, 21); err != nil {
			t.Error(err)
		}
	})
}

func TestMailboxesOfAllClientsAreBoundedTogether(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{
			Client: client.Config{WriteTimeout: time.Hour},
			Limits: Limits{ClientBytes: 16 << 10},
		})
		var slow []*stream
		var resume []func()
		for range 10 {
			s := connectTo(t, h, "", "cards/*")
			slow = append(slow, s)
			synctest.Wait()
			resume = append(resume, s.stall())
		}
		for i := range 200 {
			publish1(t, h, event("cards/1", "moved", i))
			synctest.Wait() // or several would be offered as one
		}
		const first = 300 // the first that waits for a client is let in anyhow
		if used := h.mailboxes.Used(); used < 16<<10-first || used > 16<<10+10*first {
			t.Errorf("%d bytes wait for all clients, of 16 KiB that may", used)
		}
		for i, s := range slow {
			resume[i]()
			synctest.Wait()
			if err := rising(s.offsets(t), 1, 200); err != nil {
				t.Errorf("client %d: %v", i, err)
			}
		}
		if used := h.mailboxes.Used(); used != 0 {
			t.Errorf("%d bytes are still accounted for", used)
		}
	})
}

// Clients that are slow, when they are so many that they fill what all may hold
// together, do not take the room of one that keeps up: it stays live.
func TestClientThatKeepsUpIsLiveThoughOthersHoldAllThereIs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{
			Client: client.Config{WriteTimeout: time.Hour},
			Limits: Limits{ClientBytes: 16 << 10},
			Topics: []TopicRule{{Filter: "ui/*", Durability: nave.Transient}},
		})
		for range 10 {
			s := connectTo(t, h, "", "cards/*")
			synctest.Wait()
			t.Cleanup(s.stall())
		}
		healthy := connectTo(t, h, "", "ui/*")
		synctest.Wait()
		for i := range 200 {
			publish1(t, h, event("cards/1", "moved", i))
			publish1(t, h, event("ui/1", "click", i))
			synctest.Wait()
		}
		if n := len(healthy.offsets(t)); n != 200 {
			t.Errorf("the client that keeps up got %d of 200 transient events", n)
		}
	})
}

func TestClientThatTakesNothingIsDisconnected(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Client: client.Config{WriteTimeout: 10 * time.Second}})
		s := connectTo(t, h, "", "cards/*")
		synctest.Wait()
		s.stall()
		publish1(t, h, event("cards/1", "moved", 1))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		if !s.isClosed() {
			t.Error("still connected after its write timeout")
		}
		if n := h.clients.count.Load(); n != 0 {
			t.Errorf("%d clients left", n)
		}
	})
}

func TestDispatcherThatMissedAGroupFindsItAmongTheRecent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 1, Limits: Limits{RecentBytes: 1 << 20}})
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		missed := func(n int, data string) { // as if the dispatcher's mailbox had been full
			for range n {
				f := frame.New(h.Epoch(), event("ui/1", "x", data), time.Now())
				h.recent.add(&group{frames: []*frame.Frame{f}, head: h.Head(), bytes: f.Memory()})
			}
		}
		missed(600, "")
		publish1(t, h, event("cards/1", "moved", 1))
		synctest.Wait()
		if got, want := s.offsets(t), slices.Concat(make([]uint64, 600), []uint64{1}); !slices.Equal(got, want) {
			t.Fatalf("%d events, want the 600 that were missed, in their place before the last", len(got))
		}
		missed(600, "")
		_ = h.dispatchers[0].Tell(wake{})
		synctest.Wait()
		if got := s.offsets(t); len(got) != 1201 {
			t.Errorf("%d events after the dispatcher was woken, want 1201", len(got))
		}
		// When they have left even there, the clients re-read from the log.
		missed(30, strings.Repeat("x", 40<<10))
		for i := range 4 {
			publish1(t, h, event("cards/1", "moved", i))
		}
		synctest.Wait()
		got := slices.DeleteFunc(s.offsets(t), func(o uint64) bool { return o == 0 })
		if err := rising(got, 1, 5); err != nil {
			t.Error(err)
		}
		if n := len(s.offsets(t)); n != 1205 {
			t.Errorf("%d events, want 1205: what has left cannot be offered", n)
		}
	})
}
