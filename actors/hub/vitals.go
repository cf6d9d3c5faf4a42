package hub

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

// Vitals are how the hub fares: a look once a second, by the governor. They must not be
// changed.
type Vitals struct {
	At      time.Time `json:"at"`
	Service Service   `json:"service"`

	Clients int `json:"clients"`
	// Lagging, the log's Oldest, Actors and Topics are looked at every five seconds.
	Lagging int `json:"lagging"`
	// EventsIn were published and EventsOut delivered, each a second.
	EventsIn  float64 `json:"eventsIn"`
	EventsOut float64 `json:"eventsOut"`

	// Stages are "topic", "append", "queue" and "propagation".
	Stages []Stage `json:"stages"`

	// Heap is how many bytes are in use, and HeapBudget how many may be; 0 without bound.
	Heap       int64 `json:"heap"`
	HeapBudget int64 `json:"heapBudget"`
	// Scheduling is how many milliseconds 99 % of goroutines did not exceed in waiting
	// for a processor.
	Scheduling float64 `json:"scheduling"`

	// ClientBytes wait for all clients, JournalBytes to be committed.
	ClientBytes       int64 `json:"clientBytes"`
	ClientBytesLimit  int64 `json:"clientBytesLimit"`
	JournalBytes      int64 `json:"journalBytes"`
	JournalBytesLimit int64 `json:"journalBytesLimit"`

	// Head is the newest offset, and Oldest that from which on every topic can be
	// resumed.
	Head         uint64 `json:"head"`
	Oldest       uint64 `json:"oldest"`
	DurableBytes int64  `json:"durableBytes"`
	MemoryBytes  int64  `json:"memoryBytes"`

	// Actors are by kind.
	Actors []ActorVitals `json:"actors"`
	// Topics are the 20 busiest.
	Topics []TopicRate `json:"topics"`
}

// A Stage is a part of an event's road, within the last ten seconds: "topic" is the wait
// in its topic's mailbox, "append" the commit of its group, "queue" from being offered to
// a client to its socket write, and "propagation" from being accepted to that.
type Stage struct {
	Name string `json:"name"`
	// P50 and P99 are in milliseconds.
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	Count uint64  `json:"count"`
}

// ActorVitals are the figures of all actors of one kind.
type ActorVitals struct {
	Kind   string `json:"kind"`
	Active int    `json:"active"`
	// Waiting messages, of so many Bytes, are in all their mailboxes, and Fullest of
	// them in the fullest.
	Waiting int   `json:"waiting"`
	Bytes   int64 `json:"bytes"`
	Fullest int   `json:"fullest"`
	// Refused and Restarts count from the start of the process.
	Refused  uint64 `json:"refused"`
	Restarts uint64 `json:"restarts"`
}

// A TopicRate is how much is published to a topic.
type TopicRate struct {
	Topic           nave.Topic `json:"topic"`
	EventsPerSecond float64    `json:"eventsPerSecond"`
}

// A Point is what is remembered of Vitals.
type Point struct {
	At        time.Time  `json:"at"`
	Level     nave.Level `json:"level"`
	Clients   int        `json:"clients"`
	Lagging   int        `json:"lagging"`
	EventsIn  float64    `json:"eventsIn"`
	EventsOut float64    `json:"eventsOut"`
	Stages    []Stage    `json:"stages"`
	Heap      int64      `json:"heap"`
}

// Vitals are the latest; nil before the first, a second after the start.
func (h *Hub) Vitals() *Vitals { return h.governing.vitals.Load() }

// VitalsPast are the last 15 minutes, a Point each five seconds, oldest first.
func (h *Hub) VitalsPast() []Point { return h.governing.past.all() }

// pastPoints are 15 minutes of them.
const pastPoints = 15 * 60 / pointEvery

// A past keeps the latest points.
type past struct {
	mu     sync.Mutex
	points []Point // a ring once it is full
	oldest int
}

func (p *past) add(at Point) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.points) < pastPoints {
		p.points = append(p.points, at)
		return
	}
	p.points[p.oldest] = at
	p.oldest = (p.oldest + 1) % pastPoints
}

func (p *past) all() []Point {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(append([]Point(nil), p.points[p.oldest:]...), p.points[:p.oldest]...)
}

func (v *Vitals) point() Point {
	return Point{
		At: v.At, Level: v.Service.Level, Clients: v.Clients, Lagging: v.Lagging,
		EventsIn: v.EventsIn, EventsOut: v.EventsOut,
		Stages: v.Stages, Heap: v.Heap,
	}
}

func stages(r *telemetry.Recent) []Stage {
	stage := func(name string, l *telemetry.Latencies) Stage {
		return Stage{Name: name, P50: milliseconds(l.Quantile(.5)), P99: milliseconds(l.Quantile(.99)), Count: l.Count()}
	}
	return []Stage{
		stage("topic", &r.Topic), stage("append", &r.Append), stage("queue", &r.Queue), stage("propagation", &r.Propagation),
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// A governing is the governor's memory, which outlives its incarnations.
type governing struct {
	// Shared.
	vitals atomic.Pointer[Vitals]
	past   past

	// Owned by Start, and then by the governor.
	machine machine
	signals []signal
	budget  int64
	look    func() usage // at the process
	window  *telemetry.Window
	at      time.Time // the latest look
	looks   int
	untold  *levelChanged // what the clients have still to be told
}
