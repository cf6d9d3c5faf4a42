package clock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A follower is one stream. Unlike other subscribers it does not come back when
// the stream ends, and it writes down when heartbeats came.
type follower struct {
	filters []string
	notes   *history.Subscription
	http    *http.Client
	owed    bool // everything: that a reset tells of a loss is no excuse

	mu      sync.Mutex
	verdict string // "" until it is told
	cursor  string
	last    uint64 // the offset of the last event that counts
	pending []history.Seen
	beats   []time.Time
	ended   error // nil while the stream goes on
}

// streams has a connection for every stream.
var streams = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// follow opens a stream and waits for its verdict. The stream ends with the test.
func follow(t *testing.T, hub *harness.Process, r *history.Record, name string, filters ...string) *follower {
	t.Helper()
	f := &follower{filters: filters, http: streams, notes: noted(t, r, name, filters)}
	f.begin(t, hub)
	return f
}

func noted(t *testing.T, r *history.Record, name string, filters []string) *history.Subscription {
	t.Helper()
	parsed, err := nave.ParseFilters(filters)
	if err != nil {
		t.Fatal(err)
	}
	return r.Subscriber(name, parsed)
}

// begin opens the stream and returns its verdict, "" if it ends before.
func (f *follower) begin(t *testing.T, hub *harness.Process) (verdict string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		err := f.run(ctx, hub.URL("/v1/events?"+url.Values{"topic": f.filters}.Encode()))
		f.mu.Lock()
		defer f.mu.Unlock()
		f.ended = err
	})
	t.Cleanup(func() { cancel(); running.Wait() })
	return trial.Eventually(t, func() (string, bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.verdict, f.verdict != "" || f.ended != nil
	})
}

func (f *follower) run(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", sse.MediaType)
	if f.cursor != "" {
		req.Header.Set("Last-Event-ID", f.cursor)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	for r := sse.NewReader(resp.Body); ; {
		e, err := r.Next()
		if err == nil {
			err = f.take(e)
		}
		if err != nil {
			return fmt.Errorf("the stream has ended: %w", err)
		}
	}
}

func (f *follower) take(e sse.Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case e.Name == "hub.heartbeat":
		f.beats = append(f.beats, time.Now())
	case e.Name == "hub.sync":
		var told struct{ Status, Reason string }
		if err := json.Unmarshal(e.Data, &told); err != nil {
			return err
		}
		f.verdict = strings.TrimSpace(told.Status + " " + told.Reason)
		f.notes.Told(f.verdict)
		if told.Status == "reset" && !f.owed {
			f.notes.Missed(offsetOf(f.cursor), offsetOf(e.ID))
		}
	case e.Name == "hub.bye":
		return fmt.Errorf("the hub says bye: %s", e.Data)
	case strings.HasPrefix(e.Name, "hub."): // such as its level, after a stop of 5 s
	default:
		var seen harness.Seen
		if err := json.Unmarshal(e.Data, &seen); err != nil {
			return err
		}
		f.pending = append(f.pending, history.Seen{
			ID: seen.ID, Topic: nave.Topic(seen.Topic), Key: seen.Key, Offset: seen.Offset,
			I: seen.Batch.I, N: seen.Batch.N, Cursor: e.ID != "",
		})
	}
	if e.ID != "" {
		f.count(e.ID)
	}
	return nil
}

func offsetOf(cursor string) uint64 {
	c, _ := nave.ParseCursor(cursor)
	return c.Offset
}

// count takes for seen what is pending: a cursor has come.
func (f *follower) count(cursor string) {
	f.cursor = cursor
	for _, s := range f.pending {
		f.notes.Saw(s)
		f.last = s.Offset
	}
	f.pending = f.pending[:0]
}

// beatsWithin counts the heartbeats of a stretch of time.
func (f *follower) beatsWithin(from time.Time, d time.Duration) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, at := range f.beats {
		if !at.Before(from) && at.Before(from.Add(d)) {
			n++
		}
	}
	return n
}

// beatsOfAll are the fewest and the most that any of them got.
func beatsOfAll(all []*follower, from time.Time, d time.Duration) (fewest, most int) {
	fewest = all[0].beatsWithin(from, d)
	for _, f := range all {
		n := f.beatsWithin(from, d)
		fewest, most = min(fewest, n), max(most, n)
	}
	return fewest, most
}

// at is the offset of the last event that it has seen.
func (f *follower) at() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// reach waits until the follower has seen an offset, and fails if its stream has
// ended before.
func (f *follower) reach(t *testing.T, offset uint64) {
	t.Helper()
	last := trial.Eventually(t, func() (uint64, bool) {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.last, f.last >= offset || f.ended != nil
	})
	if last < offset {
		t.Errorf("a follower of %v is at %d and gets no further, to %d: %v", f.filters, last, offset, f.end())
	}
}

// end is why the stream has ended, nil while it goes on.
func (f *follower) end() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.ended
}
