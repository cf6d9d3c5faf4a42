package hub

import (
	"testing"
	"testing/synctest"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/supervision"
)

// A listener notes from where on it will be offered everything.
type listener struct{ attached chan uint64 }

func (l listener) Receive(_ *actors.Context[client.Message], m client.Message) {
	if a, ok := m.(client.Attached); ok {
		l.attached <- a.Head
	}
}

// The journal does not tell a shard without clients of what it commits. Whoever is
// the first to come must not wait for the next event to hear of the last.
func TestTheFirstClientOfAShardIsToldTheHead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 1})
		l := listener{make(chan uint64, 1)}
		ref, err := actors.Spawn(h.system, "listener", actors.Spec[client.Message]{
			Kind: supervision.Client, New: func() actors.Actor[client.Message] { return l },
		})
		if err != nil {
			t.Fatal(err)
		}
		for id := range uint64(2) { // the second comes when the first has left
			publish1(t, h, event("cards/1", "moved", 1))
			synctest.Wait()
			at := desk{h}
			if err := at.Attach(id, nave.Filters{"cards/*"}, ref); err != nil {
				t.Fatal(err)
			}
			if head := <-l.attached; head != h.Head() {
				t.Errorf("client %d is attached at %d; the head is %d", id, head, h.Head())
			}
			at.Detach(id)
			synctest.Wait()
		}
	})
}
