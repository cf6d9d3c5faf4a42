package hub

import (
	"sync/atomic"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
)

// A shard is a dispatcher's memory.
type shard struct {
	subscribers map[uint64]*subscriber // owned by the dispatcher
	empty       atomic.Bool            // there are none: the journal need not tell of groups
	lagging     atomic.Int64           // of them; who is stuck in a write cannot say so itself
	watchers    atomic.Int64           // those that follow the hub's health
}

func newShard() *shard {
	s := &shard{subscribers: make(map[uint64]*subscriber)}
	s.empty.Store(true)
	return s
}

// lagging is how many clients get no offers, as their dispatchers know: a client that is
// stuck in a write does not get to say so.
func (h *Hub) lagging() (n int) {
	for _, s := range h.shards {
		n += int(s.lagging.Load())
	}
	return n
}

// A subscriber is a client as its dispatcher knows it.
type subscriber struct {
	id      uint64
	filters nave.Filters
	ref     actors.Ref[client.Message]
	lagging bool // gets no offers until it attaches again
	told    bool // and has been told so
	health  bool // follows the hub's health

	// What it follows of the frames that are gathered: those from from to to, while
	// they are neighbours, and then those in apart, to to.
	from, to int32
	apart    []*frame.Frame
}
