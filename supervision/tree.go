package supervision

import "time"

// Kind is a kind of actor. It names its policy, and is an attribute of its
// metrics: a small set, never made from input.
type Kind string

// The hub's own kinds. Extensions may use others.
const (
	Hub        Kind = "hub"
	Journal    Kind = "journal"
	Dispatcher Kind = "dispatcher"
	Retention  Kind = "retention"
	Topics     Kind = "topics"
	Topic      Kind = "topic"
	Clients    Kind = "clients"
	Client     Kind = "client"
	Breakers   Kind = "breakers"
	Breaker    Kind = "breaker"
	Governor   Kind = "governor"
	Presence   Kind = "presence"
	Extensions Kind = "extensions"
	Extension  Kind = "extension"
)

// tree is the policy of every kind. Parents are resumed, because a restart
// would take their children with it.
var tree = map[Kind]Policy{
	// The top: owns everything, does nothing risky. If it keeps failing, the process is not well.
	Hub: {On: Resume, Max: 5, Within: time.Minute, MinDelay: 100 * time.Millisecond, MaxDelay: 5 * time.Second, Then: Escalate},
	// Reopens the log; a disk that fails six times in a minute is for the process to judge.
	Journal: {On: Restart, Max: 5, Within: time.Minute, MinDelay: 100 * time.Millisecond, MaxDelay: 5 * time.Second, Then: Escalate},
	// Reads again from the last offset that it handed out. Without it a shard of the clients is deaf.
	Dispatcher: {On: Restart, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// Tries again; without it the log would grow until the disk is full.
	Retention: {On: Restart, Max: 10, Within: 10 * time.Minute, MinDelay: time.Second, MaxDelay: time.Minute, Then: Escalate},
	// Keeps the topics that work.
	Topics: {On: Resume, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// Starts from registry and log; past intensity it ends, and the next publish starts it afresh.
	Topic: {On: Restart, Max: 5, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Stop},
	// Keeps the connections that work.
	Clients: {On: Resume, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// The connection closes; its browser comes back with its cursor.
	Client: {On: Stop, Then: Stop},
	// Keeps the breakers that work.
	Breakers: {On: Resume, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// Starts again closed; past intensity it is off, and lets every call through.
	Breaker: {On: Restart, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Stop},
	// Goes on with the level that it held.
	Governor: {On: Restart, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// Starts from the clients that there are; past intensity nobody is seen any more, and all else goes on.
	Presence: {On: Restart, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Stop},
	// Keeps the extensions that work.
	Extensions: {On: Resume, Max: 10, Within: time.Minute, MinDelay: 10 * time.Millisecond, MaxDelay: time.Second, Then: Escalate},
	// Somebody's code: patient at first, and past intensity that extension is off.
	Extension: {On: Restart, Max: 8, Within: 5 * time.Minute, MinDelay: 500 * time.Millisecond, MaxDelay: 30 * time.Second, Then: Stop},
}

// PolicyOf is the policy of a kind. A kind that the tree does not know is an
// extension's.
func PolicyOf(k Kind) Policy {
	if p, ok := tree[k]; ok {
		return p
	}
	return tree[Extension]
}
