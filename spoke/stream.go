package spoke

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

// The hub's own events.
const (
	syncName  = "hub.sync"
	authName  = "hub.auth"
	levelName = "hub.level"
	byeName   = "hub.bye"
	ownPrefix = "hub."
)

// said is what any of the hub's own events may say.
type said struct {
	Status      string
	Reason      string
	Snapshot    string
	Connection  string
	Level       nave.Level
	Poll        bool
	RetryMS     int64
	HeartbeatMS int64
}

// A stream is one connection.
type stream struct {
	*follower
	watchdog *time.Timer
	silence  time.Duration
	renewals sync.WaitGroup

	pending  []Event // received, without the id that makes them final
	snapshot bool    // they are of one
	synced   bool    // the hub has given its verdict
	missing  error   // what the verdict says is missing, to be handed over
	bye      bool    // the hub has ended it
	poll     bool    // and wants to be polled
}

// stream follows the topics over one connection, to its end; the error says why it ended.
func (f *follower) stream(ctx context.Context) error {
	within, cancel := context.WithCancelCause(ctx)
	s := &stream{follower: f, silence: f.config.Silence}
	s.watchdog = time.AfterFunc(s.patience(), func() { cancel(errSilent) })
	defer s.renewals.Wait()
	defer cancel(nil)
	defer s.watchdog.Stop()
	err := s.run(within)
	if errors.Is(err, errSilent) && !s.synced {
		err = s.hub.away(errMute)
	}
	switch {
	case s.synced:
		f.failures = 1
	case errors.Is(err, errMute):
		f.failures += 2
	default:
		f.failures++
	}
	f.told = f.told || s.poll || toPoll(err)
	if s.bye && ctx.Err() == nil && !errors.Is(err, errStopped) && !f.wait(ctx, err, f.retry) {
		return errStopped
	} else if s.bye {
		return nil // with which all is said: it is not waited again
	}
	return err
}

func (s *stream) run(ctx context.Context) error {
	answer, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	events := sse.NewReader(watched{s, answer.Body})
	for {
		e, err := events.Next()
		if d, ok := events.Retry(); ok {
			s.retry = d
		}
		switch {
		case errors.Is(err, sse.ErrTooLarge):
			return err
		case err != nil:
			return s.hub.unreachable(ctx, err)
		}
		if err := s.receive(ctx, e); err != nil {
			return err
		}
	}
}

func (s *stream) open(ctx context.Context) (*http.Response, error) {
	header := http.Header{"Accept": {sse.MediaType}, "Cache-Control": {"no-store"}}
	answer, err := s.ask(ctx, header, nil)
	if err != nil {
		return nil, err
	}
	if kind := answer.Header.Get("Content-Type"); !strings.HasPrefix(kind, sse.MediaType) {
		answer.Body.Close()
		return nil, s.hub.strange("with %q instead of events", kind)
	}
	return answer, nil
}

// ask asks for events after the cursor.
func (f *follower) ask(ctx context.Context, header http.Header, query url.Values) (*http.Response, error) {
	all := url.Values{}
	for name, values := range query {
		all[name] = values
	}
	for _, filter := range f.config.Filters {
		all.Add("topic", string(filter))
	}
	if f.config.Snapshot {
		all.Set("snapshot", "true")
	}
	if f.cursor != "" {
		header.Set("Last-Event-ID", f.cursor)
	}
	return f.hub.Do(ctx, http.MethodGet, "v1/events", all, header, nil)
}

// receive hands over what has become final. An event of a batch, or of a snapshot, waits
// for the id that comes with the last one; a transient event has no place in the order,
// and nothing to wait for.
func (s *stream) receive(ctx context.Context, e sse.Event) error {
	own := strings.HasPrefix(e.Name, ownPrefix)
	if own {
		s.hear(ctx, e)
	} else if got := eventOf(e); got.Offset > 0 {
		s.pending = append(s.pending, got)
	} else if err := s.handOver(Batch{Events: []Event{got}}, nil); err != nil {
		return err
	}
	if e.ID != "" {
		if err := s.settle(e.ID); err != nil {
			return err
		}
	}
	if own {
		s.config.OnNotice(e)
	}
	return nil
}

// watched feeds the watchdog, with the verdict and with whatever is read after it.
type watched struct {
	*stream
	body io.Reader
}

func (w watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 && w.synced {
		w.watchdog.Reset(w.patience())
	}
	return n, err
}

func (s *stream) patience() time.Duration {
	if s.synced {
		return s.silence
	}
	return min(s.config.Proof, s.silence)
}

// settle hands over what is pending: everything up to the cursor is here.
func (s *stream) settle(cursor string) error {
	if missing := s.missing; missing != nil {
		s.missing = nil
		return s.handOver(Batch{Cursor: cursor}, missing)
	}
	if s.snapshot || len(s.pending) > 0 {
		b := Batch{Events: s.pending, Cursor: cursor, Snapshot: s.snapshot}
		s.pending, s.snapshot = nil, false
		return s.handOver(b, nil)
	}
	s.cursor = cursor
	return nil
}

// hear takes what the hub says about the connection.
func (s *stream) hear(ctx context.Context, e sse.Event) {
	var m said
	_ = json.Unmarshal(e.Data, &m) // of the next version, maybe: it is passed on as it came
	if m.HeartbeatMS > 0 {
		s.silence = 3 * time.Duration(m.HeartbeatMS) * time.Millisecond
		if s.synced {
			s.watchdog.Reset(s.silence)
		}
	}
	switch e.Name {
	case syncName:
		s.verdict(m)
	case levelName:
		s.poll = s.poll || m.Poll
	case byeName:
		s.bye = true
		s.retry = time.Duration(m.RetryMS) * time.Millisecond
	case authName:
		if m.Status == "expiring" && s.hub.config.Token != nil {
			s.renewals.Go(func() { s.hub.renew(ctx, m.Connection) }) // ends with the connection
		}
	}
}

func (s *stream) verdict(m said) {
	if !s.synced {
		s.synced, s.met, s.probe, s.told, s.short = true, true, s.config.Probe, false, false
		s.watchdog.Reset(s.patience())
		s.config.OnStatus(Status{State: Live})
	}
	switch m.Snapshot {
	case "end":
		return // which its id settles
	case "begin":
		s.snapshot = true
	case "":
		s.snapshot = false
		if m.Status == "reset" {
			s.missing = &nave.ResetError{Reason: nave.ResetReason(m.Reason)}
		}
	}
	s.pending = nil // of a stretch that has not been finished, and begins anew
}

// renew gives a stream a token that lasts longer. If that fails the stream ends with the
// old one, and the next begins with the new one.
func (c *Client) renew(ctx context.Context, connection string) {
	body, _ := json.Marshal(map[string]string{"connection": connection}) // texts always marshal
	header := http.Header{"Content-Type": {jsonType}}
	if answer, err := c.Do(ctx, http.MethodPost, "v1/token", nil, header, body); err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, 1<<10))
		answer.Body.Close()
	}
}
