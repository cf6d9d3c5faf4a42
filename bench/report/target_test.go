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
	r := &results{sync: 0.5, byCase: map[string]*mode.Samples{"x": {Rounds: map[string][]mode.Figures{
		server.Hub:    {{"a": 30}, {"a": 10}, {"a": 20, "once": 1}},
		server.Raw:    {{"a": 10}, {"a": 5}, {"a": 10}},
		server.Memory: {{"a": 10}, nil, {"a": 10}},
		server.Tokens: {{"a": 35}, {"a": 9}, {"a": 25}},
	}}}}
	hub, broken := of("x", server.Hub, "a"), of("x", server.Memory, "a")
	tokens := of("x", server.Tokens, "a")
	for _, c := range []struct {
		t    target
		want string
	}{
		{target{value: hub, aim: fixed(30), least: fixed(40)}, "30|40|20 (10–30)|met"},
		{target{value: hub, aim: fixed(20), least: fixed(25)}, "20|25|20 (10–30)|met, within the noise"},
		{target{value: hub, aim: fixed(19), least: fixed(30)}, "19|30|20 (10–30)|at least"},
		{target{value: hub, aim: fixed(19), least: fixed(20)}, "19|20|20 (10–30)|at least, within the noise"},
		{target{value: hub, aim: fixed(21), least: fixed(20.5), above: true}, "21|20|20 (10–30)|**not met**, within the noise"},
		{target{value: hub, aim: fixed(5), least: fixed(9)}, "5|9|20 (10–30)|**not met**"},
		{target{value: hub, aim: fixed(10), least: fixed(5), above: true}, "10|5|20 (10–30)|met"},
		{target{value: toRaw("x", "a"), aim: fixed(2), least: fixed(3), digits: 1, unit: "×"}, "2.0×|3.0×|2.0× (2.0–3.0)|met, within the noise"},
		{target{value: hub, aim: around(of("x", server.Raw, "a"), 3, 2), least: around(hub, 2, 0)}, "31|40|20 (10–30)|met"},
		// A limit has its noise, which may be that of the value or not.
		{target{value: hub, aim: tokens, least: tokens}, "25|25|20 (10–30)|met, within the noise"},
		{target{value: hub, aim: around(tokens, 1, 2), least: around(tokens, 1, 2)}, "26|26|20 (10–30)|met"},
		{target{value: tokens, aim: hub, least: hub, above: true}, "20|20|25 (9–35)|met, within the noise"},
		{target{value: tokens, aim: hub, least: around(hub, 0.8, 0)}, "20|16|25 (9–35)|**not met**"},
		{target{value: hub}, "||20 (10–30)|–"},
		{target{value: broken, aim: fixed(20), least: fixed(20)}, "20|20|10 (10–10)|**failed**"},
		{target{value: hub, aim: around(broken, 9, 0), least: fixed(90)}, "90|90|20 (10–30)|**failed**"},
		{target{value: of("x", server.Hub, "once"), aim: fixed(20), least: fixed(20)}, "20|20|1|**failed**"},
		{target{value: broken}, "||10 (10–10)|**failed**"},
		{target{value: hub, aim: of("x", server.Naive, "a"), least: fixed(1)}, "||20 (10–30)|**failed**"},
		{target{value: of("y", server.Hub, "a"), aim: fixed(1), least: fixed(1)}, "1|1|–|**failed**"},
	} {
		if got := strings.Join(c.t.row(r)[1:], "|"); got != c.want {
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
			s := &mode.Samples{Case: c, Rounds: make(map[string][]mode.Figures)}
			for _, name := range c.Servers {
				s.Rounds[name] = []mode.Figures{all}
			}
			r.byCase[c.Name] = s
			r.order = append(r.order, s)
		}
	}
	if table := r.judge(); strings.Contains(table, "failed") {
		t.Error(table)
	}
}

func TestWhatFailedIsTold(t *testing.T) {
	s := &mode.Samples{Rounds: map[string][]mode.Figures{server.Hub: {{"a": 1}, nil}}}
	r := &results{order: []*mode.Samples{s}}
	for _, failed := range []bool{false, true} {
		if failed {
			s.Failed = []error{errors.New("it did")}
		}
		var text strings.Builder
		if err := r.write(&text, &machine{}, rounds); err != nil {
			t.Fatal(err)
		}
		for _, told := range []string{"**1 of 2 runs failed**", "it did"} {
			if strings.Contains(text.String(), told) != failed {
				t.Errorf("%q is told: %v, want %v", told, !failed, failed)
			}
		}
		if strings.Contains(text.String(), "every subscriber was checked") == failed {
			t.Errorf("every subscriber was checked is told, although a run failed: %v", failed)
		}
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
