package nave

import "slices"

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
	// TransientEvents are accepted, and delivered to whoever is there.
	TransientEvents Feature = "transient events"
	// Streams are live connections.
	Streams Feature = "streams"
	// Pages are polls, long-polls and state.
	Pages Feature = "pages"
)

// givenUp has, for each feature, the first level that is without it.
var givenUp = map[Feature]Level{
	TransientEvents: LevelShed,
	Streams:         LevelPolling,
	Pages:           LevelOff,
}

// Has reports whether there is the feature at this level.
func (l Level) Has(f Feature) bool { return !l.AtLeast(givenUp[f]) }

// AtLeast reports whether the level is as bad as another, or worse.
func (l Level) AtLeast(other Level) bool {
	return slices.Index(Levels, l) >= slices.Index(Levels, other)
}

// Worse is the worse of two levels.
func (l Level) Worse(other Level) Level {
	if l.AtLeast(other) {
		return l
	}
	return other
}

// ParseLevel reads the name of a level. The error has [CodeInvalid].
func ParseLevel(s string) (Level, error) {
	if l := Level(s); slices.Contains(Levels, l) {
		return l, nil
	}
	return "", Errorf(CodeInvalid, "level %.40q is unknown: there are normal, shed, conserve, polling and off", s)
}
