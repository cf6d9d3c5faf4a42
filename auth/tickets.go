package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"

	"github.com/navehub/nave"
)

// Tickets stand for a token once, for a short time: in a URL, which is written into
// logs and histories, a token must not be. They are kept in memory only.
type Tickets struct {
	life time.Duration

	mu     sync.Mutex
	issued map[Digest]*ticket // by the hash, so that to look one up tells nothing about the others
	queue  []*ticket          // in the order in which they end; some have been used
	held   map[holder]int     // how many of queue
}

type ticket struct {
	sum     Digest
	id      *Identity
	expires time.Time
}

// A holder is bounded in how many tickets it has.
type holder struct{ issuer, subject string }

const (
	maxTickets = 100_000
	maxHeld    = 100
)

// NewTickets makes the tickets of a hub, each of which lasts so long.
func NewTickets(life time.Duration) *Tickets {
	return &Tickets{life: life, issued: make(map[Digest]*ticket), held: make(map[holder]int)}
}

// Issue makes a ticket that stands for the token that its holder has shown.
func (t *Tickets) Issue(id *Identity) (text string, expires time.Time, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	t.forget(now)
	by := holder{id.Issuer, id.Subject}
	switch {
	case t.held[by] >= maxHeld:
		return "", time.Time{}, nave.Errorf(nave.CodeBusy, "%s has been given %d tickets in %v, as many as one may", id.Name(), maxHeld, t.life).After(t.life)
	case len(t.queue) >= maxTickets:
		return "", time.Time{}, nave.Errorf(nave.CodeOverloaded, "%d tickets have been given in %v, as many as there may be", maxTickets, t.life).After(t.life)
	}
	text, expires = rand.Text(), now.Add(t.life)
	given := &ticket{sha256.Sum256([]byte(text)), id, expires}
	t.issued[given.sum] = given
	t.queue = append(t.queue, given)
	t.held[by]++
	return text, expires, nil
}

// Redeem says who holds the ticket, once.
func (t *Tickets) Redeem(text string) (*Identity, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forget(time.Now())
	sum := sha256.Sum256([]byte(text))
	found, ok := t.issued[sum]
	if !ok {
		return nil, nave.Errorf(nave.CodeUnauthorised, "the ticket is unknown, has been used, or is older than %v: fetch another from POST /v1/tickets", t.life)
	}
	delete(t.issued, sum)
	return found.id, nil
}

// forget drops those that are over.
func (t *Tickets) forget(now time.Time) {
	over := 0
	for over < len(t.queue) && !now.Before(t.queue[over].expires) {
		old := t.queue[over]
		delete(t.issued, old.sum)
		by := holder{old.id.Issuer, old.id.Subject}
		if t.held[by]--; t.held[by] == 0 {
			delete(t.held, by)
		}
		t.queue[over] = nil
		over++
	}
	if t.queue = t.queue[over:]; len(t.queue) == 0 {
		t.queue = nil
	}
}
