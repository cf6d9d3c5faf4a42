package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
)

const (
	firstRetry = time.Second
	mostRetry  = 30 * time.Second

	// silence is three heartbeats: a connection that says nothing for so long is
	// dead, whatever TCP believes.
	silence = 45 * time.Second
)

var (
	errSilent = fmt.Errorf("it was silent for %v", silence)
	errEnded  = errors.New("the connection ended")
)

// A subscription follows topics, over as many connections as that takes. Its
// cursor moves only with events that have been handed over, whole batches at a
// time: what the next connection starts from is neither lost nor doubled.
type subscription struct {
	// Set by the caller.
	hub      *api
	filters  []string
	snapshot bool
	cursor   string // everything up to here has been handed over
	silence  time.Duration
	to       subscriber

	// Of the present connection.
	pending []event // received, without the id that makes them final
	synced  bool    // the hub has given its verdict
	bye     bool    // the hub has ended it

	// Of all connections.
	opened bool          // there has been one
	retry  time.Duration // the hub's last wish
}

// A subscriber is told what happens, one call at a time.
type subscriber interface {
	// events takes events that became final together: a batch, or a snapshot.
	// It fails if they can no longer be handed over, which ends the subscription.
	events([]event) error
	// notice takes one of the hub's own events.
	notice(sse.Event)
	// lost says that there is no connection, and will be none for a while.
	lost(cause error, wait time.Duration)
}

// An event is what the hub delivers.
type event struct {
	Type   string `json:"-"`
	Cursor string `json:"-"` // with the last event of a batch

	Topic   string          `json:"topic"`
	Key     string          `json:"key"`
	Version uint64          `json:"version"`
	Offset  uint64          `json:"offset"`
	Time    time.Time       `json:"time"`
	Batch   struct{ N int } `json:"batch"`
	Data    json.RawMessage `json:"data"`

	raw []byte // all of it, as received
}

// follow returns when ctx ends, or when it makes no sense to go on: there was no
// hub from the start, it refuses, or nobody takes the events any more.
func (s *subscription) follow(ctx context.Context) error {
	for failures := 0; ; failures++ {
		err := s.connect(ctx)
		if ctx.Err() != nil {
			return nil
		}
		after, again := temporary(err)
		var away *unreachableError
		if !again || !s.opened && errors.As(err, &away) {
			return err
		}
		if s.synced {
			failures = 0
		}
		wait := s.wait(failures, after)
		s.to.lost(err, wait)
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// wait is how long to wait before the next connection. A hub that says goodbye
// has put jitter into its wish already.
func (s *subscription) wait(failures int, after time.Duration) time.Duration {
	if s.bye && s.retry > 0 {
		return s.retry
	}
	first := s.retry
	if first == 0 {
		first = firstRetry
	}
	return after + backoff(failures, first, max(first, mostRetry))
}

// connect follows the topics over one connection, to its end.
func (s *subscription) connect(ctx context.Context) error {
	s.pending, s.synced, s.bye = nil, false, false
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watchdog := time.AfterFunc(s.silence, func() { cancel(errSilent) })
	defer watchdog.Stop()

	answer, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	s.opened = true
	stream := sse.NewReader(&watched{answer.Body, watchdog, s.silence})
	for {
		e, err := stream.Next()
		if d, ok := stream.Retry(); ok {
			s.retry = d
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = errEnded
		}
		switch {
		case errors.Is(err, sse.ErrTooLarge):
			return err
		case err != nil:
			return s.hub.unreachable(ctx, err)
		}
		if err := s.receive(e); err != nil {
			return err
		}
	}
}

func (s *subscription) open(ctx context.Context) (*http.Response, error) {
	query := url.Values{"topic": s.filters}
	if s.snapshot {
		query.Set("snapshot", "true")
	}
	header := http.Header{"Accept": {sse.MediaType}, "Cache-Control": {"no-store"}}
	if s.cursor != "" {
		header.Set("Last-Event-ID", s.cursor)
	}
	answer, err := s.hub.request(ctx, http.MethodGet, "v1/events", query, header, nil)
	if err != nil {
		return nil, err
	}
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, sse.MediaType) {
		answer.Body.Close()
		return nil, fmt.Errorf("%s is no hub: it answers with %q instead of events", s.hub.base.Redacted(), kind)
	}
	return answer, nil
}

// watched feeds the watchdog with whatever is read.
type watched struct {
	body     io.Reader
	watchdog *time.Timer
	silence  time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.watchdog.Reset(w.silence)
	}
	return n, err
}

// receive hands over what has become final. An event of a batch, or of a
// snapshot, waits for the id that comes with the last one; a transient event has
// no place in the order, and nothing to wait for.
func (s *subscription) receive(e sse.Event) error {
	own := strings.HasPrefix(e.Name, "hub.")
	if own {
		s.ownEvent(e)
	} else if got := parseEvent(e); got.Offset > 0 {
		s.pending = append(s.pending, got)
	} else if err := s.to.events([]event{got}); err != nil {
		return err
	}
	if e.ID != "" {
		if err := s.settle(e.ID); err != nil {
			return err
		}
	}
	if own {
		s.to.notice(e)
	}
	return nil
}

// settle hands over what is pending: everything up to the cursor is here.
func (s *subscription) settle(cursor string) error {
	if last := len(s.pending) - 1; last >= 0 {
		s.pending[last].Cursor = cursor
		if err := s.to.events(s.pending); err != nil {
			return err
		}
		s.pending = nil
	}
	s.cursor = cursor
	return nil
}

// ownEvent takes what the hub says about the connection.
func (s *subscription) ownEvent(e sse.Event) {
	switch e.Name {
	case frame.ByeName:
		s.bye = true
	case frame.SyncName:
		s.synced = true
		if verdict := parseSync(e); verdict.Snapshot != "end" {
			s.pending = nil // of a stretch that has not been finished, and begins anew
		}
	}
}

func parseSync(e sse.Event) frame.Sync {
	var verdict frame.Sync
	_ = json.Unmarshal(e.Data, &verdict) // it is shown as it came then
	return verdict
}

// parseEvent reads what the hub delivers. What is no JSON object is kept as data.
func parseEvent(e sse.Event) event {
	got := event{Type: e.Name, raw: e.Data}
	if err := json.Unmarshal(e.Data, &got); err != nil {
		return event{Type: e.Name, Data: e.Data, raw: e.Data}
	}
	return got
}
