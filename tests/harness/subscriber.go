package harness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/history"
)

// Seen is one event as a subscriber got it.
type Seen struct {
	Topic       string
	Type        string
	Key         string
	ID          string
	Offset      uint64
	Version     uint64
	Batch       struct{ I, N int }
	Data        json.RawMessage
	Traceparent string
	Cursor      string    `json:"-"` // that came with it, if one did
	At          time.Time `json:"-"`
}

// A Subscriber follows filters over SSE, resumes by its cursor alone, and writes
// down what it sees. What it has seen counts only once a cursor has come: the
// events of a batch that was cut are forgotten, as they will come again.
type Subscriber struct {
	URL     string // of GET /v1/events
	Filters []string
	// Snapshot asks for the state first.
	Snapshot bool
	// Notes, if there are any, get every verdict and every event that counts.
	Notes *history.Subscription
	// Each, if it is set, is called with every event that counts, in order.
	Each func(Seen)
	// Forget keeps only the last event, and the number of all.
	Forget bool

	mu       sync.Mutex
	cursor   string
	seen     []Seen
	last     Seen
	count    int
	pending  []Seen
	verdicts []string
	byes     int
	connects int
	changed  chan struct{}
}

// Follow subscribes until ctx ends, and reconnects whenever the stream breaks.
func (s *Subscriber) Follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = s.Connect(ctx) // however it ended, it is tried again
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Connect follows one stream to its end.
func (s *Subscriber) Connect(ctx context.Context) error {
	s.mu.Lock()
	cursor := s.cursor
	s.pending = nil
	s.mu.Unlock()
	query := url.Values{"topic": s.Filters}
	if s.Snapshot {
		query.Set("snapshot", "true")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", sse.MediaType)
	if cursor != "" {
		req.Header.Set("Last-Event-ID", cursor)
	}
	resp, err := streams.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("subscribe: %s", resp.Status)
	}
	s.note(func() { s.connects++ })
	r := sse.NewReader(resp.Body)
	for {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if err := s.take(e); err != nil {
			return err
		}
	}
}

// streams has a connection for every stream and keeps none.
var streams = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (s *Subscriber) take(e sse.Event) error {
	var seen Seen
	switch {
	case e.Name == "hub.sync":
		var sync struct{ Status, Reason string }
		if err := json.Unmarshal(e.Data, &sync); err != nil {
			return err
		}
		s.verdict(strings.TrimSuffix(sync.Status+" "+sync.Reason, " "), e.ID)
	case e.Name == "hub.bye":
		s.note(func() { s.byes++ })
	case strings.HasPrefix(e.Name, "hub."):
	default:
		if err := json.Unmarshal(e.Data, &seen); err != nil {
			return fmt.Errorf("event %q: %w", e.Data, err)
		}
		seen.Type, seen.Cursor, seen.At = e.Name, e.ID, time.Now()
		s.note(func() { s.pending = append(s.pending, seen) })
	}
	if e.ID != "" {
		s.note(func() {
			s.cursor = e.ID
			for _, seen := range s.pending {
				s.keep(seen)
			}
			s.pending = s.pending[:0]
		})
	}
	return nil
}

// verdict writes down what the subscriber is told, and what it misses by a reset.
func (s *Subscriber) verdict(v, cursor string) {
	s.note(func() {
		s.verdicts = append(s.verdicts, v)
		if s.Notes == nil {
			return
		}
		s.Notes.Told(v)
		if now, err := nave.ParseCursor(cursor); err == nil && strings.HasPrefix(v, "reset") {
			s.Notes.Missed(s.stood(now.Epoch), now.Offset)
		}
	})
}

// stood is the offset up to which the subscriber had everything.
func (s *Subscriber) stood(epoch nave.Epoch) uint64 {
	if before, err := nave.ParseCursor(s.cursor); err == nil && before.Epoch == epoch {
		return before.Offset
	}
	return s.last.Offset
}

// keep writes down what counts now.
func (s *Subscriber) keep(seen Seen) {
	s.last = seen
	s.count++
	if !s.Forget {
		s.seen = append(s.seen, seen)
	}
	if s.Each != nil {
		s.Each(seen)
	}
	if s.Notes != nil {
		s.Notes.Saw(history.Seen{
			ID: seen.ID, Topic: nave.Topic(seen.Topic), Key: seen.Key, Offset: seen.Offset,
			I: seen.Batch.I, N: seen.Batch.N, Cursor: seen.Cursor != "",
		})
	}
}

func (s *Subscriber) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	if s.changed != nil {
		close(s.changed)
		s.changed = nil
	}
}

// Seen is everything that counts so far, unless it is forgotten.
func (s *Subscriber) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Seen(nil), s.seen...)
}

// Count is how many there are.
func (s *Subscriber) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Last is the last event that counts; a zero one if there is none.
func (s *Subscriber) Last() Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Verdicts are those of all connections.
func (s *Subscriber) Verdicts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.verdicts...)
}

// Connects counts the streams that were opened, Byes those that the hub ended.
func (s *Subscriber) Connects() (connects, byes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connects, s.byes
}

// Cursor is where the subscriber stands.
func (s *Subscriber) Cursor() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// Resume makes the next connection start from a cursor.
func (s *Subscriber) Resume(cursor string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cursor = cursor
}

// Wait returns once done holds of the subscriber, or when ctx ends.
func (s *Subscriber) Wait(ctx context.Context, done func(*Subscriber) bool) error {
	for {
		s.mu.Lock()
		if s.changed == nil {
			s.changed = make(chan struct{})
		}
		changed := s.changed
		s.mu.Unlock()
		if done(s) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%v: %w", s.Filters, ctx.Err())
		}
	}
}
