package nave

import (
	"slices"
	"time"
)

// Level is the service level that the hub holds.
type Level string

const (
	// LevelNormal: everything works.
	LevelNormal Level = "normal"
	// LevelShed gives up what is worth least.
	LevelShed Level = "shed"
	// LevelConserve gives up what is not needed to be right in the end.
	LevelConserve Level = "conserve"
	// LevelPolling gives up streams. Pages go on, with the same cursors.
	LevelPolling Level = "polling"
	// LevelOff gives up all reading. Durable events are still accepted.
	LevelOff Level = "off"
)

// Levels are all of them, from best to worst. Each gives up what those before it do.
var Levels = []Level{LevelNormal, LevelShed, LevelConserve, LevelPolling, LevelOff}

// A Feature is what a level may give up.
type Feature string

const (
	// Receipts are asked for, of what clients have received.
	Receipts Feature = "receipts"
	// TransientEvents are accepted, and delivered to whoever is there.
	TransientEvents Feature = "transient events"
	// EveryVersion of a key reaches those who catch up, not the latest alone.
	EveryVersion Feature = "every version"
	// QuickHeartbeats come as often as is configured.
	QuickHeartbeats Feature = "quick heartbeats"
	// LongReplays go back as far as retention does.
	LongReplays Feature = "long replays"
	// Streams are live connections.
	Streams Feature = "streams"
	// Pages are polls, long-polls and state.
	Pages Feature = "pages"
)

// A Loss is a feature that is given up.
type Loss struct {
	Feature Feature
	// At is the first level that is without it.
	At Level
	// Instead is what those get who would have it.
	Instead string
}

// Losses are all that is given up, in order. To publish durable events is not among
// them.
var Losses = []Loss{
	{Receipts, LevelShed, "none are asked for, and those that come are left out"},
	{TransientEvents, LevelShed, "they are refused, and nobody waits for them; all other events go on"},
	{EveryVersion, LevelConserve, "a stream that catches up gets, of a key's events in one page, the latest; batches stay whole"},
	{QuickHeartbeats, LevelConserve, "they come three times slower, and say how often"},
	{LongReplays, LevelConserve, "a cursor more than 100,000 events behind what is in memory is told `reset`, for `degraded`"},
	{Streams, LevelPolling, "they are told `hub.level` with `poll`, then `hub.bye`; pages go on, with the same cursors"},
	{Pages, LevelOff, "polls and state are refused; durable events are still accepted"},
}

// Has reports whether there is the feature at this level.
func (l Level) Has(f Feature) bool {
	for i := range Losses {
		if Losses[i].Feature == f {
			return !l.AtLeast(Losses[i].At)
		}
	}
	return true
}

// SlowHeartbeats is how many times slower they are without [QuickHeartbeats].
const SlowHeartbeats = 3

// Heartbeat is how often heartbeats come at this level, given how often they usually do.
func (l Level) Heartbeat(usual time.Duration) time.Duration {
	if l.Has(QuickHeartbeats) {
		return usual
	}
	return SlowHeartbeats * usual
}

// Number is the level's place: 0 is normal, 4 is off.
func (l Level) Number() int { return slices.Index(Levels, l) }

// AtLeast reports whether the level is as bad as another, or worse.
func (l Level) AtLeast(other Level) bool {
	return l.Number() >= other.Number()
}

// Worse is the worse of two levels.
func (l Level) Worse(other Level) Level {
	if l.AtLeast(other) {
		return l
	}
	return other
}

// Better is the better of two levels.
func (l Level) Better(other Level) Level {
	if l.AtLeast(other) {
		return other
	}
	return l
}

// ParseLevel reads the name of a level. The error has [CodeInvalid].
func ParseLevel(s string) (Level, error) {
	if l := Level(s); slices.Contains(Levels, l) {
		return l, nil
	}
	return "", Errorf(CodeInvalid, "level %.40q is unknown: there are normal, shed, conserve, polling and off", s)
}
