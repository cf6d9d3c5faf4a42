package hub

import (
	"fmt"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
)

const (
	// deliveryBreaker is the breaker that asks for a worse level while clients cannot
	// keep up. It refuses nobody.
	deliveryBreaker = "delivery"
	// fewClients say nothing about the hub: it may be they who are slow.
	fewClients = 20
	// slowShare is the part of the clients that may be slow: with more of them it is
	// not they.
	slowShare = 0.5
)

// newDelivery makes the breaker "delivery". It looks at the clients by itself, and
// opens when half of the looks of the last ten seconds found too many of them slow.
func (h *Hub) newDelivery() *breaker.Breaker {
	return breaker.New(breaker.Config{
		Name: deliveryBreaker, Sample: h.lookAtClients, MinCalls: 5, Level: nave.LevelConserve,
		MaxOpen: 5 * time.Second, // to look costs nobody anything, and until then all are given less
	})
}

func (h *Hub) lookAtClients() error {
	return tooManySlow(h.Clients(), h.lagging(), int(h.clientDeps.CutOff.Swap(0)))
}

// tooManySlow judges how many clients there are, how many of them lag, and how many
// there would be, had they not been cut off for being slow.
func tooManySlow(clients, lagging, cut int) error {
	slow, all := lagging+cut, clients+cut
	if all < fewClients || float64(slow) < slowShare*float64(all) {
		return nil
	}
	return fmt.Errorf("%d of %d clients lag, or were cut off for being slow", slow, all)
}
