package frame

import (
	"encoding/json"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

// Names of the hub's own events.
const (
	SyncName      = "hub.sync"
	HeartbeatName = "hub.heartbeat"
	AuthName      = "hub.auth"
	LevelName     = "hub.level"
	ByeName       = "hub.bye"
)

// A Status is the verdict of hub.sync.
type Status string

const (
	// Live: nothing was asked for; events come from now on.
	Live Status = "live"
	// Recovered: what was missed follows, then live events.
	Recovered Status = "recovered"
	// Reset: the client has to fetch anew; events come from the cursor on.
	Reset Status = "reset"
)

// Sync is the data of hub.sync, the first event on every connection: the answer
// to the cursor that the client came with. A later one with status reset says
// that the client fell behind retention.
type Sync struct {
	Status Status           `json:"status"`
	Reason nave.ResetReason `json:"reason,omitempty"`
	// Cursor is where the client stands when everything before has been read.
	Cursor string `json:"cursor,omitempty"`
	// Snapshot brackets a snapshot: "begin" before the latest event of every
	// key, "end" after it.
	Snapshot string `json:"snapshot,omitempty"`
	// Connection is the stream's name, by which its token can be renewed.
	Connection string `json:"connection,omitempty"`
	// Level is the service level, if it is not normal.
	Level nave.Level `json:"level,omitempty"`
	// HeartbeatMS is how often there are heartbeats: who has heard nothing for three
	// times as long has lost the connection.
	HeartbeatMS int64 `json:"heartbeatMs,omitempty"`
	// Receipts asks for a receipt of every so manieth event, by its offset; 0 of none.
	Receipts int `json:"receipts,omitempty"`
}

// Auth is the data of hub.auth, which says how the token of a stream fares.
type Auth struct {
	Status AuthStatus `json:"status"`
	// Connection is the stream's name, by which its token can be renewed.
	Connection string `json:"connection"`
	// Expires is when the token does, unless it has been revoked.
	Expires time.Time `json:"expires,omitzero"`
}

// Level is the data of hub.level, which says that the service level has changed.
type Level struct {
	Level nave.Level `json:"level"`
	// Reason is for people.
	Reason string `json:"reason,omitempty"`
	// ForMS is how long it will stay so bad, at least; 0 if nobody knows.
	ForMS int64 `json:"forMs,omitempty"`
	// HeartbeatMS is how often there are heartbeats from now on.
	HeartbeatMS int64 `json:"heartbeatMs,omitempty"`
	// Poll is true if there are no streams at this level: the client is to ask for
	// pages from its cursor on, the first time after RetryMS.
	Poll    bool  `json:"poll,omitempty"`
	RetryMS int64 `json:"retryMs,omitempty"`
	// Receipts is what that of hub.sync is from now on.
	Receipts int `json:"receipts,omitempty"`
}

// An AuthStatus is what has become, or becomes, of a token.
type AuthStatus string

const (
	// AuthExpiring: without a new token (POST /v1/token) the stream will end.
	AuthExpiring AuthStatus = "expiring"
	// AuthRenewed: there is a new one.
	AuthRenewed AuthStatus = "renewed"
	// AuthExpired: the stream ends.
	AuthExpired AuthStatus = "expired"
	// AuthRevoked: the stream ends.
	AuthRevoked AuthStatus = "revoked"
)

// Heartbeat is the data of hub.heartbeat.
type Heartbeat struct {
	Time time.Time `json:"time"`
	// Cursor is the log's head. For a live client the event's id says the same:
	// the client has everything up to here.
	Cursor string `json:"cursor,omitempty"`
	// HeartbeatMS is how often they come.
	HeartbeatMS int64 `json:"heartbeatMs,omitempty"`
}

// Bye is the data of hub.bye, the last event on a connection that the hub ends.
type Bye struct {
	Reason string `json:"reason"`
	// RetryMS is when to come back, in milliseconds, as in the retry field.
	RetryMS int64 `json:"retryMs"`
}

// A Notice is one of the hub's own events.
type Notice struct {
	Name string
	Data any
	// Cursor, if not zero, is sent as the event's id.
	Cursor nave.Cursor
	// Retry, if not zero, is the client's new reconnection time.
	Retry time.Duration
}

// Bytes formats the notice for one client, or for all that share it.
func (n Notice) Bytes(format Format) []byte {
	data, err := json.Marshal(n.Data)
	if err != nil {
		panic(err) // the types above always marshal
	}
	if format == NDJSON {
		b := append([]byte(nil), ndjsonType...)
		b = appendString(b, n.Name)
		if !n.Cursor.IsZero() {
			b = append(b, `,"cursor":"`...)
			b = append(n.Cursor.AppendText(b), '"')
		}
		b = append(b, `,"data":`...)
		b = append(b, data...)
		return append(b, '}', '\n')
	}
	b, err := sse.Event{Name: n.Name, ID: n.Cursor.String(), Data: data, Retry: n.Retry}.Append(nil)
	if err != nil {
		panic(err) // names and cursors are one line
	}
	return b
}
