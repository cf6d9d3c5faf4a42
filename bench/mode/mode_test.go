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
	goleak.VerifyTestMain(m)
}

func TestModesWorkOnBaselines(t *testing.T) {
	for name, args := range map[string]string{
		"idle":      "-clients 50 -settle 20ms",
		"latency":   "-clients 12 -rate 200 -for 100ms",
		"fanout":    "-clients 20 -for 100ms",
		"publish":   "-topics 20 -for 100ms",
		"reconnect": "-clients 60 -topics 3 -missed 7 -times 2",
		"churn":     "-clients 20 -visitors 20 -visits 50 -for 200ms",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := Find(name)
			if err != nil {
				t.Fatal(err)
			}
			flags := flag.NewFlagSet(name, flag.ContinueOnError)
			cases := m.Flags(flags)
			if err := flags.Parse(strings.Fields(args)); err != nil {
				t.Fatal(err)
			}
			for _, c := range cases() {
				if strings.Contains(c.Name, "array") || strings.Contains(c.Name, "lines") {
					continue // the baselines take single events
				}
				s := c.Measure(t.Context(), &server.Kit{}, []string{server.Raw, server.Naive}, 1, io.Discard)
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

func TestSeveralNumbers(t *testing.T) {
	var n numbers
	if err := n.Set("1,32"); err != nil || n.String() != "1,32" {
		t.Errorf("1,32 is read as %s, %v", n.String(), err)
	}
	if n.Set("1,x") == nil || n.Set("0") == nil {
		t.Error("what is no positive number was taken for one")
	}
}
