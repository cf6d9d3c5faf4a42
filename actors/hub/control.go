package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
)

// revocations is where they are kept: as state, since that outlives retention.
const revocations nave.Topic = "$hub/revocations"

// Authority says who may do what.
func (h *Hub) Authority() *auth.Authority { return h.config.Authority }

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
		if err == nil {
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
	if err := h.enforce(r); err != nil {
		return err
	}
	if err := h.keepRevocation(ctx, r); err != nil {
		return nave.Errorf(nave.CodeOf(err), "the revocation is in force, but would not outlive a restart: %w", err).After(time.Second)
	}
	return nil
}

func (h *Hub) enforce(r auth.Revocation) error {
	if err := h.config.Authority.Revocations().Put(r); err != nil {
		return err
	}
	_ = h.clientSpawner.Tell(recheck{}) // stopped: so are they all
	return nil
}

func (h *Hub) keepRevocation(ctx context.Context, r auth.Revocation) error {
	if err := h.takeTurn(ctx); err != nil {
		return err
	}
	defer h.endTurn()
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := h.enforce(r); err != nil { // once more: it may have been lifted since
		return err
	}
	if err := h.keep(ctx, revocations, r.Key(), data); err != nil {
		return err
	}
	h.forgetRevocations(ctx)
	return nil
}

// forgetRevocations takes some of those out of the log that are over. What cannot be
// taken out now is there the next time.
func (h *Hub) forgetRevocations(ctx context.Context) {
	all := h.config.Authority.Revocations()
	for _, key := range all.Over(time.Now()) {
		if h.keep(ctx, revocations, key, nil) != nil {
			return
		}
		all.Lift(key)
	}
}

// LiftRevocation ends a revocation, and reports whether there was one.
func (h *Hub) LiftRevocation(ctx context.Context, key string) (bool, error) {
	if err := h.takeTurn(ctx); err != nil {
		return false, err
	}
	defer h.endTurn()
	if !h.config.Authority.Revocations().Has(key) {
		return false, nil
	}
	if err := h.keep(ctx, revocations, key, nil); err != nil {
		return true, err
	}
	h.config.Authority.Revocations().Lift(key)
	return true, nil
}

// takeTurn lets one decision be made at a time, so that what is in force is what the
// log has.
func (h *Hub) takeTurn(ctx context.Context) error {
	select {
	case h.deciding <- struct{}{}:
		return nil
	case <-ctx.Done():
		return unknownIfEnded(ctx.Err())
	}
}

func (h *Hub) endTurn() { <-h.deciding }

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
	ctx, cancel := context.WithTimeout(ctx, h.config.Client.WriteTimeout) // for which it may be writing
	defer cancel()
	_, err := actors.Ask(ctx, ref, func(r actors.Reply[struct{}]) client.Message { return client.Renew{Reply: r, Who: who} })
	switch {
	case isFull(err):
		return nave.Errorf(nave.CodeBusy, "connection %d takes nothing now: it is behind", connection).After(time.Second)
	case errors.Is(err, actors.ErrStopped):
		return errNoConnection // it has ended meanwhile
	}
	return unknownIfEnded(err)
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
