package hub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/supervision"
)

// A Publisher accepts events, as Hub.Publish does.
type Publisher interface {
	Publish(ctx context.Context, events ...nave.Event) (Published, error)
}

// An Extension is an actor of the application's own inside the hub: it follows
// topics and does something about what happens there.
type Extension struct {
	// Name is unique among the hub's extensions, and stays: the hub knows the
	// extension by it after a restart. It can be a segment of a topic.
	Name    string
	Filters nave.Filters
	// New makes a fresh Handler, also after each restart.
	New func(Publisher) Handler
}

// A Handler handles the events that an Extension follows, one at a time and in
// order. A new extension starts with what is published from then on; one that the
// hub knows goes on where it was, also after a restart of the process.
//
// It may block: only its own actor waits, and catches up from history
// afterwards. An error, like a panic, restarts it, and the event is handled
// again; past the restart intensity of supervision the extension is off. So an
// event that can never be handled is best logged and passed over. An error of the
// Publisher's that says to try again later is no failure: the event is handled
// again in a moment.
//
// Handling is at least once: publish under ids derived from the event's offset to
// make the effect happen once. Transient events have no offset, and are handled
// at most once.
type Handler interface {
	Handle(ctx context.Context, e nave.Event) error
}

// An extensionActor follows topics as a client does, with a Handler in the place
// of the socket.
type extensionActor struct {
	Extension
	hub      *Hub
	id       uint64
	position *position // outlives a restart
	handler  Handler
	ctx      context.Context // ends with the incarnation
	cancel   context.CancelFunc
	live     bool
	unlater  func() // calls off the try that waits, if one does
}

func (h *Hub) extensionSpec(e Extension) actors.Spec[client.Message] {
	id, position := h.clientID.Add(1), h.positionOf(e.Name)
	return actors.Spec[client.Message]{
		Kind:    supervision.Extension,
		Mailbox: actors.Limits{Count: 1024, Bytes: h.config.Client.Mailbox},
		New: func() actors.Actor[client.Message] {
			return &extensionActor{Extension: e, hub: h, id: id, position: position, unlater: func() {}}
		},
	}
}

func (x *extensionActor) Started(c *actors.Context[client.Message]) {
	x.ctx, x.cancel = context.WithCancel(x.hub.running)
	switch err := x.position.load(x.ctx); {
	case err == nil:
	case x.ctx.Err() != nil: // the hub ends in its first moments
		c.Stop()
		return
	default:
		panic(err)
	}
	x.handler = x.New(x.hub)
	x.catchUp(c)
}

func (x *extensionActor) Receive(c *actors.Context[client.Message], m client.Message) {
	switch m := m.(type) {
	case client.Offer:
		if x.live {
			x.handle(c, m.Frames)
		}
	case client.Attached:
		x.live = true
		x.readHistory(c)
	case client.Lagging, client.Unattached:
		x.live = false
		x.catchUp(c)
	case client.Heartbeat:
		x.catchUp(c)
		x.save()
	default: // what else there is concerns streams
	}
}

func (x *extensionActor) Stopped() {
	x.cancel()
	desk{x.hub}.Detach(x.id)
}

// save keeps the position. What cannot be saved now is saved later, or handled
// again.
func (x *extensionActor) save() {
	if err := x.position.saveNowAndThen(x.ctx); err != nil && nave.CodeOf(err) != nave.CodeDraining {
		x.hub.logger.Warn("extension cannot keep its position", "extension", x.Name, "error", err)
	}
}

// catchUp handles what history has, and asks for offers from there on. A
// dispatcher that is too full to hear it is asked again, as clients do.
func (x *extensionActor) catchUp(c *actors.Context[client.Message]) {
	if x.live {
		return
	}
	if !x.readHistory(c) {
		return
	}
	if err := (desk{x.hub}).Attach(x.id, x.Filters, c.Self()); err != nil {
		x.again(c, attachAgain)
	}
}

// readHistory reports whether all of it has been handled.
func (x *extensionActor) readHistory(c *actors.Context[client.Message]) bool {
	for {
		frames, next, err := x.hub.history.Read(x.ctx, x.position.at, x.Filters)
		var reset *nave.ResetError
		if errors.As(err, &reset) {
			if !x.passLost(c) {
				return false
			}
			continue
		}
		if err != nil {
			x.unreadable(c, err)
			return false
		}
		if len(frames) == 0 && next == x.position.at {
			return true
		}
		if !x.handle(c, frames) {
			return false
		}
		x.position.at = next
	}
}

// unreadable ends with the hub, waits for a log that is being reopened, or fails.
func (x *extensionActor) unreadable(c *actors.Context[client.Message], err error) {
	switch {
	case x.ctx.Err() != nil:
		c.Stop()
	case isPassing(err):
		x.later(c)
	default:
		panic(fmt.Errorf("read history: %w", err))
	}
}

// isPassing reports whether the hub itself could not do something just now. That is
// no failure of an extension's, and must not use up what it is forgiven: a disk that
// is full for two minutes would turn it off for good.
func isPassing(err error) bool {
	switch nave.CodeOf(err) {
	case nave.CodeUnavailable, nave.CodeOverloaded, nave.CodeBusy:
		return true
	}
	return false
}

const (
	// extensionAgain is the pause before what the hub could not do is tried again.
	extensionAgain = time.Second
	// attachAgain is the pause before asking a full dispatcher again.
	attachAgain = 20 * time.Millisecond
)

// later goes on from history in a moment. What is offered meanwhile is there too.
func (x *extensionActor) later(c *actors.Context[client.Message]) { x.again(c, extensionAgain) }

func (x *extensionActor) again(c *actors.Context[client.Message], in time.Duration) {
	x.live = false
	x.unlater()
	x.unlater = c.After(in, client.Lagging{})
}

// passLost goes on to where all filters can be read again, and handles on the way
// what those filters still have that have lost nothing: a restart takes the
// events of memory topics, and no others.
func (x *extensionActor) passLost(c *actors.Context[client.Message]) bool {
	h := x.hub.history
	oldest := h.oldest(x.Filters)
	intact := slices.DeleteFunc(slices.Clone(x.Filters), func(f nave.Filter) bool {
		return h.oldest(nave.Filters{f}) > x.position.at
	})
	if oldest <= x.hub.startedAt && !slices.ContainsFunc(x.Filters, x.isToLast(intact)) {
		x.hub.logger.Info("an extension goes on after a restart, with which its memory topics have ended", "extension", x.Name)
	} else {
		x.hub.logger.Warn("events that an extension follows have left the log before it came to them",
			"extension", x.Name, "between", x.position.at, "and", oldest, "still there", intact)
	}
	for len(intact) > 0 && x.position.at < oldest {
		frames, next, err := h.Read(x.ctx, x.position.at, intact)
		var reset *nave.ResetError
		if errors.As(err, &reset) || err == nil && next == x.position.at {
			break // retention was faster once more, or there is no more
		}
		if err != nil {
			x.unreadable(c, err)
			return false
		}
		frames = slices.DeleteFunc(slices.Clone(frames), func(f *frame.Frame) bool { return f.Event.Offset > oldest })
		if !x.handle(c, frames) {
			return false
		}
		x.position.at = min(next, oldest)
	}
	x.position.at = max(x.position.at, oldest)
	return true
}

// isToLast finds filters that have lost what a restart should have left: all that
// are not intact but names of memory topics.
func (x *extensionActor) isToLast(intact nave.Filters) func(nave.Filter) bool {
	return func(f nave.Filter) bool {
		topic, err := nave.ParseTopic(string(f))
		inMemory := err == nil && x.hub.config.rule(topic).Durability == nave.Memory
		return !inMemory && !slices.Contains(intact, f)
	}
}

// handle reports whether all of the frames have been handled. When the hub is
// shutting down they are not, and that is no failure.
func (x *extensionActor) handle(c *actors.Context[client.Message], frames []*frame.Frame) bool {
	for _, f := range frames {
		offset := f.Event.Offset
		if offset > 0 && offset <= x.position.at {
			continue
		}
		err := x.handler.Handle(x.ctx, f.Event)
		if err != nil && (x.ctx.Err() != nil || nave.CodeOf(err) == nave.CodeDraining) {
			c.Stop()
			return false
		}
		if isPassing(err) {
			x.later(c)
			return false
		}
		if err != nil {
			panic(fmt.Errorf("handle event %d of %s: %w", offset, f.Event.Topic, err))
		}
		x.position.at = max(x.position.at, offset)
		x.save()
	}
	return true
}

func (c *Config) checkExtensions() error {
	names := make(map[string]bool)
	for _, e := range c.Extensions {
		if _, err := nave.ParseTopic(e.Name); err != nil || strings.Contains(e.Name, "/") {
			return fmt.Errorf("extension %q: its name must do as a segment of a topic", e.Name)
		}
		if names[e.Name] {
			return fmt.Errorf("extension %q: there are two of that name", e.Name)
		}
		names[e.Name] = true
	}
	return nil
}
