//go:build linux

package mode

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/navehub/nave/bench/server"
)

// TestMain lets the baselines be started from the test, as they are from bench.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		if err := server.Serve(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	// A baseline with the race detector would sleep for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	// The runs wait most of the time.
	flag.Parse()
	flag.Set("test.parallel", "16")
	goleak.VerifyTestMain(m)
}

func TestModesWorkOnBaselines(t *testing.T) {
	t.Parallel()
	for name, args := range map[string]string{
		"idle":      "-clients 50 -settle 20ms",
		"latency":   "-clients 12 -topics 7 -rate 200 -for 100ms",
		"fanout":    "-clients 20 -for 100ms",
		"publish":   "-topics 20 -for 100ms",
		"reconnect": "-clients 60 -topics 3 -missed 7 -times 2",
		"churn":     "-clients 20 -visitors 20 -visits 50 -for 200ms",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, c := range casesOf(t, name, args) {
				c, _ = c.Of([]string{server.Raw, server.Naive})
				s := once(t, c, &server.Kit{})
				if err := s.Err(); err != nil {
					t.Error(err)
				}
				for _, column := range c.Columns {
					for name, rounds := range s.Rounds {
						if v, ok := rounds[0][column.Key]; ok && (v < 0 && column.Key != "kernel" && column.Key != "connection") {
							t.Errorf("%s of %s is %g", column.Title, name, v)
						}
					}
				}
			}
		})
	}
}

func casesOf(t *testing.T, name, args string) []Case {
	t.Helper()
	m, err := Find(name)
	if err != nil {
		t.Fatal(err)
	}
	cases, err := m.Cases(flag.NewFlagSet(name, flag.ContinueOnError), strings.Fields(args))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// once measures a case one time.
func once(t *testing.T, c Case, k *server.Kit) *Samples {
	t.Helper()
	return Measure(t.Context(), k, []Case{c}, 1, io.Discard)[0]
}

// What is compared is measured A B A B: servers, and cases.
func TestCasesAndServersTakeTurns(t *testing.T) {
	var order []string
	var cases []Case
	for _, name := range []string{"without", "with"} {
		cases = append(cases, Case{Name: name, Servers: []string{"raw", "hub"}, Run: func(_ context.Context, _ *server.Kit, of string) (Figures, error) {
			order = append(order, name+" "+of)
			return Figures{"n": float64(len(order))}, nil
		}})
	}
	all := Measure(t.Context(), nil, cases, 2, io.Discard)
	const round = "without raw, without hub, with raw, with hub"
	if got := strings.Join(order, ", "); got != round+", "+round {
		t.Errorf("the order is %s", got)
	}
	if got := fmt.Sprint(all[1].values("hub", "n")); all[1].Case.Name != "with" || got != "[4 8]" {
		t.Errorf("the hub's figures with are %s", got)
	}
}

func TestTablesHaveMediansAndSpread(t *testing.T) {
	s := &Samples{
		Case: Case{Name: "fanout", Servers: []string{"raw", "hub"}, Columns: []Column{{"a", "events/s", count}, {"b", "none", count}, {"c", "p99", milliseconds}}},
		Rounds: map[string][]Figures{
			"raw": {{"a": 3000}, {"a": 1000}, nil, {"a": 2000}},
			"hub": {{"a": 1234567, "c": 0.256}},
		},
	}
	want := `
| fanout |            events/s |     p99 |
|--------|--------------------:|--------:|
| raw    | 2,000 (1,000–3,000) |       – |
| hub    |           1,234,567 | 0.26 ms |
`
	if got := s.Table(); got != want[1:] {
		t.Errorf("got\n%s", got)
	}
}
