package clock

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

const (
	// window is how long heartbeats, one a second, and processor time are watched
	// after a jump.
	window = 10 * time.Second
	// hold is how long the clock stays where it is: the hub applies retention every
	// ten seconds, within it once in any case.
	hold = 11 * time.Second
	// pollFor is how long a long-poll waits, during which the clock jumps.
	pollFor = 5 * time.Second
)

// A trip is where the wall clock goes, one jump after the other, and what came of it.
type trip struct {
	name    string
	first   time.Duration // before anything is published
	flutter int           // how often the clock then goes a day ahead, and back at once
	jumps   []time.Duration

	skipped   string
	published []string // events, before the first jump and after each
	before    use
	legs      []leg
	repeats   int
	forgotten int
	ended     int // streams
	found     *history.Findings
}

// A leg is what follows a jump.
type leg struct {
	beats [2]int // fewest and most of a follower
	use   use
	poll  time.Duration
	rated flood
	off   time.Duration // of an event's time from the wall clock
}

// use is processor time.
type use struct{ cpu, of time.Duration }

func (u use) String() string { return fmt.Sprintf("%.0f %%", 100*u.cpu.Seconds()/u.of.Seconds()) }

func (tr *trip) try(t *testing.T) {
	hub := tr.start(t)
	first := ask(t, hub, "", 0, "clock/*").Cursor
	l := begin(t, hub, 10*time.Second)
	tr.before = l.spend(3 * time.Second)
	tr.count(l)
	tr.travel(l)
	l.end()
	l.readAgain(first)
	tr.ended = l.streamsEnded()
	tr.found = verdict(t, l.record)
	tr.judge(t)
}

func (tr *trip) start(t *testing.T) *harness.Process {
	t.Helper()
	hub := trial.CheckedHub(t,
		"NAVE_CLIENT_HEARTBEAT=1s",
		fmt.Sprintf("NAVE_TOPICS=[{filter: rated/*, rate: %d, burst: %d}]", ratedAt, ratedAt))
	switch err := hub.Jump(tr.first); {
	case errors.Is(err, errors.ErrUnsupported):
		tr.skipped = err.Error()
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	return hub
}

// travel makes the jumps, and looks at what follows each of them.
func (tr *trip) travel(l *load) {
	for range tr.flutter {
		for _, by := range []time.Duration{day, -day} {
			jump(l.t, l.hub, by)
			time.Sleep(50 * time.Millisecond) // not to stop the hub all the time
		}
	}
	shift := tr.first
	for i, by := range tr.jumps {
		shift += by
		tr.legs = append(tr.legs, l.jump(by, shift))
		n, forgotten := l.repeat()
		tr.repeats, tr.forgotten = tr.repeats+n, tr.forgotten+forgotten
		tr.count(l)
		l.t.Logf("%s: jump %d of %d: %s events", tr.name, i+1, len(tr.jumps), tr.published[len(tr.published)-1])
	}
}

// readAgain follows from a cursor that is as old as the log: everything must still
// be there.
func (l *load) readAgain(cursor string) {
	l.t.Helper()
	f := &follower{filters: []string{"clock/*"}, http: streams, owed: true, cursor: cursor}
	f.notes = noted(l.t, l.record, "one that comes back with the first cursor", f.filters)
	if told := f.begin(l.t, l.hub); told != "recovered" {
		l.t.Errorf("who comes back with the first cursor is told %q, want recovered", told)
		return
	}
	f.reach(l.t, l.all[0].at())
}

// count notes how many events there are by now.
func (tr *trip) count(l *load) {
	n, _ := l.count()
	tr.published = append(tr.published, fmt.Sprint(n))
}

func jump(t *testing.T, hub *harness.Process, by time.Duration) {
	t.Helper()
	if err := hub.Jump(by); err != nil {
		t.Fatal(err)
	}
}

// jump moves the clock, by now away from the real one by shift, and watches what
// follows.
func (l *load) jump(by, shift time.Duration) (g leg) {
	poll := make(chan time.Duration, 1)
	cursor := ask(l.t, l.hub, "", 0, "quiet/*").Cursor
	l.work.Go(func() {
		start := time.Now()
		if p := ask(l.t, l.hub, cursor, pollFor, "quiet/*"); len(p.Events) > 0 {
			l.t.Errorf("a poll of a quiet topic answers %+v", p)
		}
		poll <- time.Since(start)
	})
	time.Sleep(pollFor / 10) // well within the poll
	at := time.Now()
	jump(l.t, l.hub, by)
	after := make(chan use, 1)
	l.work.Go(func() { after <- l.spend(window) })
	g.rated = overflow(l.t, l.hub, 3*time.Second)
	g.off = l.eventTime().Sub(time.Now().Add(shift))
	g.poll, g.use = <-poll, <-after
	time.Sleep(time.Until(at.Add(trial.Pick(hold, 2*hold))))
	g.beats[0], g.beats[1] = beatsOfAll(l.all, at, window)
	return g
}

// spend measures the hub's processor time for as long as d.
func (l *load) spend(d time.Duration) use {
	start := time.Now()
	before, err1 := l.hub.Usage()
	time.Sleep(d)
	after, err2 := l.hub.Usage()
	if err := errors.Join(err1, err2); err != nil {
		l.t.Error(err)
	}
	return use{after.CPU - before.CPU, time.Since(start)}
}

// eventTime is the time that the hub gives an event now.
func (l *load) eventTime() time.Time {
	l.t.Helper()
	cursor := ask(l.t, l.hub, "", 0, "time/*").Cursor
	trial.Publish(l.t, l.hub, harness.Event{Topic: "time/1", Type: "tick"})
	page := ask(l.t, l.hub, cursor, pollFor, "time/*")
	if len(page.Events) != 1 {
		l.t.Fatalf("a page of one event has %+v", page)
	}
	return page.Events[0].Time
}

// beats are how many heartbeats a follower may get in the window. A busy machine
// makes them fewer, but for a clock that stands still they would be one at most,
// and hundreds to make up for days.
func beats() (low, high int) { return trial.Pick(4, 6), 12 }

func (tr *trip) judge(t *testing.T) {
	fewest, most := beats()
	for i, g := range tr.legs {
		if g.beats[0] < fewest || g.beats[1] > most {
			t.Errorf("jump %d: followers got %d to %d heartbeats in the %v after it, want one a second", i+1, g.beats[0], g.beats[1], window)
		}
		if g.use.cpu > g.use.of/2 {
			t.Errorf("jump %d: the hub took %v of %v after it", i+1, g.use.cpu, g.use.of)
		}
		if g.poll < pollFor-time.Second || g.poll > 2*pollFor {
			t.Errorf("jump %d: a poll that waits for %v was answered after %v", i+1, pollFor, g.poll)
		}
		if low, high := g.rated.bounds(); g.rated.accepted < low || g.rated.accepted > high {
			t.Errorf("jump %d: a topic with a rate accepted %d of %d events in %v, want %d to %d",
				i+1, g.rated.accepted, g.rated.tried, g.rated.took, low, high)
		}
		if g.off.Abs() > 5*time.Second {
			t.Errorf("jump %d: an event's time is %v off the wall clock", i+1, g.off)
		}
	}
	if tr.forgotten > 0 {
		t.Errorf("%d of %d ids that were published once more are forgotten", tr.forgotten, tr.repeats)
	}
}

func (tr *trip) describe(table *trial.Table) {
	if tr.skipped != "" {
		table.Row(tr.name, "", "not tried: %s", tr.skipped)
	}
	if tr.found == nil {
		return
	}
	table.Row(tr.name, "", "")
	table.Row("– events before, and after each jump", "", "%s", strings.Join(tr.published, ", "))
	table.Row("– lost, double, moved, resets, in deliveries", "nothing", "%s", inShort(tr.found))
	table.Row("– streams ended; ids forgotten", "0; 0", "%d of %d; %d of %d", tr.ended, followers, tr.forgotten, tr.repeats)
	fewest, most := beats()
	table.Row("– heartbeats of a client in the 10 s after", fmt.Sprintf("%d to %d", fewest, most), "%s", tr.each(func(g leg) string {
		return fmt.Sprintf("%d to %d", g.beats[0], g.beats[1])
	}))
	table.Row("– a long-poll of 5 s", "4 s to 10 s", "%s", tr.each(func(g leg) string { return fmt.Sprintf("%.1f s", g.poll.Seconds()) }))
	table.Row("– an event's time, off the wall clock", "< 5 s", "%s", tr.each(func(g leg) string { return g.off.Round(10 * time.Millisecond).String() }))
	low, high := tr.legs[0].rated.bounds()
	table.Row("– accepted in 3 s by a topic of 20/s, burst 20", fmt.Sprintf("about %d to %d", low, high), "%s",
		tr.each(func(g leg) string { return fmt.Sprint(g.rated.accepted) }))
	table.Row("– hub's processor before, and after", "< 50 % after", "%v; %s", tr.before, tr.each(func(g leg) string { return g.use.String() }))
}

// each is what there is to say of every leg.
func (tr *trip) each(say func(leg) string) string {
	var all []string
	for _, g := range tr.legs {
		all = append(all, say(g))
	}
	return strings.Join(all, "; ")
}
