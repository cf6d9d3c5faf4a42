package power

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/navehub/nave"
)

var durable = nave.Filters{"cards/*", "lists/*"}

// judge is the last run, which has no power cut. Everybody catches up, and an
// auditor, who was not there before, reads all that is in the log.
func (w *world) judge() {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	r := w.boot(plan{})
	var following sync.WaitGroup
	if r.start(ctx) {
		r.follow(ctx, &following, w.subscribers...)
		ends := w.finish(ctx, r)
		oldest := r.log.Load().Oldest(durable)
		if oldest > 0 {
			w.tally.add(rowTrims, 1)
		}
		auditor := w.auditor(r, oldest)
		r.follow(ctx, &following, auditor)
		for _, s := range append(w.subscribers, auditor) {
			s.await(ctx, r, s.last(ends))
		}
		w.peeker.finish(ctx, r)
		w.checkGlimpses(auditor, oldest)
		w.checkState(ctx, r)
		w.sayAgain(ctx, r)
	}
	r.stop(ctx)
	following.Wait()
	w.compare()
}

// finish says again what is unknown, and then a last event for every topic. It
// returns where these are.
func (w *world) finish(ctx context.Context, r *run) map[nave.Topic]uint64 {
	for _, p := range w.publishers {
		p.again(ctx, r)
	}
	ends := make(map[nave.Topic]uint64)
	p := w.publishers[0]
	for _, topics := range [][]nave.Topic{durableTopics, memoryTopics} {
		var batch []nave.Event
		for _, topic := range topics {
			batch = append(batch, p.one([]nave.Topic{topic}))
		}
		a := p.begin(batch...)
		p.send(ctx, r, a)
		for i, offset := range a.offsets {
			ends[topics[i]] = offset
		}
	}
	return ends
}

// auditor follows what is durable, from the oldest that is there.
func (w *world) auditor(r *run, oldest uint64) *subscriber {
	s := newSubscriber(w, "auditor", false, durable...)
	s.notes.From(oldest)
	s.cursor = nave.Cursor{Epoch: r.hub.Epoch(), Offset: oldest}
	s.seen = make(map[string]uint64)
	return s
}

// last is the end of what the subscriber follows.
func (s *subscriber) last(ends map[nave.Topic]uint64) (offset uint64) {
	for topic, end := range ends {
		if s.filters.Match(topic) {
			offset = max(offset, end)
		}
	}
	return offset
}

// checkGlimpses looks for events that were shown to somebody and are not there any
// more. They had come without a cursor, so that nobody counted them as seen.
func (w *world) checkGlimpses(auditor *subscriber, oldest uint64) {
	w.mu.Lock()
	shown := slices.Collect(maps.Values(w.shown))
	w.mu.Unlock()
	w.tally.add(rowShown, int64(len(shown)))
	for _, e := range shown {
		if !durable.Match(e.Topic) || e.Offset <= oldest {
			continue
		}
		if at := auditor.saw(e.ID); at != e.Offset {
			w.fault("seen before a cut, and gone after it", "%s was shown at %d and is at %d", e.ID, e.Offset, at)
		}
	}
}

// checkState compares the state with what is known to be the last event of each
// key. Of a key whose events retention has taken, a later one may be stored than
// anybody knows of.
func (w *world) checkState(ctx context.Context, r *run) {
	const what = "state that is not the last event of its key"
	state, err := r.hub.State(ctx, durable)
	if err != nil {
		w.fault(what, "it cannot be read: %v", err)
		return
	}
	defer state.Close()
	found := make(map[entity]stand)
	for e, err := range state.Events() {
		if err != nil {
			w.fault(what, "it cannot be read: %v", err)
			return
		}
		found[entity{e.Topic, e.Key}] = stand{e.Offset, e.ID, e.Tombstone()}
	}
	w.tally.add(rowStates, int64(len(found)))
	w.mu.Lock()
	wrong := w.differences(found)
	w.mu.Unlock()
	for _, text := range wrong {
		w.fault(what, "%s", text)
	}
}

// sayAgain publishes again what was acknowledged and durable: all of it is a
// repeat, after however many cuts.
func (w *world) sayAgain(ctx context.Context, r *run) {
	for _, p := range w.publishers {
		for _, a := range p.said {
			p.send(ctx, r, a)
		}
	}
}

// compare lets the history judge.
func (w *world) compare() {
	found := w.record.Judge()
	w.tally.history(&found)
	if !found.Clean() {
		w.t.Errorf("seed %d:\n%s", w.seed, strings.Join(found.Details, "\n"))
	}
}
