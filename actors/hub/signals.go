package hub

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

// A Signal is what speaks for a level that is not normal.
type Signal struct {
	Name string `json:"name"`
	// Level is what it asks for; or what it keeps from getting better, for being too
	// close to asking.
	Level nave.Level `json:"level"`
	// Detail is for people.
	Detail string `json:"detail"`
}

// A signal is one thing that bears on the level.
type signal struct {
	name, what string
	// read is its value in a sample; false if there is none.
	read func(*sample) (float64, bool)
	unit unit
	// from is the value from which on it asks for a level.
	from thresholds
	// calm is the part of that below which it does not hold the level any more.
	calm float64
	// after is for how long it has to ask.
	after time.Duration
	// why are the reasons for the figures, for people.
	why string
}

// thresholds are for each level; 0 is never.
type thresholds struct{ shed, conserve, polling, off float64 }

// signals are all of them. Publishers who are refused as busy are not among them: that
// is one topic's or one publisher's own limit, of which others must feel nothing.
func signals(c Levels) []signal {
	late := c.Propagation.Seconds()
	return []signal{
		{
			name: "breakers", what: "the worst that an open breaker asks for", read: (*sample).breakersAsk, unit: byLevel,
			from: thresholds{1, 2, 3, 4}, calm: 1, after: 0,
			why: "a breaker has waited and counted before it opens",
		},
		{
			name: "journal", what: "the fill of the journal", read: (*sample).journalFill, unit: share,
			from: thresholds{shed: .5, conserve: .8}, calm: .7, after: 3 * time.Second,
			why: "half are four topics backed up, as each may have an eighth; to end streams makes no disk faster",
		},
		{
			name: "clients", what: "the fill of all clients' mailboxes together", read: (*sample).clientsFill, unit: share,
			from: thresholds{shed: .75, conserve: .95}, calm: .7, after: 5 * time.Second,
			why: "without room clients catch up from the log, which conserve makes cheap; the slow must not cost the others their streams",
		},
		{
			name: "refused", what: "the share of publishes refused as overloaded", read: (*sample).refusedShare, unit: share,
			from: thresholds{shed: .02, conserve: .2}, calm: .7, after: 3 * time.Second,
			why: "whoever is refused comes again; what is given up leaves room for them",
		},
		{
			name: "memory", what: "the heap in use as a share of its budget", read: (*sample).heapFill, unit: share,
			from: thresholds{.75, .85, .93, .98}, calm: .9, after: 2 * time.Second,
			why: "streams hold most of it, and a process that is killed serves nobody; it does not swing, so that a tenth less is calm",
		},
		{
			name: "scheduling", what: "the p99 of waits for a processor", read: (*sample).wait, unit: millis,
			from: thresholds{shed: .1, conserve: .3}, calm: .7, after: 5 * time.Second,
			why: "an event meets several such waits, and the promise is 100 ms for them all",
		},
		{
			name: "propagation", what: "propagation p99", read: (*sample).slowest, unit: millis,
			from: thresholds{shed: late, conserve: 5 * late}, calm: .7, after: 12 * time.Second,
			why: "the promise; for longer than it looks back, so that one hiccup does not count",
		},
		{
			name: "delay", what: "propagation p50", read: (*sample).median, unit: millis,
			from: thresholds{polling: 30 * late}, calm: .7, after: 12 * time.Second,
			why: "streams that are late for most are worth less than polls; that they are late for some may be their networks",
		},
	}
}

const (
	// fewestLate is how many timed writes there must be for a percentile.
	fewestLate = 100
	// fewestPublishes is how many there must be for their share.
	fewestPublishes = 50
)

// A sample is what signals look at.
type sample struct {
	breaker      nave.Level // the worst that one asks for
	breakerNames []string   // of those that ask for it

	journal, journalLimit int64
	clients, clientsLimit int64
	heap, budget          int64
	scheduling            time.Duration

	recent telemetry.Recent // ten seconds
}

func (s *sample) breakersAsk() (float64, bool) { return float64(s.breaker.Number()), true }
func (s *sample) journalFill() (float64, bool) { return part(s.journal, s.journalLimit) }
func (s *sample) clientsFill() (float64, bool) { return part(s.clients, s.clientsLimit) }
func (s *sample) heapFill() (float64, bool)    { return part(s.heap, s.budget) }
func (s *sample) wait() (float64, bool)        { return s.scheduling.Seconds(), true }
func (s *sample) slowest() (float64, bool)     { return s.propagation(.99) }
func (s *sample) median() (float64, bool)      { return s.propagation(.5) }

func (s *sample) refusedShare() (float64, bool) {
	all := s.recent.Publishes + s.recent.Refused
	return float64(s.recent.Overloaded) / float64(max(all, 1)), all >= fewestPublishes
}

func (s *sample) propagation(q float64) (float64, bool) {
	l := &s.recent.Propagation
	return l.Quantile(q).Seconds(), l.Count() >= fewestLate
}

func part(n, of int64) (float64, bool) { return float64(n) / float64(max(of, 1)), of > 0 }

// of is the level that a value asks for.
func (t *thresholds) of(value float64) (asks nave.Level, limit float64) {
	for i, limit := range []float64{t.off, t.polling, t.conserve, t.shed} {
		if limit > 0 && value >= limit {
			return nave.Levels[len(nave.Levels)-1-i], limit
		}
	}
	return nave.LevelNormal, 0
}

// times scales all of them.
func (t thresholds) times(f float64) thresholds {
	return thresholds{t.shed * f, t.conserve * f, t.polling * f, t.off * f}
}

// look is what the signal says of a sample, for the machine and for people.
func (s *signal) look(at *sample) (reading, *Signal) {
	value, ok := s.read(at)
	if !ok {
		return reading{nave.LevelNormal, s.after, nave.LevelNormal}, nil
	}
	asks, limit := s.from.of(value)
	calm := s.from.times(s.calm)
	holds, still := calm.of(value)
	r := reading{asks, s.after, holds.Worse(asks)}
	switch {
	case asks != nave.LevelNormal:
		return r, &Signal{s.name, asks, s.detail(at, value, "at least", limit)}
	case holds != nave.LevelNormal:
		return r, &Signal{s.name, holds, s.detail(at, value, "not below", still)}
	}
	return r, nil
}

func (s *signal) detail(at *sample, value float64, relation string, limit float64) string {
	if s.unit == byLevel {
		return "open: " + strings.Join(at.breakerNames, ", ")
	}
	return fmt.Sprintf("%s is %s, %s %s", s.what, s.unit.text(value), relation, s.unit.text(limit))
}

// A unit is how values are said.
type unit int

const (
	share   unit = iota // a part of 1
	millis              // seconds, said in milliseconds
	byLevel             // numbers of levels
)

func (u unit) text(value float64) string {
	switch u {
	case share:
		return figure(100*value) + " %"
	case millis:
		return figure(1000*value) + " ms"
	default:
		return string(nave.Levels[int(value)])
	}
}

// figure is a value in three digits, or in more if it is larger.
func figure(x float64) string {
	decimals := 2
	for limit := 10.0; x >= limit && decimals > 0; limit *= 10 {
		decimals--
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if decimals > 0 {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}
