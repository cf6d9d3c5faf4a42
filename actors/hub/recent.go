package hub

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
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

// offered says that one shard is done with the group.
func (g *group) offered() {
	if g.shards.Add(-1) == 0 {
		for f := range frame.Fanouts(g.frames) {
			f.Dispatched()
		}
	}
}

// recent is what was committed last, bounded in bytes, for readers that are a
// little behind. The journal adds; everybody reads.
type recent struct {
	limit int

	mu     sync.RWMutex
	groups []*group // consecutive seqs, oldest first
	bytes  int
	topics map[nave.Topic][]*frame.Frame // the same events, but transient ones
	floor  uint64                        // all events with greater offsets, up to head, are here
	head   uint64
	seq    uint64 // of the newest group
}

func newRecent(limit int) *recent {
	return &recent{limit: limit, topics: make(map[nave.Topic][]*frame.Frame)}
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
	for _, f := range g.frames {
		if f.Event.Offset > 0 {
			r.topics[f.Event.Topic] = append(r.topics[f.Event.Topic], f)
		}
	}
	for r.bytes > r.limit && len(r.groups) > 1 {
		r.drop(r.groups[0])
		r.groups[0] = nil
		r.groups = r.groups[1:]
	}
}

// drop takes leave of the oldest group.
func (r *recent) drop(g *group) {
	r.bytes -= g.bytes
	r.floor = g.head
	for _, f := range g.frames {
		switch list := r.topics[f.Event.Topic]; {
		case f.Event.Offset == 0:
		case len(list) == 1:
			delete(r.topics, f.Event.Topic)
		default:
			list[0] = nil
			r.topics[f.Event.Topic] = list[1:]
		}
	}
}

// last is the newest group's number, and the head after it.
func (r *recent) last() (seq, head uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.seq, r.head
}

// ofTopics returns the events of some topics after the offset, oldest first, whole
// batches, and the offset up to which it says everything; false if some have left.
func (r *recent) ofTopics(offset uint64, topics []nave.Topic, limit eventlog.Limit) (frames []*frame.Frame, next uint64, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if offset < r.floor {
		return nil, 0, false
	}
	rest, n := make([][]*frame.Frame, 0, len(topics)), 0
	for _, t := range topics {
		list := r.topics[t]
		i := sort.Search(len(list), func(i int) bool { return list[i].Event.Offset > offset })
		if i < len(list) {
			rest = append(rest, list[i:])
			n += len(list) - i
		}
	}
	frames, bytes := make([]*frame.Frame, 0, min(n, limit.Events)), 0
	for len(rest) > 0 {
		f := takeOldest(&rest)
		if n := len(frames); n >= limit.Events || bytes >= limit.Bytes {
			if last := frames[n-1]; !frame.SameBatch(last, f) {
				return frames, last.Event.Offset, true
			}
		}
		frames = append(frames, f)
		bytes += f.Size()
	}
	return frames, max(offset, r.head), true // a page of the log may have been ahead
}

// takeOldest takes the oldest of what several lists begin with.
func takeOldest(rest *[][]*frame.Frame) *frame.Frame {
	lists := *rest
	oldest := 0
	for i := range lists {
		if lists[i][0].Event.Offset < lists[oldest][0].Event.Offset {
			oldest = i
		}
	}
	f := lists[oldest][0]
	if lists[oldest] = lists[oldest][1:]; len(lists[oldest]) == 0 {
		*rest = slices.Delete(lists, oldest, oldest+1)
	}
	return f
}

// reaches reports whether all after the offset is here.
func (r *recent) reaches(offset uint64) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return offset >= r.floor
}

// behind is how many offsets there are between the offset and what is here.
func (r *recent) behind(offset uint64) uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.floor - min(offset, r.floor)
}

// find is the event at an offset, and when it was committed; nil if it is not here.
func (r *recent) find(offset uint64) (*frame.Frame, time.Time) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := sort.Search(len(r.groups), func(i int) bool { return r.groups[i].head >= offset })
	if offset == 0 || i == len(r.groups) {
		return nil, time.Time{}
	}
	for _, f := range r.groups[i].frames {
		if f.Event.Offset == offset {
			return f, r.groups[i].at
		}
	}
	return nil, time.Time{}
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
