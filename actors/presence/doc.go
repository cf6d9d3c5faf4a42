// Package presence keeps who is present on which topics, and makes of each change
// what is told to those who are.
//
// Membership: a member is a subject with all its connections on a topic. It joins with
// the first of these, and has left when it has been without one for the grace period,
// so that a page that is loaded anew does not leave. It is idle when all its
// connections are.
//
// Telling: what has changed is told as the difference to what was told last, so that
// who comes and goes meanwhile is not mentioned. A connection that begins to listen
// gets whole lists, which come after all changes that they have in them, and before all
// others.
//
// Bounds: a topic of more than [Named] members is told by their number alone, and that
// once a second. Of a member [Shown] connections are shown. Memory is proportional to
// the connections, which the hub bounds.
//
// It has no goroutine, no lock and no clock: the hub's actor "presence" owns it.
package presence

import (
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

const (
	// Named is how many members a topic may have whose changes are told one by one.
	Named = 250
	// namedAgain is when one that had more is told so again.
	namedAgain = Named * 4 / 5
	// byNumberEvery is how often the number is told of a topic that has more.
	byNumberEvery = time.Second
	// Shown is how many connections of a member are shown.
	Shown = 10
)

// Type is the type of the events that tell of presence.
const Type = "hub.presence"

// prefix and a topic are the topic of what is told about it.
const prefix = "$presence/"

// TopicOf is the topic on which the presence on t is told.
func TopicOf(t nave.Topic) nave.Topic { return prefix + t }

// Of is the topic whose presence is told on t, if t is for that.
func Of(t nave.Topic) (of nave.Topic, ok bool) {
	rest, ok := strings.CutPrefix(string(t), prefix)
	return nave.Topic(rest), ok
}

// A Who is somebody who can be present.
type Who struct {
	Issuer, Subject string
	// Anonymous says that nobody has vouched for it, and that Subject is a name that
	// the hub has made up.
	Anonymous bool
}

// A Connection is to be seen on some topics.
type Connection struct {
	// Set by whoever makes it, never changed.
	ID        uint64
	Who       Who
	Topics    []nave.Topic
	Connected time.Time

	// Owned by the Members that it is in.
	idle bool
}

// Data is the data of a hub.presence event.
type Data struct {
	Topic nave.Topic `json:"topic"`
	// Total is how many members there are.
	Total int `json:"total"`
	// Members are all of them, whatever was told before: nil if the event has changes, or
	// if they are too many to be told by name.
	Members []registry.Member `json:"members,omitzero"`
	Changes []Change          `json:"changes,omitempty"`
}

// A Change is what has become of a member.
type Change struct {
	Change What `json:"change"`
	registry.Member
}

// A What is a kind of change.
type What string

const (
	// Join: a member has come.
	Join What = "join"
	// Leave: it is gone.
	Leave What = "leave"
	// Idle: it is idle, with all its connections.
	Idle What = "idle"
	// Active: it is not idle any more.
	Active What = "active"
)
