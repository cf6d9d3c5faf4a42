package actors

import (
	"context"
	"log/slog"
)

// A Context is what an actor can do besides answering: there is one an
// incarnation, and it is valid only in that actor's own calls.
type Context[M any] struct {
	body   *body[M]
	actor  Actor[M]
	timers *timer[M] // those that have not expired
	log    *slog.Logger
}

// Self is the actor's own Ref.
func (c *Context[M]) Self() Ref[M] { return Ref[M]{c.body} }

// Stop ends the actor after this message.
func (c *Context[M]) Stop() { c.body.stop() }

// Waiting is the number of data messages behind this one. At 0 it is time to
// flush.
func (c *Context[M]) Waiting() int { return c.body.waiting() }

// Hold stops the taking of data messages, until Release or a restart. Control
// messages still come. The mailbox fills meanwhile, and then refuses.
func (c *Context[M]) Hold() { c.body.hold(true) }

// Release goes on with data messages.
func (c *Context[M]) Release() { c.body.wakeIf(c.body.hold(false)) }

// Logger is the system's logger with the actor's name.
func (c *Context[M]) Logger() *slog.Logger {
	if c.log == nil {
		c.log = c.body.host.log.With("actor", c.body.name())
	}
	return c.log
}

// Debug tells the Logger what most often nobody wants to know, and costs little then.
func (c *Context[M]) Debug(msg string, args ...any) {
	if c.body.host.log.Enabled(context.Background(), slog.LevelDebug) {
		c.Logger().Debug(msg, args...)
	}
}

func (c *Context[M]) spawner() *System { return c.body.host }

// adopt refuses when this incarnation has ended or is about to: protoactor would
// forget the child.
func (c *Context[M]) adopt(child offspring, name string) error {
	if c.body.current != c || c.body.isClosed() {
		return ErrStopped
	}
	return c.body.host.start(c.body.context, child, name)
}
