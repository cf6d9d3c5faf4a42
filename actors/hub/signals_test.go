package hub

import (
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/telemetry"
)

// late is a window in which so many writes took so long.
func late(n int, took time.Duration) telemetry.Recent {
	tel := telemetry.Disabled()
	window := tel.Window()
	for range n {
		tel.Took("sse", took, took)
	}
	for range 1000 - n {
		tel.Took("sse", time.Millisecond, time.Millisecond)
	}
	window.Slide(time.Second)
	return window.Last(10)
}

func TestSignals(t *testing.T) {
	few := telemetry.Recent{Publishes: 9, Refused: 9, Overloaded: 9}
	for name, c := range map[string]struct {
		sample sample
		says   string // name level, of those that say something
		detail string
	}{
		"nothing":                     {},
		"a breaker":                   {sample{breaker: nave.LevelConserve, breakerNames: []string{"log", "mail"}}, "breakers conserve", "open: log, mail"},
		"the journal":                 {sample{journal: 13, journalLimit: 16}, "journal conserve", "the fill of the journal is 81.2 %, at least 80 %"},
		"the journal, full":           {sample{journal: 16, journalLimit: 16}, "journal conserve", ""},
		"all clients":                 {sample{clients: 76, clientsLimit: 100}, "clients shed", ""},
		"memory, calm":                {sample{heap: 674, budget: 1000}, "", ""},
		"memory, close":               {sample{heap: 680, budget: 1000}, "memory shed", "the heap in use as a share of its budget is 68 %, not below 67.5 %"},
		"memory, much":                {sample{heap: 930, budget: 1000}, "memory polling", "the heap in use as a share of its budget is 93 %, at least 93 %"},
		"memory, all":                 {sample{heap: 2000, budget: 1000}, "memory off", ""},
		"memory without bound":        {sample{heap: 2000}, "", ""},
		"processors":                  {sample{scheduling: 450 * time.Millisecond}, "scheduling conserve", "the p99 of waits for a processor is 450 ms, at least 300 ms"},
		"few publishes":               {sample{recent: few}, "", ""},
		"publishes refused":           {sample{recent: telemetry.Recent{Publishes: 900, Refused: 100, Overloaded: 50}}, "refused shed", "is 5 %, at least 2 %"},
		"publishers who are too fast": {sample{recent: telemetry.Recent{Publishes: 1, Refused: 1000}}, "", ""},
		"a few late":                  {sample{recent: late(9, 10*time.Second)}, "", ""},
		"some late":                   {sample{recent: late(30, 180*time.Millisecond)}, "propagation shed", "propagation p99 is 1"},
		"some very late":              {sample{recent: late(300, 20*time.Second)}, "propagation conserve", ""},
		"most very late":              {sample{recent: late(700, 4*time.Second)}, "propagation conserve, delay polling", "propagation p50 is "},
	} {
		var says, details []string
		c.sample.breaker = c.sample.breaker.Worse(nave.LevelNormal)
		for _, s := range signals(Levels{}.withDefaults()) {
			r, said := s.look(&c.sample)
			if !r.holds.AtLeast(r.asks) || r.after != s.after {
				t.Errorf("%s: %s says %+v", name, s.name, r)
			}
			if said == nil {
				continue
			}
			if said.Level != r.asks.Worse(r.holds) && said.Level != r.asks {
				t.Errorf("%s: %s is shown as %s, and says %+v", name, s.name, said.Level, r)
			}
			says = append(says, said.Name+" "+string(said.Level))
			details = append(details, said.Detail)
		}
		if got := strings.Join(says, ", "); got != c.says || !strings.Contains(strings.Join(details, "; "), c.detail) {
			t.Errorf("%s: %q, want %q; %q, want %q", name, got, c.says, details, c.detail)
		}
	}
}

// An operator's figure moves all that follow from it.
func TestPropagationIsSetForAllThree(t *testing.T) {
	for _, s := range signals(Levels{Propagation: time.Second}.withDefaults()) {
		switch s.name {
		case "propagation":
			if s.from != (thresholds{shed: 1, conserve: 5}) {
				t.Errorf("%s: %+v", s.name, s.from)
			}
		case "delay":
			if s.from != (thresholds{polling: 30}) {
				t.Errorf("%s: %+v", s.name, s.from)
			}
		}
	}
}

func TestFigures(t *testing.T) {
	for x, want := range map[float64]string{0: "0", 0.123: "0.12", 5: "5", 67.5: "67.5", 99.99: "100", 180.4: "180", 30000: "30000", 10: "10"} {
		if got := figure(x); got != want {
			t.Errorf("%v is %s, want %s", x, got, want)
		}
	}
}
