package spoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/navehub/nave"
)

const jsonType = "application/json"

// Published is what came of a publish.
type Published struct {
	// Cursor is where a reader stands who has seen it; "" if the topic is transient.
	Cursor string   `json:"cursor"`
	Events []Placed `json:"events"`
	// Repeat says that it had been published before, and that this is the first
	// outcome.
	Repeat bool `json:"repeat"`
	// JSON is the hub's answer.
	JSON json.RawMessage `json:"-"`
}

// Placed is where an event has its place.
type Placed struct {
	ID      string `json:"id"`
	Offset  uint64 `json:"offset"`  // 0 for a transient event
	Version uint64 `json:"version"` // of its key; 0 if it has none
}

// publication is an event as the hub takes it.
type publication struct {
	Topic     nave.Topic      `json:"topic"`
	Type      string          `json:"type"`
	Key       string          `json:"key,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	ID        string          `json:"id,omitempty"`
	Source    string          `json:"source,omitempty"`
	Time      time.Time       `json:"time,omitzero"`
	IfVersion *uint64         `json:"ifVersion,omitempty"`
}

// Publish publishes events together: all of them are stored, or none. It tries again
// while that may help, until ctx ends; an event without id is given one, so that it is
// stored once. A condition that does not hold is a [*nave.ConflictError].
//
// The trace context of the first event is sent as the request's.
func (c *Client) Publish(ctx context.Context, events ...nave.Event) (Published, error) {
	events = slices.Clone(events)
	for i := range events {
		if events[i].ID == "" {
			events[i].ID = rand.Text()
		}
	}
	var p Published
	err := Retry(ctx, func(ctx context.Context) (err error) {
		p, err = c.PublishOnce(ctx, events...)
		return err
	}, c.config.OnRetry)
	return p, err
}

// PublishOnce publishes as Publish does, and does not try again.
func (c *Client) PublishOnce(ctx context.Context, events ...nave.Event) (Published, error) {
	body, err := encode(events)
	if err != nil {
		return Published{}, err
	}
	header := http.Header{"Content-Type": {jsonType}, "Accept": {jsonType}}
	if first := events[0]; first.TraceParent != "" {
		header.Set("Traceparent", first.TraceParent)
		if first.TraceState != "" {
			header.Set("Tracestate", first.TraceState)
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.config.Patience, errSilent)
	defer cancel()
	answer, err := c.Do(ctx, http.MethodPost, "v1/events", nil, header, body)
	if err != nil {
		return Published{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return Published{}, c.unreachable(ctx, err)
	}
	p, err := c.ParsePublished(text)
	p.Repeat = answer.Header.Get("Nave-Repeat") == "true"
	return p, err
}

func encode(events []nave.Event) ([]byte, error) {
	batch := make([]publication, len(events))
	for i, e := range events {
		if err := e.Validate(); err != nil {
			return nil, err
		}
		batch[i] = publication{e.Topic, e.Type, e.Key, e.Data, e.ID, e.Source, e.Time, e.IfVersion}
	}
	if len(batch) == 0 {
		return nil, nave.Errorf(nave.CodeInvalid, "there is no event to publish")
	}
	if len(batch) == 1 {
		return json.Marshal(batch[0])
	}
	return json.Marshal(batch)
}

// ParsePublished reads the hub's answer to a publish, or to a line of one.
func (c *Client) ParsePublished(text []byte) (Published, error) {
	text = bytes.TrimSpace(text)
	p := Published{JSON: text}
	if err := json.Unmarshal(text, &p); err != nil || len(p.Events) == 0 {
		return Published{}, c.strange("%.80q", text)
	}
	return p, nil
}
