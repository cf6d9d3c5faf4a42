//go:build linux

package mode

import (
	"testing"
	"time"

	"github.com/navehub/nave/bench/load"
	"github.com/navehub/nave/bench/server"
	"github.com/navehub/nave/tests/harness"
)

// What waits for a connection counts from when it was due.
func TestRequestsKeepTheirDueTimes(t *testing.T) {
	o := steady{trial: &trial{pubs: new(load.Publishers), topics: load.Topics{N: 2}}}
	for due := range int64(3) {
		o.due(due)
	}
	for due := range int64(3) {
		var q load.Request
		if !o.take(&q) || q.Due != due || q.Topic != int(due%2) {
			t.Errorf("number %d is of topic %d, and due at %d", due, q.Topic, q.Due)
		}
	}
}

func TestFiguresOfASpan(t *testing.T) {
	s := span{wall: 2 * time.Second, cpu: time.Second, load: 500 * time.Millisecond, accepted: 1000, usage: harness.Usage{RSS: 3e6, PeakRSS: 4e6}}
	got := new(trial).figures(s)
	for key, want := range (Figures{"accepted": 500, "cpu event": 1000, "cpu": 50, "load": 25, "rss": 3, "peak": 4}) {
		if got[key] != want {
			t.Errorf("%s is %g, want %g", key, got[key], want)
		}
	}
}

// usingKit is of a server that uses more, and by so much, each time it is asked.
func usingKit(first, more harness.Usage) *server.Kit {
	k := flawedKit("")
	stand := k.Stand
	k.Stand = func(name, data string) (string, server.Process, error) {
		addr, p, err := stand(name, data)
		now := first
		p.(*flawed).usage = func() harness.Usage {
			was := now
			now.RSS, now.PeakRSS, now.CPU = now.RSS+more.RSS, now.PeakRSS+more.PeakRSS, now.CPU+more.CPU
			return was
		}
		return addr, p, err
	}
	return k
}

// What the server used between the beginning and the end is all told, and nothing
// that it used before.
func TestUseIsThatOfTheSpan(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mode, args string
		more       harness.Usage
		want       Figures
	}{
		{"reconnect", "-clients 10 -topics 2 -missed 20 -times 1", harness.Usage{CPU: time.Second / 2}, Figures{"cpu million": 0.5 / 200 * 1e6}},
		{"idle", "-clients 20 -topics 5 -settle 10ms", harness.Usage{RSS: 20 * 4000, PeakRSS: 1e6}, Figures{"connection": 4, "before": 10, "rss": 10.08, "peak": 13}},
	} {
		one, _ := casesOf(t, c.mode, c.args)[0].Of([]string{server.Hub})
		s := once(t, one, usingKit(harness.Usage{RSS: 10e6, PeakRSS: 12e6, CPU: time.Minute}, c.more))
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		for key, want := range c.want {
			if got := s.Rounds[server.Hub][0][key]; got != want {
				t.Errorf("%s of %s is %g, want %g", key, c.mode, got, want)
			}
		}
	}
}
