package hub

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/supervision"
)

const (
	// MaxPresence is on how many topics one connection may be present.
	MaxPresence = 10
	// maxMembers bounds the members of all topics together.
	maxMembers = 100_000
	// tellEvery is how long changes of presence gather, once some have been told, and
	// tellBytes is how much of them, roughly, is told at once.
	tellEvery = 50 * time.Millisecond
	tellBytes = 256 << 10
	// tellAgain is the pause before what could not be told is told again.
	tellAgain = time.Second
	// idleRate and idleBurst are how often a connection may say that it is idle or not.
	idleRate, idleBurst = 1, 5
)

// A presenceMessage is anything the actor "presence" accepts.
//
//sumtype:decl
type presenceMessage interface{ presenceMessage() }

// attend says that a connection has come, or is gone: the roster says which.
type attend struct{ id uint64 }

// listen says that a connection is live, and has no lists yet.
type listen struct{ id uint64 }

// polled says that somebody has asked for a page.
type polled struct {
	who    presence.Who
	topics []nave.Topic
}

// setIdle says whether somebody is at a connection.
type setIdle struct {
	actors.Reply[struct{}]
	id   uint64
	who  presence.Who
	idle bool
}

// wakeUp is the time to look what is due.
type wakeUp struct{}

func (attend) presenceMessage()  {}
func (listen) presenceMessage()  {}
func (polled) presenceMessage()  {}
func (setIdle) presenceMessage() {}
func (wakeUp) presenceMessage()  {}

// present is what the hub knows of presence without asking its actor.
type present struct {
	topic   topic       // stands for those of presence in the journal, and has no actor
	missed  atomic.Bool // the actor has not been told something, since it was full
	members atomic.Int64
}

// attend tells the actor. What it cannot be told it finds in the roster.
func (h *Hub) attend(m presenceMessage) {
	if isFull(h.presence.Tell(m)) {
		h.present.missed.Store(true)
	}
}

// checkPresence refuses what there is no room for.
func (h *Hub) checkPresence(topics []nave.Topic) error {
	switch {
	case len(topics) > MaxPresence:
		return nave.Errorf(nave.CodeTooMany, "present on %d topics: at most %d are allowed", len(topics), MaxPresence)
	case len(topics) > 0 && h.present.members.Load() >= maxMembers:
		return nave.Errorf(nave.CodeOverloaded, "the hub shows %d members on its topics, as many as it may: leave out presence", maxMembers).After(5 * time.Second)
	}
	return nil
}

// whoOf is who a caller is for others. Who has no name gets one with its connection.
func whoOf(id *auth.Identity) presence.Who {
	if id == nil || id.Anonymous() || id.Subject == "" {
		return presence.Who{Anonymous: true}
	}
	return presence.Who{Issuer: id.Issuer, Subject: id.Subject}
}

// visibleOf is where a request is to be seen; nil: nowhere. Polls without a token are
// like one.
func visibleOf(req client.Request) *presence.Connection {
	if len(req.Presence) == 0 {
		return nil
	}
	v := &presence.Connection{Who: whoOf(req.Who), Topics: req.Presence, Connected: time.Now()}
	if v.Who.Anonymous && req.Transport == nil {
		v.Who.Subject = "anonymous"
	}
	return v
}

// numbered gives a connection its number, and its name if it has no other.
func numbered(v *presence.Connection, id uint64) *presence.Connection {
	if v == nil {
		return nil
	}
	if v.ID = id; v.Who.Subject == "" {
		v.Who.Subject = fmt.Sprintf("anonymous %d", id)
	}
	return v
}

// seen lets who polls be present for the grace period.
func (h *Hub) seen(req client.Request) {
	if v := visibleOf(req); v != nil {
		_ = h.presence.Tell(polled{v.Who, v.Topics}) // full: the next poll says so again
	}
}

// SetIdle says whether somebody is at a connection; who must be the one that it is of.
func (h *Hub) SetIdle(ctx context.Context, connection uint64, who *auth.Identity, idle bool) error {
	_, err := actors.Ask(ctx, h.presence, func(r actors.Reply[struct{}]) presenceMessage {
		return setIdle{Reply: r, id: connection, who: whoOf(who), idle: idle}
	})
	if isFull(err) {
		return nave.Errorf(nave.CodeOverloaded, "too much changes about who is present").After(time.Second)
	}
	return unknownIfEnded(err)
}

// presenceActor owns who is present where. It is told of connections, and tells of
// members on the road of all events: so what it says has its place among them, and is
// one frame for all.
type presenceActor struct {
	hub     *Hub
	members *presence.Members
	rates   map[uint64]*rate.Limiter // of connections that have said whether they are idle

	toldAt   time.Time
	underWay []presence.Message // what is being told
	outcome  actors.Reply[eventlog.Outcome]

	due   time.Time // when it wakes up; zero if it does not
	undue func()
}

func (h *Hub) presenceSpec() actors.Spec[presenceMessage] {
	h.present.topic.name, h.present.topic.share = "$presence", math.MaxInt64
	return actors.Spec[presenceMessage]{
		Kind:    supervision.Presence,
		Mailbox: actors.Limits{Count: 16 << 10},
		New: func() actors.Actor[presenceMessage] {
			return &presenceActor{
				hub: h, members: presence.New(h.config.Grace, h.registry), rates: make(map[uint64]*rate.Limiter), undue: func() {},
			}
		},
	}
}

// Started finds those who are there, and tells everybody who they are.
func (p *presenceActor) Started(c *actors.Context[presenceMessage]) {
	p.reconcile()
	p.members.Whole()
	p.proceed(c)
}

func (p *presenceActor) Receive(c *actors.Context[presenceMessage], m presenceMessage) {
	if p.hub.present.missed.Swap(false) {
		p.reconcile()
	}
	switch m := m.(type) {
	case attend:
		p.look(m.id)
	case listen:
		p.look(m.id)
		p.members.Listen(m.id)
	case polled:
		p.members.Seen(m.who, m.topics, time.Now())
	case setIdle:
		p.setIdle(m)
	case wakeUp:
		p.due = time.Time{}
	}
	p.proceed(c)
}

// Stopped takes the rows away: nobody keeps them any more.
func (p *presenceActor) Stopped() {
	p.members.Close()
	p.hub.present.members.Store(0)
}

// look sees whether a connection is there.
func (p *presenceActor) look(id uint64) {
	if v := p.hub.clients.visible(id); v != nil {
		p.members.Join(v)
		return
	}
	p.members.Leave(id, time.Now())
	delete(p.rates, id)
}

// reconcile looks for all of them.
func (p *presenceActor) reconcile() {
	for _, v := range p.hub.clients.allVisible() {
		p.members.Join(v)
	}
	for _, id := range p.members.IDs() {
		p.look(id)
		p.members.Listen(id)
	}
}

func (p *presenceActor) setIdle(m setIdle) {
	v := p.hub.clients.visible(m.id)
	switch {
	case v == nil:
		m.Fail(nave.Errorf(nave.CodeNotFound, "there is no connection %d that is present anywhere: it has ended, or was opened without presence=", m.id))
		return
	case v.Who != m.who && !(v.Who.Anonymous && m.who.Anonymous):
		m.Fail(nave.Errorf(nave.CodeForbidden, "connection %d is somebody else's", m.id))
		return
	case !p.mayChange(m.id):
		m.Fail(nave.Errorf(nave.CodeBusy, "connection %d says more than once a second whether it is idle", m.id).After(time.Second))
		return
	}
	p.members.Join(v)
	p.members.SetIdle(m.id, m.idle)
	m.Send(struct{}{})
}

func (p *presenceActor) mayChange(id uint64) bool {
	l := p.rates[id]
	if l == nil {
		l = rate.NewLimiter(idleRate, idleBurst)
		p.rates[id] = l
	}
	return l.Allow()
}

// proceed does what is due now, and sees to what will be.
func (p *presenceActor) proceed(c *actors.Context[presenceMessage]) {
	now := time.Now()
	p.members.Expire(now)
	p.hub.present.members.Store(int64(p.members.Count()))
	p.settle(c)
	if p.underWay == nil && p.members.News() && now.Sub(p.toldAt) >= tellEvery {
		p.tell(c, now)
	}
	if next, ok := p.members.Next(); ok {
		p.wakeAt(c, next)
	}
	switch {
	case p.underWay != nil:
		p.wakeAt(c, now.Add(tellEvery))
	case p.members.News():
		p.wakeAt(c, p.toldAt.Add(tellEvery))
	}
}

// wakeAt sees to it that the actor wakes up at a time, or before.
func (p *presenceActor) wakeAt(c *actors.Context[presenceMessage], at time.Time) {
	if p.due.IsZero() || at.Before(p.due) {
		p.undue()
		p.due = at
		p.undue = c.After(time.Until(at), wakeUp{})
	}
}

// settle looks what has become of what was told.
func (p *presenceActor) settle(c *actors.Context[presenceMessage]) {
	if p.underWay == nil || !p.outcome.Answered() {
		return
	}
	if _, err := p.outcome.Wait(context.Background()); err != nil {
		c.Logger().Warn("changes of presence have not reached everybody; telling the whole", "error", err)
		p.members.Untold(p.underWay)
		p.toldAt = time.Now().Add(tellAgain)
	}
	p.underWay = nil
}

// tell gives what has changed to the journal, as one batch. It is not admitted like
// others: no level gives it up, and its topics have no actors.
func (p *presenceActor) tell(c *actors.Context[presenceMessage], now time.Time) {
	p.toldAt = now
	messages := p.members.Take(now, tellBytes)
	if len(messages) == 0 {
		return
	}
	own := &p.hub.present.topic
	m := commit{
		Reply: actors.NewReply[eventlog.Outcome](), batch: eventlog.Batch{Durability: nave.Transient, Time: p.hub.logTime()},
		topic: own, accepted: now, admitted: now,
	}
	for _, message := range messages {
		m.batch.Events = append(m.batch.Events, message.Event)
		m.to = append(m.to, message.To)
		m.bytes += message.Event.Size()
		p.hub.telemetry.Present(message.Joined, message.Left)
	}
	own.inJournal.Add(int64(m.bytes))
	if err := p.hub.journal.Tell(m); err != nil {
		own.inJournal.Add(-int64(m.bytes))
		m.Reply.Fail(err)
	}
	p.underWay, p.outcome = messages, m.Reply
}
