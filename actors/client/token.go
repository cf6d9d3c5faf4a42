package client

import (
	"cmp"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/frame"
)

// byeAuth is why a stream ends whose token does.
const byeAuth = "auth"

// warning is how long before its end a token is warned of: a tenth of what it has
// left, so that a short one is too, and a minute at most.
func warning(left time.Duration) time.Duration { return min(left/10, time.Minute) }

// watchExpiry sees to it that the token's end is noticed, after a warning.
func (c *client) watchExpiry(ctx *actors.Context[Message]) {
	c.unexpire()
	if c.who == nil || c.who.Expires.IsZero() {
		return
	}
	left := time.Until(c.who.Expires)
	c.unexpire = ctx.After(left-warning(left), expiring{})
}

// warn says that the token will end, and waits for that.
func (c *client) warn(ctx *actors.Context[Message]) {
	c.tell(frame.AuthExpiring, c.who.Expires)
	c.unexpire = ctx.After(time.Until(c.who.Expires), Recheck{})
}

// recheck ends the stream if its token is of no use any more.
func (c *client) recheck(ctx *actors.Context[Message]) {
	if c.who == nil || c.Authority.Check(c.who) == nil {
		return
	}
	if expires := c.who.Expires; !expires.IsZero() && time.Until(expires) <= 0 {
		c.tell(frame.AuthExpired, expires)
	} else {
		c.tell(frame.AuthRevoked, time.Time{})
	}
	c.bye(ctx, Bye{Reason: byeAuth, Retry: c.Config.Retry})
}

// renew goes on with a newer token, if it is the same subject's and may read as much
// as the stream does.
func (c *client) renew(ctx *actors.Context[Message], m Renew) {
	if c.who == nil || !c.who.SameAs(m.Who) {
		m.Fail(nave.Errorf(nave.CodeForbidden, "connection %s is not %s's: it goes on with the token that it has", c.name(), m.Who.Name()))
		return
	}
	if err := cmp.Or(c.Authority.Check(m.Who), m.Who.CheckSubscribe(c.req.Filters), m.Who.CheckPresence(c.req.Presence)); err != nil {
		m.Fail(err)
		return
	}
	c.who = m.Who
	c.register()
	c.watchExpiry(ctx)
	c.tell(frame.AuthRenewed, c.who.Expires)
	m.Send(struct{}{})
}

func (c *client) tell(status frame.AuthStatus, expires time.Time) {
	c.notice(frame.Notice{Name: frame.AuthName, Data: frame.Auth{Status: status, Connection: c.name(), Expires: expires}})
}

// mayRead is asked for every event: what a filter lets through that the grant does
// not must not reach anybody. Who is present on a topic is for those who may read it.
func (c *client) mayRead(t nave.Topic) bool {
	if c.who == nil {
		return true
	}
	if t.Reserved() {
		if of, ok := presence.Of(t); ok {
			t = of
		}
	}
	return c.who.Grant.MayRead(t)
}
