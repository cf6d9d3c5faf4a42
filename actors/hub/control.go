package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
)

// revocations is where they are kept: as state, since that outlives retention.
const revocations nave.Topic = "$hub/revocations"

// loadRevocations puts those in force that earlier processes have kept. A hub that
// does not know them must not start.
func (h *Hub) loadRevocations(ctx context.Context) error {
	state, err := h.history.State(ctx, nave.Filters{nave.Filter(revocations)})
	if err != nil {
		return fmt.Errorf("load the revocations: %w", err)
	}
	defer state.Close()
	for e, err := range state.Events() {
		var r auth.Revocation
		if err == nil {
			err = json.Unmarshal(e.Data, &r)
		}
		if err == nil && (r.Until.IsZero() || time.Now().Before(r.Until)) {
			err = h.config.Authority.Revocations().Put(r)
		}
		if err != nil {
			return fmt.Errorf("load the revocations: %w", err)
		}
	}
	return nil
}

// Revoke puts a revocation in force, ends the streams that it is about, and keeps it
// over restarts. If it cannot be kept it is in force all the same, and the error
// says so.
func (h *Hub) Revoke(ctx context.Context, r auth.Revocation) error {
	if err := r.Check(); err != nil {
		return err
	}
	if err := h.config.Authority.Revocations().Put(r); err != nil {
		return err
	}
	_ = h.clientSpawner.Tell(recheck{}) // stopped: so are they all
	data, err := json.Marshal(r)
	if err == nil {
		err = h.keep(ctx, revocations, r.Key(), data)
	}
	if err != nil {
		return nave.Errorf(nave.CodeOf(err), "the revocation is in force, but would not outlive a restart: %w", err).After(time.Second)
	}
	return nil
}

// LiftRevocation ends a revocation, and reports whether there was one.
func (h *Hub) LiftRevocation(ctx context.Context, key string) (bool, error) {
	known := false
	for _, r := range h.config.Authority.Revocations().All() {
		known = known || r.Key() == key
	}
	if !known {
		return false, nil
	}
	if err := h.keep(ctx, revocations, key, nil); err != nil {
		return true, err
	}
	h.config.Authority.Revocations().Lift(key)
	return true, nil
}

// keep keeps what operators have decided, as the state of a key.
func (h *Hub) keep(ctx context.Context, topic nave.Topic, key string, data []byte) error {
	_, err := h.publishOwn(ctx, nave.Event{Topic: topic, Type: "hub.control", Key: key, Data: data})
	return unknownIfEnded(err)
}

// Renew gives a stream a newer token of the same subject.
func (h *Hub) Renew(ctx context.Context, connection uint64, who *auth.Identity) error {
	ref, ok := h.clients.get(connection)
	if !ok {
		return errNoConnection
	}
	_, err := actors.Ask(ctx, ref, func(r actors.Reply[struct{}]) client.Message { return client.Renew{Reply: r, Who: who} })
	if nave.CodeOf(err) == nave.CodeInternal && ctx.Err() == nil { // it has ended meanwhile
		return errNoConnection
	}
	return err
}

// Disconnect ends a stream from the hub's side.
func (h *Hub) Disconnect(connection uint64) error {
	ref, ok := h.clients.get(connection)
	if !ok {
		return errNoConnection
	}
	_ = ref.Tell(client.Bye{Reason: "admin", Retry: h.config.Client.Retry}) // stopped: it has ended already
	return nil
}

var errNoConnection = nave.Errorf(nave.CodeNotFound, "there is no such connection: it has ended")
