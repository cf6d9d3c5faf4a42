// Package client serves one subscriber connection with one actor.
//
// Order: a connection sees events in offset order and never the same one twice,
// whole batches at a time. The cursor goes out only with what has been written.
//
// Bounds: at most the mailbox's bytes wait for a slow reader. When an offer does
// not fit, the client is lagging: it re-reads from history, from its last
// written offset, at its own pace, and then goes live again. One that lags for
// longer than Config.MaxLag, or whose socket takes nothing for
// Config.WriteTimeout, is disconnected; its cursor stays good.
//
// Blocking: the actor blocks in its socket write and in its reads of history.
// Both block nobody else.
//
//	          ┌──── attach ◀─── end of history ────┐
//	Started ──┤                                     ├── catching up ◀── Lagging
//	          └──▶ Attached{head} ─ behind head ───▶┘
//	                     │ at head
//	                     ▼
//	                   live ─── Offer, Heartbeat ──▶ socket
package client

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

// Config bounds every client. The zero Config is ready for use.
type Config struct {
	// Mailbox is how many bytes may wait for a slow reader. Defaults to 256 KiB.
	Mailbox int64
	// WriteTimeout ends a connection whose socket takes nothing for so long.
	// Defaults to 10 seconds.
	WriteTimeout time.Duration
	// MaxLag ends a connection that was live and has been behind for so long.
	// Defaults to a minute.
	MaxLag time.Duration
	// Retry is the reconnection time that every stream starts with. Defaults to
	// 2 seconds.
	Retry time.Duration
}

// WithDefaults fills the zero fields.
func (c Config) WithDefaults() Config {
	c.Mailbox = cmp.Or(c.Mailbox, 256<<10)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, 10*time.Second)
	c.MaxLag = cmp.Or(c.MaxLag, time.Minute)
	c.Retry = cmp.Or(c.Retry, 2*time.Second)
	return c
}

// A Request is what a subscriber asks for.
type Request struct {
	Filters nave.Filters
	// Presence has the topics on which the subscriber is to be seen, and of whose
	// presence it hears.
	Presence []nave.Topic
	// Cursor is the text that the subscriber came with, "" for none.
	Cursor string
	// Snapshot asks for the latest event of every key first, unless the cursor
	// can be resumed from.
	Snapshot  bool
	Format    frame.Format
	Transport Transport
	// Who asks; nil is somebody who may read everything. Its grant covers Filters.
	Who *auth.Identity

	// Address is the subscriber's, as far as it is known.
	Address   netip.Addr
	UserAgent string
}

// follows is what the dispatcher is asked for.
func (r *Request) follows() nave.Filters {
	if len(r.Presence) == 0 {
		return r.Filters
	}
	all := slices.Clone(r.Filters)
	for _, t := range r.Presence {
		all = append(all, nave.Filter(presence.TopicOf(t)))
	}
	return all
}

// Network is what an address counts as for limits: who has one of IPv6 has all of
// its /64.
func Network(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// A Dispatcher offers committed events to its clients.
type Dispatcher interface {
	// Attach asks for offers: Attached is the answer, and again after Lagging.
	Attach(id uint64, filters nave.Filters, to actors.Ref[Message]) error
	Detach(id uint64)
}

// History is what has been committed, from memory or from the log.
type History interface {
	Epoch() nave.Epoch
	// Head is the offset up to which Read can read.
	Head() uint64
	// AtHand reports whether Read answers from memory.
	AtHand(after uint64) bool
	// Verdict says whether a reader of filters can resume from a cursor, given
	// as text: nil, or *nave.ResetError.
	Verdict(filters nave.Filters, cursor string) (after uint64, err error)
	// Read returns a page of what matches after the offset, and the offset up to
	// which it says everything. A page without frames whose next is not past
	// after is the end.
	Read(ctx context.Context, after uint64, filters nave.Filters) (frames []*frame.Frame, next uint64, err error)
	State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error)
}

// Authority says whether who was let in still may be: see auth.Authority.
type Authority interface {
	Check(*auth.Identity) error
}

// Deps is what all clients of a hub share. It must not be changed, but for what they
// count.
type Deps struct {
	Config     Config
	Dispatcher Dispatcher
	History    History
	Mailboxes  *actors.Budget // for what waits for all of them
	Authority  Authority
	Registry   *registry.Registry
	Telemetry  *telemetry.Telemetry
	// Level is the service level that the hub holds.
	Level func() nave.Level
	// Heartbeat is how often there are heartbeats while the level is normal.
	Heartbeat time.Duration

	// CutOff counts the connections that have ended for being slow.
	CutOff atomic.Int64
	// Listen asks for the lists of those who are present where the client is.
	Listen func(id uint64)
	// Receipts is how often a receipt is asked for, see frame.Sync; nil: never.
	Receipts func() int
}

// Spec describes the actor that serves one request. The actor owns the request's
// transport from its start on.
func Spec(id uint64, req Request, deps *Deps) actors.Spec[Message] {
	s := &subscription{deps, id, req}
	return actors.Spec[Message]{
		Kind:    supervision.Client,
		Mailbox: actors.Limits{Bytes: deps.Config.Mailbox, Count: 4096, Budget: deps.Mailboxes, First: true},
		New:     func() actors.Actor[Message] { return &client{subscription: s, who: req.Who, unexpire: func() {}} },
	}
}

// A subscription is what a client is for.
type subscription struct {
	*Deps
	id  uint64
	req Request
}

// A client is one of many that are idle: what is needed only while it writes, or is
// behind, has its place elsewhere.
type client struct {
	*subscription // never changed

	// Owned by the actor.
	who       *auth.Identity
	unexpire  func() // calls off the timer of the token's end
	connected time.Time
	position  uint64 // everything up to here has been written, or is not for us
	attached  bool   // the dispatcher offers everything after head
	head      uint64 // where to catch up to before going live
	live      bool   // offers are written as they come
	attaching bool   // Attached, or another try, is on its way
	scheduled bool   // proceed is on its way
	draining  bool   // drain is on its way
	flushes   uint8  // of live events
	listed    bool   // has the lists of those who are present
	behind    *behind
	verdict   *frame.Sync // to be sent with the head, when attached
	snapshot  *snapshot   // nil when there is none to send
	out       *output     // from outputs; nil while there is none
	ended     string      // why the connection ends; "" while it lives
}

// behind is how far a client, or its reader, is behind.
type behind struct {
	since   time.Time // when it was live last; zero if it has not been
	backlog int       // bytes on their way to the reader, when last looked at
	blocked time.Time // since when it takes nothing of them
}

// Started judges the cursor. A client that resumes hears so at once and catches
// up; for others the verdict waits for the dispatcher's head.
func (c *client) Started(ctx *actors.Context[Message]) {
	c.connected = time.Now()
	c.Telemetry.Connected(c.req.Format.String())
	c.register()
	c.req.Transport.OnGone(func() { _ = ctx.Self().Tell(Gone{}) })
	c.watchExpiry(ctx)
	if c.recheck(ctx); c.ended != "" { // revoked since it was let in
		return
	}

	after, err := c.History.Verdict(c.req.Filters, c.req.Cursor)
	var reset *nave.ResetError
	switch {
	case errors.As(err, &reset):
		c.verdict = &frame.Sync{Status: frame.Reset, Reason: reset.Reason}
	case c.req.Cursor == "":
		c.verdict = &frame.Sync{Status: frame.Live}
	default:
		c.position = after
		c.sync(frame.Sync{Status: frame.Recovered}, 0)
		c.catchUp(ctx)
		c.flush(ctx)
		return
	}
	if c.req.Snapshot {
		c.beginSnapshot(ctx)
		return
	}
	c.attach(ctx)
}

// Receive handles one message and writes what has gathered once no other waits.
func (c *client) Receive(ctx *actors.Context[Message], m Message) {
	switch m := m.(type) {
	case Offer:
		c.offered(m)
	case Heartbeat:
		c.heartbeat(m)
		c.recheck(ctx) // also after the clock has jumped
	case Attached:
		c.attachedAt(ctx, m.Head)
	case Lagging:
		c.fellBehind(ctx)
	case drain:
		c.draining = false
	case proceed:
		c.scheduled = false
		c.proceed(ctx)
	case Unattached:
		c.attaching = false
		c.attach(ctx)
	case Renew:
		c.renew(ctx, m)
	case Recheck:
		c.recheck(ctx)
	case Level:
		c.level(ctx, m)
	case expiring:
		c.warn(ctx)
	case Bye:
		c.bye(ctx, m)
	case Gone:
		c.end(ctx, "client")
	}
	switch _, prompt := m.(actors.Prompt); {
	case c.out == nil:
	case c.out.bytes < flushBytes && ctx.Waiting() > 0:
	case prompt:
		c.tryFlush(ctx)
	default:
		c.flush(ctx)
	}
}

// Stopped lets go of everything, whatever ended the actor.
func (c *client) Stopped() {
	if c.ended == "" {
		c.ended = "error"
	}
	if c.ended == "too slow" || c.ended == "write" {
		c.CutOff.Add(1)
	}
	c.Dispatcher.Detach(c.id)
	c.closeSnapshot()
	_ = c.req.Transport.Close()
	c.Registry.RemoveClient(c.name())
	c.Telemetry.Disconnected(c.req.Format.String(), c.ended, time.Since(c.connected))
}

// end stops the actor; the first reason counts.
func (c *client) end(ctx *actors.Context[Message], reason string) {
	if c.ended == "" {
		c.ended = reason
		ctx.Debug("stream ends", "reason", reason, "age", time.Since(c.connected))
		ctx.Stop()
	}
}

// level says what the hub gives up now, and ends a stream if that is among it.
func (c *client) level(ctx *actors.Context[Message], m Level) {
	said := frame.Level{Level: m.Level, Reason: m.Reason, ForMS: m.AtLeast.Milliseconds(), Receipts: c.receipts()}
	if m.Level.Has(nave.Streams) {
		said.HeartbeatMS = m.Level.Heartbeat(c.Heartbeat).Milliseconds()
		c.notice(frame.Notice{Name: frame.LevelName, Data: said})
		return
	}
	retry := jittered(m.Retry, m.Spread)
	said.Poll, said.RetryMS = true, retry.Milliseconds()
	c.notice(frame.Notice{Name: frame.LevelName, Data: said})
	c.bye(ctx, Bye{Reason: "level", Retry: retry})
}

// jittered is a time, and up to spread more.
func jittered(d, spread time.Duration) time.Duration {
	if spread <= 0 {
		return d
	}
	return d + rand.N(spread).Truncate(time.Millisecond)
}

// bye tells the client when to come back, and ends.
func (c *client) bye(ctx *actors.Context[Message], m Bye) {
	retry := jittered(m.Retry, m.Spread)
	c.notice(frame.Notice{
		Name:  frame.ByeName,
		Data:  frame.Bye{Reason: m.Reason, RetryMS: retry.Milliseconds()},
		Retry: retry,
	})
	c.flush(ctx)
	c.end(ctx, m.Reason)
}

func (c *client) receipts() int {
	if c.Receipts == nil {
		return 0
	}
	return c.Receipts()
}

func (c *client) name() string { return strconv.FormatUint(c.id, 10) }

// lags reports whether the client is behind although it was live.
func (c *client) lags() bool { return c.behind != nil && !c.behind.since.IsZero() }

func (c *client) lag() registry.Lag {
	if !c.lags() {
		return registry.LagNone
	}
	return max(registry.LagOf(time.Since(c.behind.since)), registry.LagSubsecond)
}

// register writes the client's row; only changes of state come here.
func (c *client) register() {
	state := registry.CatchingUp
	if c.live {
		state = registry.Live
	}
	c.Registry.PutClient(registry.Client{
		ID:        c.name(),
		Filters:   c.req.Filters,
		Transport: c.req.Format.String() + "/" + c.req.Transport.Protocol(),
		Address:   c.req.Address,
		UserAgent: c.req.UserAgent,
		Connected: c.connected,
		State:     state,
		Who:       c.who,
		Lag:       c.lag(),
		Presence:  c.req.Presence,
	})
}
