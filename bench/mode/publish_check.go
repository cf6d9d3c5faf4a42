//go:build linux

package mode

import (
	"context"
	"errors"
	"fmt"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
)

const (
	// Witnessed is how many events at most are published before a witness. What was
	// measured has none, since that would be another load; a memory topic keeps more
	// than these.
	Witnessed = 20_000
	// ahead is how many of them may be on their way, and fewer than fill a client's
	// mailbox: a hub does not repeat transient events to one that falls behind.
	ahead = 500
)

// check publishes some more in the same way, before a subscriber of everything.
// Then everything is read that the server has promised to have: from a memory
// topic what the subscriber saw, and from durable ones all that was accepted since
// the beginning, also after kill -9.
func (o publish) check(ctx context.Context, r *trial, beginning load.Cursor) error {
	witness := r.others.Add(r.topics.All("**"))
	if err := r.others.Connect(ctx); err != nil {
		return err
	}
	joined := witness.Cursor()
	each := int64(max(1, o.array))
	total := min(r.pubs.Accepted, Witnessed) / each * each
	begun := int64(0)
	r.others.Received = func(int64) { r.pubs.Work() }
	err := r.publish(ctx, total, 3*r.patience, func(q *load.Request) bool {
		if begun == total || begun >= r.others.Events+max(ahead, each) {
			return false
		}
		q.Topic, q.Events, q.Due = int(begun/each)%o.topics, o.array, load.Now()
		begun += each
		return true
	})
	if finished := r.finish(ctx); finished != nil { // says more
		err = finished
	}
	if err != nil {
		return fmt.Errorf("what was published before a subscriber: %w", err)
	}
	r.pubs.Close()
	switch r.server.Name {
	case server.Memory:
		return r.readBack(ctx, joined)
	case server.Hub, server.Tokens:
		return r.readAgain(ctx, beginning)
	}
	return nil
}

// readAgain reads all that was accepted since the beginning, and once more after
// kill -9.
func (r *trial) readAgain(ctx context.Context, beginning load.Cursor) error {
	if err := r.readBack(ctx, beginning); err != nil {
		return err
	}
	r.others.Leave()
	if err := r.server.Crash(ctx); err != nil {
		return err
	}
	if err := r.readBack(ctx, beginning); err != nil {
		return fmt.Errorf("after kill -9: %w", err)
	}
	return nil
}

// readBack reads from the cursor on, and compares it with what was accepted.
func (r *trial) readBack(ctx context.Context, from load.Cursor) error {
	crowd, err := load.NewCrowd(r.loop, target(r.server), r.ledger)
	if err != nil {
		return err
	}
	defer crowd.Leave()
	crowd.AddFrom(r.topics.All("**"), from)
	err = errors.Join(crowd.Connect(ctx), crowd.Settle(ctx, 3*r.patience))
	if err != nil {
		return fmt.Errorf("what was accepted is read back: %w", err)
	}
	return nil
}
