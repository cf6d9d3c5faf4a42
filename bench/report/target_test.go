//go:build linux

package report

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/navehub/nave/bench/mode"
	"github.com/navehub/nave/bench/server"
)

func TestVerdicts(t *testing.T) {
	r := &results{byCase: map[string]*mode.Samples{"x": {Rounds: map[string][]mode.Figures{
		server.Hub: {{"a": 30, "only": 1}, {"a": 10}, nil},
		server.Raw: {{"a": 10}, {"a": 10}, {"a": 10}},
	}}}}
	for _, c := range []struct {
		t    target
		want string
	}{
		{target{value: of("x", server.Hub, "a"), aim: fixed(20), least: fixed(25)}, "20 (10–30)|met"},
		{target{value: of("x", server.Hub, "a"), aim: fixed(19), least: fixed(20)}, "20 (10–30)|at least"},
		{target{value: of("x", server.Hub, "a"), aim: fixed(21), least: fixed(20.5), above: true}, "20 (10–30)|**not met**"},
		{target{value: toRaw("x", "a"), aim: fixed(2), least: fixed(3), digits: 1, unit: "×"}, "2.0× (1.0–3.0)|met"},
		{target{value: of("x", server.Hub, "only"), aim: around(of("x", server.Raw, "a"), 0, 1), least: fixed(1)}, "1|met"},
		{target{value: of("x", server.Hub, "a"), aim: most(of("x", server.Naive, "a")), least: fixed(1)}, "–|not measured"},
		{target{value: of("y", server.Hub, "a"), aim: fixed(1), least: fixed(1)}, "–|not measured"},
	} {
		if got := strings.Join(c.t.row(r)[3:], "|"); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// A target that names a figure wrongly would never be measured.
func TestTargetsNameCasesThatThereAre(t *testing.T) {
	r := &results{byCase: make(map[string]*mode.Samples)}
	for _, e := range full {
		cases, err := e.cases()
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			all := mode.Figures{}
			for _, column := range c.Columns {
				all[column.Key] = 1
			}
			s := &mode.Samples{Case: c, Rounds: make(map[string][]mode.Figures), Failed: []error{errors.New("it did")}}
			for _, name := range c.Servers {
				s.Rounds[name] = []mode.Figures{all}
			}
			r.byCase[c.Name] = s
			r.order = append(r.order, s)
		}
	}
	if table := r.judge(); strings.Contains(table, "not measured") {
		t.Error(table)
	}
	var text strings.Builder
	if err := r.write(&text, &machine{}, rounds); err != nil || !strings.Contains(text.String(), "it did") {
		t.Errorf("what failed is not told: %v", err)
	}
}

func TestTheReportIsOpenedFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "results")
	if err := os.WriteFile(path, []byte("of before"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Prepare([]string{"-out", path}); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "of before" {
		t.Errorf("it is %q, %v", text, err)
	}
	for _, args := range [][]string{{"-out", path + "/x"}, {"quick"}, {"-dir", path}, {"-nosuch"}} {
		if _, err := Prepare(args); err == nil {
			t.Errorf("%q was taken", args)
		}
	}
}

func TestAllModesAreMeasured(t *testing.T) {
	for _, plan := range [][]entry{full, quick} {
		seen := make(map[string]bool)
		for _, e := range plan {
			if _, err := e.cases(); err != nil {
				t.Error(err)
			}
			seen[e.mode] = true
		}
		for _, m := range mode.All {
			if !seen[m.Name] {
				t.Errorf("%s is left out", m.Name)
			}
		}
	}
}
