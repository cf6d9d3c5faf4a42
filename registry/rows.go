package registry

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
)

// A Client is one subscriber connection.
type Client struct {
	ID      string
	Filters nave.Filters
	// Transport is how it receives events, such as "sse/h1" or "ndjson/h2".
	Transport string
	// Who it is; nil if it did not have to say.
	Who       *auth.Identity
	Address   netip.Addr
	UserAgent string
	Connected time.Time
	State     State
	Lag       Lag
	// Presence has the topics on which it is to be seen.
	Presence []nave.Topic
}

// Lagging reports whether the client is behind what it could have received.
func (c Client) Lagging() bool { return c.Lag != LagNone }

// A State is what a client is doing.
type State string

const (
	// Live clients are given events as they are committed.
	Live State = "live"
	// CatchingUp clients read from the log what they have missed.
	CatchingUp State = "catching-up"
)

// Lag is how far behind a client is, roughly: a row changes with the bucket, not
// with every event.
type Lag uint8

const (
	// LagNone: it has been given everything.
	LagNone Lag = iota
	// LagSubsecond: less than a second behind.
	LagSubsecond
	// LagSeconds: less than ten seconds behind.
	LagSeconds
	// LagTensOfSeconds: less than a minute behind.
	LagTensOfSeconds
	// LagMinutes: a minute or more behind.
	LagMinutes
)

var lagNames = [...]string{"none", "<1s", "<10s", "<1m", ">=1m"}

// LagOf is the bucket of a client that is behind by d.
func LagOf(d time.Duration) Lag {
	switch {
	case d <= 0:
		return LagNone
	case d < time.Second:
		return LagSubsecond
	case d < 10*time.Second:
		return LagSeconds
	case d < time.Minute:
		return LagTensOfSeconds
	default:
		return LagMinutes
	}
}

// String is the bucket as people read it, such as "<10s".
func (l Lag) String() string {
	if int(l) < len(lagNames) {
		return lagNames[l]
	}
	return fmt.Sprintf("lag(%d)", uint8(l))
}

// MarshalText writes what String says.
func (l Lag) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// A Topic is one that is live: it has an actor. Its counters are not here: they
// change with every event.
type Topic struct {
	Name       nave.Topic
	Durability nave.Durability
	// Created is when its actor came up.
	Created time.Time
}

// A Breaker is one circuit breaker.
type Breaker struct {
	Name  string
	State BreakerState
	// Since is when it changed last, and Why.
	Since time.Time
	Why   string
	// Until is when an open one will let a call through again; zero if nobody knows.
	Until time.Time
	// Level is the service level that it asks for while it is not closed; "" for none.
	Level nave.Level
	// Calls, and those of them that failed or were slow, are of the latest window,
	// and for a half-open one of its probes. They are up to a tenth of it old.
	Calls, Failures, Slow int
	// History has the last changes, at most ten, oldest first.
	History []BreakerChange
}

// A BreakerState says whether a breaker lets calls through.
type BreakerState string

const (
	// BreakerClosed lets all of them through: things are well.
	BreakerClosed BreakerState = "closed"
	// BreakerOpen refuses all of them.
	BreakerOpen BreakerState = "open"
	// BreakerHalfOpen lets a few through, to try.
	BreakerHalfOpen BreakerState = "half-open"
)

// A BreakerChange is one change of a breaker's state.
type BreakerChange struct {
	At    time.Time    `json:"at"`
	State BreakerState `json:"state"`
	Why   string       `json:"why,omitempty"`
}

// A Member is somebody who is present on a topic, with all its connections.
type Member struct {
	Topic   nave.Topic `json:"-"`
	Subject string     `json:"subject"`
	Issuer  string     `json:"issuer,omitempty"`
	// Anonymous says that nobody has vouched for the Subject: the hub has made it up.
	Anonymous bool `json:"anonymous,omitempty"`
	// Since is when it has come.
	Since time.Time `json:"since"`
	// Idle says that it is with all its connections.
	Idle bool `json:"idle"`
	// Connections are some of those that it has, and More is how many others there are.
	// It has none when it polls, and for a moment after the last has ended.
	Connections []MemberConnection `json:"connections"`
	More        int                `json:"more,omitempty"`
}

// A MemberConnection is one connection of a Member.
type MemberConnection struct {
	ID        string    `json:"id"`
	Connected time.Time `json:"connected"`
	Idle      bool      `json:"idle"`
}
