package hub

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

var begin = time.Unix(1_700_000_000, 0)

// A looked is one look of a machine, as the test remembers it.
type looked struct {
	at       time.Time
	readings []reading
}

func drawLevel(t *rapid.T, what string) nave.Level {
	return rapid.SampledFrom(nave.Levels).Draw(t, what)
}

// drawReadings changes some of what signals say, and leaves the rest as it was.
func drawReadings(t *rapid.T, before []reading) []reading {
	readings := append([]reading(nil), before...)
	for i := range readings {
		if rapid.IntRange(0, 3).Draw(t, "stays") > 0 {
			continue
		}
		r := &readings[i]
		r.asks = drawLevel(t, "asks").Better(drawLevel(t, "asks for less")) // most often for little
		r.holds = r.asks.Worse(drawLevel(t, "holds").Better(drawLevel(t, "holds less")))
	}
	return readings
}

// askedSince is how long some signal has asked for a level without a break, for which it
// had to ask for no longer.
func askedLongEnough(past []looked, level nave.Level) bool {
	now := past[len(past)-1]
	for i := range now.readings {
		since := time.Time{}
		for n := len(past) - 1; n >= 0 && past[n].readings[i].asks.AtLeast(level); n-- {
			since = past[n].at
		}
		if !since.IsZero() && now.at.Sub(since) >= now.readings[i].after {
			return true
		}
	}
	return false
}

// calmFor is for how long no signal has held a level.
func calmFor(past []looked, level nave.Level) time.Duration {
	now := past[len(past)-1].at
	since := now
	for n := len(past) - 1; n >= 0; n-- {
		for _, r := range past[n].readings {
			if r.holds.AtLeast(level) {
				return now.Sub(since)
			}
		}
		since = past[n].at
	}
	return now.Sub(since)
}

// Whatever signals say: one level at a time, never two changes within the dwell time,
// for the worse only what has been asked for long enough, for the better only what has
// been calm for long enough, never better than is configured, and never another than is
// pinned. Once all is calm it is normal again.
func TestMachineKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		config := Levels{Hold: time.Duration(rapid.IntRange(2, 30).Draw(t, "hold")) * time.Second}
		floor := nave.LevelNormal
		if rapid.IntRange(0, 3).Draw(t, "floored") == 0 {
			floor = drawLevel(t, "floor")
		}
		now := begin
		m := newMachine(config, floor, now)
		changed, pinned := now, nave.Level("")
		readings := make([]reading, 3)
		for i := range readings {
			after := time.Duration(rapid.IntRange(0, 8).Draw(t, "after")) * time.Second
			readings[i] = reading{nave.LevelNormal, after, nave.LevelNormal}
		}
		var past []looked
		for range rapid.IntRange(1, 150).Draw(t, "looks") {
			now = now.Add(time.Duration(rapid.IntRange(200, 3000).Draw(t, "pause")) * time.Millisecond)
			before := m.level
			switch rapid.IntRange(0, 30).Draw(t, "operator") {
			case 0:
				pinned = drawLevel(t, "pin")
				m.pin(pinned, now)
			case 1:
				pinned = ""
				if m.lift(now); m.level != before && m.level.AtLeast(before) {
					t.Fatalf("lifting a pin makes %s of %s", m.level, before)
				}
			}
			if m.level != before {
				changed, before = now, m.level
			}
			readings = drawReadings(t, readings)
			past = append(past, looked{now, readings})
			did := m.step(now, readings)
			if did != (m.level != before) {
				t.Fatalf("step says %v, of %s after %s", did, m.level, before)
			}
			if did {
				judge(t, &m, before, now.Sub(changed), past)
				changed = now
			}
			switch {
			case !m.level.AtLeast(floor):
				t.Fatalf("%s is better than %s", m.level, floor)
			case pinned != "" && m.level != pinned.Worse(floor):
				t.Fatalf("%s, though %s is pinned", m.level, pinned)
			case m.rest < config.Hold || m.rest > longestHold*config.Hold:
				t.Fatalf("a hold of %v", m.rest)
			case m.since != changed:
				t.Fatalf("%s since %v, want %v", m.level, m.since, changed)
			}
		}
		m.lift(now)
		for i := range readings {
			readings[i].asks, readings[i].holds = nave.LevelNormal, nave.LevelNormal
		}
		for end := now.Add(5 * longestHold * config.Hold); now.Before(end); now = now.Add(time.Second) {
			m.step(now, readings)
		}
		if m.level != floor {
			t.Fatalf("%s, long after all is calm", m.level)
		}
	})
}

func judge(t *rapid.T, m *machine, before nave.Level, held time.Duration, past []looked) {
	switch by := m.level.Number() - before.Number(); {
	case by == 1:
		if held < dwell {
			t.Fatalf("%s after %s was held for %v", m.level, before, held)
		}
		if !askedLongEnough(past, m.level) {
			t.Fatalf("nobody has asked for %s long enough", m.level)
		}
	case by == -1:
		if calm := calmFor(past, before); held < m.rest || calm < m.rest {
			t.Fatalf("%s after %s was held for %v, and calm for %v, with %v to wait", m.level, before, held, calm, m.rest)
		}
	default:
		t.Fatalf("%s after %s: %d levels at once", m.level, before, by)
	}
}

// says has a machine hear the same for a while, once a second, and returns the levels
// that it comes to.
func (m *machine) says(now *time.Time, asks, holds nave.Level, after, d time.Duration) (levels []nave.Level) {
	for end := now.Add(d); now.Before(end); {
		*now = now.Add(time.Second)
		if m.step(*now, []reading{{asks, after, holds}}) {
			levels = append(levels, m.level)
		}
	}
	return levels
}

// A signal that comes and goes does not have the level do the same: it is held for
// longer each time, up to a bound, and is forgotten after a quiet while.
func TestMachineDoesNotFlap(t *testing.T) {
	now, normal, shed := begin, nave.LevelNormal, nave.LevelShed
	m := newMachine(Levels{Hold: 15 * time.Second}, normal, now)
	m.says(&now, normal, normal, 0, time.Minute)
	changes := 0
	for range 200 { // an hour and a half
		changes += len(m.says(&now, shed, shed, 0, 3*time.Second))
		changes += len(m.says(&now, normal, normal, 0, 25*time.Second))
	}
	if changes > 3 || m.level != shed || m.rest != 30*time.Second {
		t.Errorf("%d changes, and %s with a hold of %v: want it to stay", changes, m.level, m.rest)
	}
	for range 20 {
		m.says(&now, normal, normal, 0, m.rest+5*time.Second)
		m.says(&now, shed, shed, 0, 5*time.Second)
	}
	if m.rest != 2*time.Minute {
		t.Errorf("a hold of %v after many relapses, want 2 minutes at most", m.rest)
	}
	m.says(&now, normal, normal, 0, time.Hour)
	if m.says(&now, shed, shed, 0, 5*time.Second); m.rest != 15*time.Second {
		t.Errorf("a hold of %v after a quiet hour, want 15 s again", m.rest)
	}
}

// What is close to a threshold does not change the level, but keeps it.
func TestMachineIsHeldByWhatIsClose(t *testing.T) {
	now, normal, shed := begin, nave.LevelNormal, nave.LevelShed
	m := newMachine(Levels{Hold: 15 * time.Second}, normal, now)
	if got := m.says(&now, normal, shed, 0, time.Hour); len(got) > 0 {
		t.Errorf("it becomes %v", got)
	}
	m.says(&now, shed, shed, 0, 5*time.Second)
	if got := m.says(&now, normal, shed, 0, time.Hour); len(got) > 0 || m.level != shed {
		t.Errorf("it becomes %v", got)
	}
	if got := m.says(&now, normal, normal, 0, 17*time.Second); len(got) != 1 || m.level != normal {
		t.Errorf("it becomes %v once it is calm", got)
	}
}

// A breaker is heard at once, and what asks for the worst gets there level by level.
func TestMachineGoesLevelByLevel(t *testing.T) {
	now := begin
	m := newMachine(Levels{Hold: 15 * time.Second}, nave.LevelNormal, now)
	m.says(&now, nave.LevelNormal, nave.LevelNormal, 0, time.Minute)
	begun := now
	var after []time.Duration
	for m.level != nave.LevelOff {
		if got := m.says(&now, nave.LevelOff, nave.LevelOff, 0, time.Second); len(got) > 0 {
			after = append(after, now.Sub(begun))
		}
	}
	for i, want := range []time.Duration{1, 3, 5, 7} {
		if after[i] != want*time.Second {
			t.Errorf("the levels get worse after %v, want 1, 3, 5 and 7 seconds", after)
			break
		}
	}
	if got := m.says(&now, nave.LevelNormal, nave.LevelNormal, 0, 70*time.Second); len(got) != 4 || got[0] != nave.LevelPolling {
		t.Errorf("and then %v", got)
	}
}

// When a pin is lifted, what nothing speaks against any more is over at once, and what
// speaks for worse is not jumped to.
func TestMachineAfterAPin(t *testing.T) {
	now, normal, conserve, polling := begin, nave.LevelNormal, nave.LevelConserve, nave.LevelPolling
	m := newMachine(Levels{Hold: 15 * time.Second}, normal, now)
	m.pin(polling, now)
	m.says(&now, conserve, conserve, 0, time.Minute)
	if m.lift(now); m.level != conserve {
		t.Errorf("%s, want what is asked for", m.level)
	}
	m.pin(normal, now)
	if got := m.says(&now, polling, polling, 0, time.Minute); len(got) > 0 {
		t.Errorf("%v, though normal is pinned", got)
	}
	if m.lift(now); m.level != normal {
		t.Errorf("%s at once", m.level)
	}
	if got := m.says(&now, polling, polling, 0, 10*time.Second); len(got) != 3 || got[0] != nave.LevelShed {
		t.Errorf("%v, want three steps", got)
	}
}
