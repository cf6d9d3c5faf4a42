//go:build linux

package mode

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/bench/server"
)

// What is said of each defect of [flawed]: one of these.
var defects = map[string][]string{
	"lost":      {"it must be"},
	"unstored":  {"it must be"},
	"unkept":    {"it must be"},
	"unsynced":  {"after kill -9: what was accepted is read back", "it must be"},
	"doubled":   {"it must rise", "came after"},
	"exchanged": {"not those that were accepted at these offsets", "came after"},
}

// Every mode notices every defect that it can meet.
func TestDefectsAreFound(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, servers, defects string }{
		{"idle -clients 20 -topics 5 -settle 10ms", "hub hub-transient", "lost unstored doubled"},
		{"latency -clients 12 -topics 3 -rate 400 -connections 1 -for 100ms", "hub hub-transient", "lost doubled exchanged"},
		{"fanout -clients 5 -inflight 8 -for 500ms", "hub", "lost doubled exchanged"},
		{"publish -topics 5 -connections 1 -array 10 -window 8 -for 300ms", "hub hub-tokens", "lost unstored unkept doubled exchanged unsynced"},
		{"publish -topics 5 -connections 1 -array 10 -window 8 -for 300ms", "hub-memory hub-transient", "lost unstored doubled exchanged"},
		{"publish -topics 5 -connections 1 -array 10 -window 8 -for 300ms", "hub-memory", "unkept"},
		{"reconnect -clients 10 -topics 2 -missed 20 -times 1", "hub hub-memory", "lost unkept doubled exchanged"},
		{"reconnect -clients 10 -topics 2 -missed 20 -restart", "hub", "lost unkept doubled exchanged"},
		{"churn -clients 5 -visitors 8 -visits 100 -topics 2 -rate 400 -for 50ms", "hub", "lost unstored doubled exchanged"},
		{"topics -topics 2 -rate 400 -connections 4 -for 50ms", "hub", "lost doubled exchanged"},
		{"wildcard -clients 2 -rate 400 -connections 4 -for 50ms", "hub", "lost doubled exchanged"},
		{"start -events 2000 -times 1", "hub", "lost unstored doubled exchanged unsynced"},
	} {
		mode, args, _ := strings.Cut(c.line, " ")
		for _, defect := range strings.Fields(c.defects) {
			for _, one := range casesOf(t, mode, args) {
				for _, name := range strings.Fields(c.servers) {
					if one.Name == "start empty" || one.Able != nil && !slices.Contains(one.Able, name) {
						continue
					}
					t.Run(one.Name+"/"+name+"/"+defect, func(t *testing.T) {
						t.Parallel()
						k := flawedKit(defect)
						switch defect { // what is missing is waited for
						case "lost", "unstored":
							k.Patience = 500 * time.Millisecond
						case "unkept", "unsynced":
							k.Patience = 2 * time.Second
						}
						fails(t, one, name, k, defects[defect]...)
					})
				}
			}
		}
	}
}

// fails insists that the case does, with one of these words.
func fails(t *testing.T, c Case, name string, k *server.Kit, words ...string) {
	t.Helper()
	c, _ = c.Of([]string{name})
	err := once(t, c, k).Err()
	if err == nil || !slices.ContainsFunc(words, func(want string) bool { return strings.Contains(err.Error(), want) }) {
		t.Errorf("%s of %s: got %v, want one that says %q", c.Name, name, err, words)
	}
}

// What stands for a hub has no defect but those that it was given.
func TestServersWithoutDefectPass(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"idle -clients 20 -topics 5 -settle 10ms",
		"latency -clients 12 -topics 3 -rate 400 -connections 1 -for 100ms",
		"fanout -clients 5 -inflight 8 -for 500ms",
		"publish -topics 5 -connections 1 -array 10 -window 8 -for 300ms",
		"reconnect -clients 10 -topics 2 -missed 20 -times 1",
		"reconnect -clients 10 -topics 2 -missed 20 -restart",
		"churn -clients 5 -visitors 8 -visits 100 -topics 2 -rate 400 -for 50ms",
		"topics -topics 2 -rate 400 -connections 4 -for 50ms",
		"wildcard -clients 2 -rate 400 -connections 4 -for 50ms",
		"start -events 2000 -times 1",
	} {
		mode, args, _ := strings.Cut(line, " ")
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			for _, one := range casesOf(t, mode, args) {
				one, _ = one.Of([]string{server.Hub, server.Memory, server.Transient})
				if err := once(t, one, flawedKit("")).Err(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// slowKit is of a server that lets each event wait.
func slowKit(wait func(n int) time.Duration) *server.Kit {
	k := flawedKit("")
	stand := k.Stand
	k.Stand = func(name, data string) (string, server.Process, error) {
		addr, p, err := stand(name, data)
		p.(*flawed).wait = wait
		return addr, p, err
	}
	return k
}

// What is due within the window and under way at its end counts.
func TestWhatIsUnderWayAtTheEndCounts(t *testing.T) {
	t.Parallel()
	k := slowKit(func(n int) time.Duration {
		if 194 <= n && n < 200 {
			return 300 * time.Millisecond
		}
		return 0
	})
	c, _ := casesOf(t, "latency", "-preset thousand -clients 1 -topics 1 -rate 1000 -for 100ms")[0].Of([]string{server.Hub})
	s := once(t, c, k)
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"latency p99", "ack p99"} {
		if p99 := s.values(server.Hub, key); p99[0] < 200 {
			t.Errorf("%s is %g ms, although 6 events of 100 took 300", key, p99[0])
		}
	}
}

func TestARateThatIsNotKeptFails(t *testing.T) {
	o := steady{rate: 100}
	for accepted, kept := range map[int64]bool{0: false, 193: false, 195: true, 210: true} {
		if err := o.kept(span{wall: 2 * time.Second, accepted: accepted}); (err == nil) != kept {
			t.Errorf("%d events of 200: %v", accepted, err)
		}
	}
}
