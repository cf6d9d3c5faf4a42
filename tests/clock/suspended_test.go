package clock

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// A suspension stops the hub for a while, each time with publishers and followers
// at work.
type suspension struct {
	stops []time.Duration

	before    use
	naps      []nap
	published int
	retried   int
	ended     int
	found     *history.Findings
}

// A nap is what follows a stop.
type nap struct {
	ready time.Duration // until the hub says that it is
	beats int           // the most that a follower got in the first second
	use   use           // of the five seconds after the first
}

func (s *suspension) try(t *testing.T) {
	hub := trial.CheckedHub(t, "NAVE_CLIENT_HEARTBEAT=1s")
	l := begin(t, hub, time.Second)
	s.before = l.spend(3 * time.Second)
	for i, d := range s.stops {
		s.naps = append(s.naps, l.nap(d))
		t.Logf("stop %d of %d, for %v", i+1, len(s.stops), d)
	}
	l.end()
	s.published, s.retried = l.count()
	s.ended = l.streamsEnded()
	s.found = verdict(t, l.record)
	s.judge(t)
}

// nap stops the hub, and watches what follows.
func (l *load) nap(d time.Duration) (n nap) {
	signal(l.t, l, syscall.SIGSTOP)
	time.Sleep(d)
	at := time.Now()
	signal(l.t, l, syscall.SIGCONT)
	if status, text := trial.Get(l.t, l.hub, "/readyz"); status != http.StatusOK {
		l.t.Errorf("after a stop of %v the hub is not ready: %d %s", d, status, text)
	}
	n.ready = time.Since(at)
	time.Sleep(time.Until(at.Add(time.Second)))
	n.use = l.spend(5 * time.Second)
	_, n.beats = beatsOfAll(l.all, at, time.Second)
	return n
}

func signal(t *testing.T, l *load, s syscall.Signal) {
	t.Helper()
	if err := l.hub.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (s *suspension) judge(t *testing.T) {
	for i, n := range s.naps {
		if n.beats > 2 {
			t.Errorf("stop %d: a follower got %d heartbeats in the second after it, want one a second", i+1, n.beats)
		}
		if n.use.cpu > n.use.of/2 {
			t.Errorf("stop %d: the hub took %v of %v after it", i+1, n.use.cpu, n.use.of)
		}
	}
	if s.retried == 0 {
		t.Error("no publish was tried again: nobody has noticed that the hub stood still")
	}
}

func (s *suspension) describe(table *trial.Table) {
	if s.found == nil {
		return
	}
	table.Row(fmt.Sprintf("hub suspended for %v", s.stops), "", "")
	table.Row("– events; tries of publishers that got no answer", "; some", "%d; %d", s.published, s.retried)
	table.Row("– lost, double, moved, resets, in deliveries", "nothing", "%s", inShort(s.found))
	table.Row("– streams ended", "0", "%d of %d", s.ended, followers)
	for _, n := range s.naps {
		table.Row("– ready after", "", "%v", n.ready.Round(time.Millisecond))
		table.Row("– heartbeats of a client in the second after, at most", "2", "%d", n.beats)
		table.Row("– hub's processor before, and a second after", "< 50 % after", "%v; %v", s.before, n.use)
	}
}
