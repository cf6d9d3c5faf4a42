package client

import (
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/frame"
)

// A Message is anything a client actor accepts.
//
//sumtype:decl
type Message interface{ clientMessage() }

// Attached answers Attach: the dispatcher will offer everything after Head.
type Attached struct{ Head uint64 }

// Unattached answers Attach too: the dispatcher has failed, and does not know of
// the client.
type Unattached struct{}

// Offer hands over what the client follows of one committed group. Frames is
// shared with other clients and must not be changed.
type Offer struct {
	Frames []*frame.Frame
	At     time.Time // when the dispatcher offered it
	Bytes  int
}

// Heartbeat says that everything up to Head has been offered. It queues with the
// offers, so a live client that reaches it has everything.
type Heartbeat struct {
	Head  uint64
	At    time.Time
	Every time.Duration // how often they come
}

// Lagging says that an offer did not fit into the mailbox and that none will
// follow until the client attaches again.
type Lagging struct{}

// Bye ends the connection from the hub's side: the client is told to come back
// after Retry and up to Spread more, so that not all come back at once.
type Bye struct {
	Reason        string
	Retry, Spread time.Duration
}

// Gone says that the peer has closed the connection.
type Gone struct{}

// Renew hands over a newer token of the same subject. The answer is nil, or why it
// will not do; the stream goes on either way.
type Renew struct {
	actors.Reply[struct{}]
	Who *auth.Identity
}

// Level says that the service level has changed. At one without streams the client
// is told to poll, after Retry and up to Spread more, and ends.
type Level struct {
	Level         nave.Level
	Reason        string
	AtLeast       time.Duration // for how long it will be so; 0 if nobody knows
	Retry, Spread time.Duration
}

// Recheck says that a token may have expired, or have been revoked.
type Recheck struct{}

// expiring is the time to warn of the token's end.
type expiring struct{}

// drain goes on with writing what the socket did not take at once.
type drain struct{}

// proceed goes on with catching up, a page at a time, so that control messages
// are heard in between.
type proceed struct{}

func (Attached) clientMessage()   {}
func (Unattached) clientMessage() {}
func (Offer) clientMessage()      {}
func (Heartbeat) clientMessage()  {}
func (Lagging) clientMessage()    {}
func (Bye) clientMessage()        {}
func (Gone) clientMessage()       {}
func (Renew) clientMessage()      {}
func (Recheck) clientMessage()    {}
func (Level) clientMessage()      {}
func (expiring) clientMessage()   {}
func (drain) clientMessage()      {}
func (proceed) clientMessage()    {}

// ControlMessage marks what must be heard although offers are backed up.
func (Attached) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Lagging) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Bye) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Gone) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Recheck) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Level) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (expiring) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (drain) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (proceed) ControlMessage() {}

// ControlMessage marks what must be heard although offers are backed up.
func (Unattached) ControlMessage() {}

// PromptMessage lets the dispatcher write to a socket that has room.
func (Offer) PromptMessage() {}

// PromptMessage lets the dispatcher write to a socket that has room.
func (Heartbeat) PromptMessage() {}

// MessageSize is what the offer keeps in memory until it is written.
func (o Offer) MessageSize() int { return o.Bytes }
