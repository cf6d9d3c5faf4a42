package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// A game is a history that is yet to happen.
type game struct {
	hub     target
	place   string // its topics are under it
	clients int
	steps   int // of each client
	seed    uint64
	number  uint64
	hurried time.Duration // how long a client in a hurry waits at most
	// amid, if there is one, is called once half of all that will be asked has been,
	// more or less, while the clients go on.
	amid func(*record) error
}

func (g *game) String() string { return fmt.Sprintf("%s (-seed %d)", g.place, g.seed) }

// The drawers of a game besides its clients, of which there are fewer.
const (
	theReader = 100 + iota
	theSize
	theMark
	theCrash
)

// source is what one of them draws from.
func (g *game) source(who int) rand.Source {
	return rand.NewPCG(g.seed, g.number<<8|uint64(who))
}

// tooLong is for a game that gets stuck: it should take a second or two.
const tooLong = 2 * time.Minute

// play lets the clients do what they do, and reads in the end what has come of it.
func (g *game) play(ctx context.Context) (*history, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tooLong, fmt.Errorf("%s is not over after %v", g.place, tooLong))
	defer cancel()
	half := g.clients * g.steps / 2
	r := newRecord(half/2 + rand.New(g.source(theMark)).IntN(half))
	reader := newClient(g.clients, g.hub, g.place, r, g.source(theReader))
	begin, err := reader.surely(ctx)
	if err != nil {
		return nil, err
	}
	if err := g.compete(ctx, r); err != nil {
		return nil, err
	}
	end, err := reader.surely(ctx)
	if err != nil {
		return nil, err
	}
	if err := reader.replay(ctx, begin, end.Offset); err != nil {
		return nil, err
	}
	return &r.history, nil
}

// compete runs the clients, and what happens amid. The first error ends them all.
func (g *game) compete(ctx context.Context, r *record) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var running sync.WaitGroup
	for i := range g.clients {
		c := newClient(i, g.hub, g.place, r, g.source(i))
		c.hurried = g.hurried
		running.Go(func() {
			if err := c.run(ctx, g.steps); err != nil {
				fail(err)
			}
		})
	}
	if g.amid != nil {
		select {
		case <-r.reached:
			if err := g.amid(r); err != nil {
				fail(err)
			}
		case <-ctx.Done():
		}
	}
	running.Wait()
	return context.Cause(ctx)
}
