package hub

import (
	"cmp"
	"log/slog"
	"runtime"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/telemetry"
)

// Config configures a Hub. The zero Config is ready for use: every topic is
// durable and without a rate limit.
type Config struct {
	// Topics are rules for topics; the first whose filter matches wins.
	Topics []TopicRule
	Limits Limits
	Client client.Config
	// Level is the best that the hub holds, whatever operators pin.
	//
	// Defaults to nave.LevelNormal.
	Level nave.Level
	// Levels say how it comes by a worse one.
	Levels Levels
	// Authority says who may do what over HTTP, and who may stay when tokens expire or
	// are revoked.
	//
	// Defaults to one that lets nobody do anything; see auth.Open.
	Authority *auth.Authority
	// Heartbeat is how often every stream is sent a hub.heartbeat, unless the level has
	// given that up.
	//
	// Defaults to 15 seconds.
	Heartbeat time.Duration
	// RetrySpread is the window over which clients are told to come back when
	// the hub ends their streams.
	//
	// Defaults to 5 seconds.
	RetrySpread time.Duration
	// Grace is for how long somebody without a connection is still present.
	//
	// Defaults to 10 seconds.
	Grace time.Duration
	// Receipts is the share of events of which clients are asked for a receipt: 0 for
	// none, 1 for all.
	Receipts float64
	// Dispatchers is the number of shards that clients are spread over.
	//
	// Defaults to one a core.
	Dispatchers int
	// Extensions are actors of the application's own.
	Extensions []Extension
	// Breakers are the application's own. They live in this hub alone.
	Breakers []*breaker.Breaker

	Logger    *slog.Logger
	Telemetry *telemetry.Telemetry
}

// A TopicRule says how topics are treated that its filter matches.
type TopicRule struct {
	Filter nave.Filter
	// Durability defaults to durable.
	Durability nave.Durability
	// Rate is how many events a second each such topic accepts, 0 for no limit,
	// and Burst how many at once; at least Rate.
	Rate  float64
	Burst int
}

// Limits bound what publishers and subscribers may ask for.
type Limits struct {
	EventBytes int // of one event's data. Defaults to 256 KiB.
	BatchBytes int // of the data of all events of a batch. Defaults to 1 MiB.
	Batch      int // events in a batch. Defaults to 1,000.
	Filters    int // of one subscription. Defaults to 100.
	Topics     int // live topic actors. Defaults to 100,000.
	Clients    int // open streams and waiting polls. Defaults to 20,000.
	// ClientsPerSubject is how many of these one subject of tokens may have, and
	// ClientsPerAddress how many those may have together who come without a token
	// from one address, other than loopback.
	//
	// Default to 100 and 1,000.
	ClientsPerSubject, ClientsPerAddress int
	// ClientBytes is how much may wait for all clients together; each is bounded
	// by client.Config.Mailbox too.
	//
	// Defaults to 64 MiB.
	ClientBytes int64
	// JournalBytes is how much may wait to be committed, over all topics.
	//
	// Defaults to 16 MiB, or four of the largest batches.
	JournalBytes int64
	// RecentBytes is how much of what was committed last is kept formatted, for
	// clients that come back.
	//
	// Defaults to 2 MiB.
	RecentBytes int
}

// largestBatch is the most that a batch takes, in bytes. What waits must have room for
// one, or it would be refused for ever.
func (l *Limits) largestBatch() int64 {
	const names = 2 << 10 // of an event: all but its data
	return int64(l.BatchBytes) + int64(l.Batch)*names
}

func (c Config) withDefaults() Config {
	c.Level = cmp.Or(c.Level, nave.LevelNormal)
	c.Levels = c.Levels.withDefaults()
	c.Heartbeat = cmp.Or(c.Heartbeat, 15*time.Second)
	c.RetrySpread = cmp.Or(c.RetrySpread, 5*time.Second)
	c.Grace = cmp.Or(c.Grace, 10*time.Second)
	c.Limits.EventBytes = cmp.Or(c.Limits.EventBytes, 256<<10)
	c.Limits.BatchBytes = cmp.Or(c.Limits.BatchBytes, 1<<20)
	c.Limits.Batch = cmp.Or(c.Limits.Batch, 1000)
	c.Limits.Filters = cmp.Or(c.Limits.Filters, 100)
	c.Limits.Topics = cmp.Or(c.Limits.Topics, 100_000)
	c.Limits.Clients = cmp.Or(c.Limits.Clients, 20_000)
	c.Limits.ClientsPerSubject = cmp.Or(c.Limits.ClientsPerSubject, 100)
	c.Limits.ClientsPerAddress = cmp.Or(c.Limits.ClientsPerAddress, 1000)
	c.Limits.ClientBytes = cmp.Or(c.Limits.ClientBytes, 64<<20)
	c.Limits.JournalBytes = cmp.Or(c.Limits.JournalBytes, max(16<<20, 4*c.Limits.largestBatch()))
	c.Limits.RecentBytes = cmp.Or(c.Limits.RecentBytes, 2<<20)
	c.Dispatchers = cmp.Or(c.Dispatchers, runtime.GOMAXPROCS(0))
	c.Client = c.Client.WithDefaults()
	if c.Authority == nil {
		c.Authority = auth.NewAuthority(auth.AuthorityConfig{})
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Telemetry == nil {
		c.Telemetry = telemetry.Disabled()
	}
	return c
}

// rule is the one that applies to a topic.
func (c *Config) rule(t nave.Topic) TopicRule {
	for _, r := range c.Topics {
		if r.Filter.Match(t) && !t.Reserved() { // what the hub keeps there has to last
			r.Durability = cmp.Or(r.Durability, nave.Durable)
			return r
		}
	}
	return TopicRule{Durability: nave.Durable}
}
