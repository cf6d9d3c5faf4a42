package hub

import (
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave/frame"
)

// A group is what one commit of the journal made: whole batches in their order,
// transient events among them. It is immutable and shared, but for its count of
// shards.
type group struct {
	seq    uint64 // counts groups, without gaps
	frames []*frame.Frame
	head   uint64 // the log's head after it
	bytes  int
	at     time.Time // when it was committed

	shards atomic.Int32 // dispatchers that have yet to offer it
}

// recent is what was committed last, bounded in bytes, for readers that are a
// little behind. The journal adds; everybody reads.
type recent struct {
	limit int

	mu     sync.RWMutex
	groups []*group // consecutive seqs, oldest first
	bytes  int
	floor  uint64 // all events with greater offsets, up to head, are here
	head   uint64
	seq    uint64 // of the newest group
}

// start says where the log stood when the journal opened it.
func (r *recent) start(head uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seq == 0 {
		r.floor = head
	}
	r.head = max(r.head, head)
}

// add numbers the group and appends it; old ones leave.
func (r *recent) add(g *group) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seq++
	g.seq, r.head = r.seq, g.head
	r.groups = append(r.groups, g)
	r.bytes += g.bytes
	for r.bytes > r.limit && len(r.groups) > 1 {
		r.bytes -= r.groups[0].bytes
		r.floor = r.groups[0].head
		r.groups[0] = nil
		r.groups = r.groups[1:]
	}
}

// last is the newest group's number, and the head after it.
func (r *recent) last() (seq, head uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.seq, r.head
}

// after returns the groups with events after the offset, false if some have left.
// The caller must not change the slice.
func (r *recent) after(offset uint64) (groups []*group, head uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if offset < r.floor {
		return nil, 0, false
	}
	i := sort.Search(len(r.groups), func(i int) bool { return r.groups[i].head > offset })
	return r.copy(i), r.head, true
}

// afterSeq returns the groups numbered above seq, false if some have left.
func (r *recent) afterSeq(seq uint64) ([]*group, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	first := r.seq - uint64(len(r.groups)) + 1
	if seq+1 < first {
		return nil, false
	}
	return r.copy(int(seq + 1 - first)), true
}

// copy is needed as add clears what leaves.
func (r *recent) copy(from int) []*group {
	const page = 512 // more is for the next call
	to := min(len(r.groups), from+page)
	return append([]*group(nil), r.groups[min(from, to):to]...)
}
