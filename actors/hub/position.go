package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/navehub/nave"
)

// saveEvery is how often a position is kept while its extension works. What is
// left then is kept at the next heartbeat.
const saveEvery = time.Second

// A position is how far an extension has come. It is kept in the log, as the
// state of a key of the hub's own, so that a restart of the process goes on where
// the extension was.
type position struct {
	hub   *Hub
	topic nave.Topic

	loaded  bool
	at      uint64 // handled, or older than the extension
	saved   uint64
	savedAt time.Time
}

const positionKey = "position"

func (h *Hub) positionOf(extension string) *position {
	return &position{hub: h, topic: nave.Topic("$hub/extensions/" + extension)}
}

// load finds the position of an earlier process. An extension that is new starts
// where the hub has, and from then on it is known.
func (p *position) load(ctx context.Context) error {
	if p.loaded {
		return nil
	}
	state, err := p.hub.history.State(ctx, nave.Filters{nave.Filter(p.topic)})
	if err != nil {
		return fmt.Errorf("load the position: %w", err)
	}
	defer state.Close()
	known := false
	for e, err := range state.Events() {
		if err != nil {
			return fmt.Errorf("load the position: %w", err)
		}
		if err := json.Unmarshal(e.Data, &p.at); err != nil {
			return fmt.Errorf("load the position: %w", err)
		}
		known = true
	}
	if !known {
		p.at = p.hub.startedAt
		if err := p.save(ctx); err != nil {
			return err
		}
	}
	p.loaded, p.saved = true, p.at
	return nil
}

// saveNowAndThen keeps the position, unless it was kept a moment ago.
func (p *position) saveNowAndThen(ctx context.Context) error {
	if p.at == p.saved || time.Since(p.savedAt) < saveEvery {
		return nil
	}
	return p.save(ctx)
}

func (p *position) save(ctx context.Context) error {
	_, err := p.hub.publishOwn(ctx, nave.Event{
		Topic: p.topic, Type: "hub.position", Key: positionKey,
		Data: strconv.AppendUint(nil, p.at, 10),
	})
	if err != nil {
		return fmt.Errorf("save the position: %w", err)
	}
	p.saved, p.savedAt = p.at, time.Now()
	return nil
}
