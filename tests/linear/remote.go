package linear

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/tests/harness"
)

// remote is a hub in a process of its own.
type remote struct {
	process *harness.Process
	http    *http.Client
	up      gate
}

func newRemote(p *harness.Process, clients int) *remote {
	r := &remote{process: p, http: &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: clients},
	}}
	r.up.open()
	return r
}

func (r *remote) Await(ctx context.Context) error { return r.up.await(ctx) }

func (r *remote) Publish(ctx context.Context, events ...nave.Event) (hub.Published, error) {
	body := make([]harness.Event, len(events))
	for i, e := range events {
		body[i] = harness.Event{
			Topic: string(e.Topic), Type: e.Type, Key: e.Key, ID: e.ID, Source: e.Source, IfVersion: e.IfVersion,
		}
		if !e.Tombstone() {
			body[i].Data = e.Data
		}
	}
	var told struct {
		Cursor string
		Events []hub.Placed
	}
	header, err := r.ask(ctx, http.MethodPost, "/v1/events", body, &told)
	if err != nil {
		return hub.Published{}, err
	}
	at, err := nave.ParseCursor(told.Cursor)
	return hub.Published{Cursor: at, Events: told.Events, Repeat: header.Get("Nave-Repeat") == "true"}, err
}

// told is an event as the hub tells of it.
type told struct {
	Topic           nave.Topic
	Key, ID         string
	Version, Offset uint64
	Data            json.RawMessage
}

func (t *told) event() nave.Event {
	return nave.Event{Topic: t.Topic, Key: t.Key, ID: t.ID, Offset: max(t.Offset, t.Version), Data: t.Data}
}

func eventsOf(all []told) []nave.Event {
	events := make([]nave.Event, len(all))
	for i := range all {
		events[i] = all[i].event()
	}
	return events
}

func (r *remote) State(ctx context.Context, filter nave.Filter) (nave.Cursor, []nave.Event, error) {
	var state struct {
		Cursor string
		Items  []told
	}
	if _, err := r.ask(ctx, http.MethodGet, "/v1/state?topic="+url.QueryEscape(string(filter)), nil, &state); err != nil {
		return nave.Cursor{}, nil, err
	}
	at, err := nave.ParseCursor(state.Cursor)
	return at, eventsOf(state.Items), err
}

func (r *remote) Page(ctx context.Context, filter nave.Filter, after nave.Cursor) (nave.Cursor, []nave.Event, error) {
	query := url.Values{"topic": {string(filter)}, "cursor": {after.String()}}
	var page struct {
		Cursor string
		Sync   struct{ Status string }
		Events []told
	}
	if _, err := r.ask(ctx, http.MethodGet, "/v1/events?"+query.Encode(), nil, &page); err != nil {
		return nave.Cursor{}, nil, err
	}
	if page.Sync.Status != "recovered" {
		return nave.Cursor{}, nil, fmt.Errorf("the log cannot be read from where the history began: %s", page.Sync.Status)
	}
	at, err := nave.ParseCursor(page.Cursor)
	return at, eventsOf(page.Events), err
}

// ask sends one request, and reads its answer. Whatever is cut short, and every
// status that speaks of the hub and not of the request, leaves the outcome unknown.
func (r *remote) ask(ctx context.Context, method, path string, body, answer any) (http.Header, error) {
	req, err := r.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	resp, err := r.http.Do(req)
	var op *net.OpError
	switch {
	case errors.As(err, &op) && op.Op == "dial":
		return nil, errNotSent
	case err != nil:
		return nil, nave.Errorf(nave.CodeUnavailable, "%w", err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nave.Errorf(nave.CodeUnavailable, "%w", err)
	}
	switch {
	case resp.StatusCode == http.StatusConflict:
		return nil, conflictIn(text)
	case resp.StatusCode == http.StatusServiceUnavailable:
		return nil, nave.Errorf(nave.CodeUnavailable, "%s", text)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s %s", resp.Status, text)
	}
	return resp.Header, json.Unmarshal(text, answer)
}

func (r *remote) request(ctx context.Context, method, path string, body any) (*http.Request, error) {
	if body == nil {
		req, err := http.NewRequestWithContext(ctx, method, r.process.URL(path), nil)
		if err == nil {
			req.Header.Set("Accept", "application/json")
		}
		return req, err
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	return http.NewRequestWithContext(ctx, method, r.process.URL(path), bytes.NewReader(b))
}

// conflictIn is the refusal that a problem document tells of.
func conflictIn(text []byte) error {
	var problem struct {
		Code, Detail string
		Conflicts    []struct {
			Topic              nave.Topic
			Key                string
			IfVersion, Version uint64
			Event              *told
		}
	}
	if err := json.Unmarshal(text, &problem); err != nil {
		return fmt.Errorf("the problem %q: %w", text, err)
	}
	if problem.Code != string(nave.CodeConflict) {
		return fmt.Errorf("%s: %s", problem.Code, problem.Detail)
	}
	var refusal nave.ConflictError
	for _, c := range problem.Conflicts {
		conflict := nave.Conflict{Topic: c.Topic, Key: c.Key, IfVersion: c.IfVersion, Version: c.Version}
		if c.Event != nil {
			e := c.Event.event()
			conflict.Event = &e
		}
		refusal.Conflicts = append(refusal.Conflicts, conflict)
	}
	return &refusal
}
