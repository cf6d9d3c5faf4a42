package power

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/history"
)

// A subscriber follows filters through all runs, by its cursor alone, and writes
// down what it saw before each cut.
type subscriber struct {
	*world
	notes   *history.Subscription
	random  *rand.Rand
	filters nave.Filters
	// forgets says that retention or a restart may have taken what it follows.
	forgets bool

	mu      sync.Mutex
	cursor  nave.Cursor
	pending []history.Seen    // that no cursor has come for
	seen    map[string]uint64 // by id, if it is not nil
	changed chan struct{}     // closed with the next cursor, if somebody waits
}

func newSubscriber(w *world, name string, forgets bool, filters ...nave.Filter) *subscriber {
	return &subscriber{
		world: w, notes: w.record.Subscriber(name, filters), random: w.stream(name),
		filters: filters, forgets: forgets || w.retention,
	}
}

// follow connects to the hub again and again while there is power.
func (s *subscriber) follow(ctx context.Context, r *run) {
	for r.supply.on() {
		to := &stream{subscriber: s, supply: r.supply, left: s.patience(), closed: make(chan struct{})}
		err := r.hub.Connect(ctx, client.Request{Filters: s.filters, Cursor: s.connect(), Transport: to})
		if err != nil {
			if r.supply.on() && !r.ending.Load() {
				s.fault("subscribers refused", "%v: %v", s.filters, err)
			}
			return
		}
		<-to.closed
	}
}

// patience is how many bytes go through before the network breaks.
func (s *subscriber) patience() int {
	if s.random.IntN(3) > 0 {
		return 1 << 40
	}
	return s.random.IntN(20_000)
}

func (s *subscriber) connect() (cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.glimpse()
	return s.cursor.String()
}

// glimpse sets aside what will come again.
func (s *subscriber) glimpse() {
	for _, e := range s.pending {
		s.glimpsed(e)
	}
	s.pending = nil
}

func (s *subscriber) take(e sse.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cursor, err := nave.ParseCursor(e.ID)
	if err != nil && e.ID != "" {
		s.fault("subscribers told nonsense", "a cursor: %v", err)
	}
	switch {
	case e.Name == frame.SyncName:
		s.told(e.Data, cursor)
	case !strings.HasPrefix(e.Name, "hub."):
		s.event(e)
	}
	if e.ID == "" {
		return
	}
	for _, seen := range s.pending {
		s.notes.Saw(seen)
		s.sighted(seen)
		if s.seen != nil {
			s.seen[seen.ID] = seen.Offset
		}
	}
	s.pending, s.cursor = nil, cursor
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// told takes a verdict. Somebody who is reset knows that something is missing, up
// to where it goes on.
func (s *subscriber) told(data []byte, at nave.Cursor) {
	var sync frame.Sync
	if err := json.Unmarshal(data, &sync); err != nil {
		s.fault("subscribers told nonsense", "a verdict %q: %v", data, err)
	}
	if sync.Status != frame.Reset {
		s.notes.Told(string(sync.Status))
		return
	}
	s.glimpse()
	s.notes.Missed(s.cursor.Offset, at.Offset)
	if s.forgets && sync.Reason == nave.ResetRetention {
		s.tally.add(rowResets, 1)
		return
	}
	s.notes.Told("reset " + string(sync.Reason))
}

func (s *subscriber) event(e sse.Event) {
	var body struct {
		Topic   nave.Topic
		Key, ID string
		Offset  uint64
		Batch   nave.Position
	}
	if err := json.Unmarshal(e.Data, &body); err != nil {
		s.fault("subscribers told nonsense", "event %q: %v", e.Data, err)
	}
	s.pending = append(s.pending, history.Seen{
		ID: body.ID, Topic: body.Topic, Key: body.Key, Offset: body.Offset,
		I: body.Batch.I, N: body.Batch.N, Cursor: e.ID != "",
	})
}

// saw is where the event was, 0 if it was not seen.
func (s *subscriber) saw(id string) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[id]
}

// await waits until the subscriber has everything up to the offset. It reports
// false if the power is cut before.
func (s *subscriber) await(ctx context.Context, r *run, offset uint64) bool {
	for {
		s.mu.Lock()
		reached := s.cursor.Offset >= offset && s.cursor.Epoch != ""
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if reached {
			return true
		}
		select {
		case <-changed:
		case <-r.supply.dark:
			return false
		case <-ctx.Done():
			s.fault("subscribers that did not catch up", "%v to %d: %v", s.filters, offset, ctx.Err())
			return false
		}
	}
}

// A stream is one connection, as its subscriber has it: nothing comes through it
// after a power cut, and no more than so many bytes before the network breaks.
type stream struct {
	subscriber *subscriber
	supply     *supply
	left       int
	buffer     []byte
	once       sync.Once
	closed     chan struct{}
}

func (s *stream) Write(pieces [][]byte, _ time.Duration) error {
	if !s.supply.on() {
		return errNoPower
	}
	for _, p := range pieces {
		n := min(len(p), s.left)
		s.buffer = append(s.buffer, p[:n]...)
		s.left -= n
	}
	end := bytes.LastIndex(s.buffer, []byte("\n"+sse.End)) + 2
	if end < 2 {
		end = 0
	}
	s.read(s.buffer[:end])
	s.buffer = slices.Clone(s.buffer[end:])
	if s.left == 0 {
		return errNetwork
	}
	return nil
}

func (s *stream) read(whole []byte) {
	r := sse.NewReader(bytes.NewReader(whole))
	for {
		e, err := r.Next()
		if err != nil {
			return
		}
		s.subscriber.take(e)
	}
}

func (s *stream) OnGone(func())    {}
func (s *stream) Protocol() string { return "h1" }

func (s *stream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}
