//go:build linux

package mode

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

// Nothing is built or started for words that make no sense, and each is told what
// would.
func TestWrongWordsAreRefused(t *testing.T) {
	for line, want := range map[string]string{
		"idle -clients 0":                                `invalid value "0" for flag -clients: it must be a number from 1 to 200,000`,
		"idle -topics -3":                                "from 1 to",
		"idle -clients 1e3":                              "from 1 to",
		"idle -settle 0":                                 "it must be a time from 10ms to 1h0m0s, such as 5s",
		"latency -preset nosuch":                         `there is no preset "nosuch": there are reference and thousand`,
		"latency -clients 0":                             "from 1 to",
		"latency -rate 0":                                "from 1 to",
		"fanout -inflight 0":                             "write it like 1,32",
		"fanout -inflight 1,x":                           "write it like 1,32",
		"fanout -for -1s":                                "it must be a time",
		"publish -topics 0":                              "from 1 to",
		"publish -array 1001":                            "from 1 to 500",
		"publish -for 1m":                                "from 10ms to 10s",
		"reconnect -clients 5 -topics 0":                 "from 1 to",
		"reconnect -missed 0":                            "from 1 to",
		"reconnect -topics 5":                            "go with -clients",
		"reconnect -restart -times 3":                    "-times goes without -restart",
		"reconnect -clients 5 -topics 1e5":               "from 1 to",
		"reconnect -clients 5 -missed 3000000":           "",
		"reconnect -clients 5 -topics 3 -missed 3000000": "it must be 3000000 at most",
		"churn -rate 0":                                  "from 1 to",
		"churn -visitors 0":                              "from 1 to",
		"churn -visits 0":                                "from 1 to",
		"topics -rate 0":                                 "from 1 to",
		"wildcard -clients 0":                            "from 1 to",
		"start -times 0":                                 "from 1 to",
		"start -events 0":                                "from 1 to",
		"start twice":                                    `start: there is a word too many, "twice"`,
		"start -nosuch":                                  "start: flag provided but not defined: -nosuch; start -help lists the flags",
		"fanout -rounds 0":                               "from 1 to",
		"fanout -dir /nosuch":                            "it must be a folder that there is",
		"fanout -program /nosuch":                        "it must be a program that there is",
		"fanout -servers nosuch":                         `there is no server "nosuch": there are raw, naive, hub`,
		"fanout -servers raw,raw":                        "raw is named twice",
		"fanout -servers ":                               "there is no server",
		"publish -servers raw,hub":                       "",
		"start -servers raw,hub-memory":                  "start empty cannot be had of raw, hub-memory, but of hub",
		"churn -servers hub-transient":                   "nothing is left to measure",
		"reconnect -restart -servers raw":                "nothing is left to measure",
	} {
		name, args, _ := strings.Cut(line, " ")
		if err := read(name, strings.Split(args, " ")); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want one that says %q", line, err, want)
		}
	}
	if err := read("idle", []string{"-help"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("idle -help: %v", err)
	}
	if _, err := Find("nosuch"); err == nil {
		t.Error("there is a mode nosuch")
	}
}

// read does with words what bench does.
func read(name string, args []string) error {
	m, err := Find(name)
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	var o Options
	o.Flags(flags)
	cases, err := m.Cases(flags, args)
	if err == nil {
		_, err = o.Choose(cases)
	}
	return err
}

func TestSeveralNumbers(t *testing.T) {
	var n numbers
	if err := n.Set("1,32"); err != nil || n.String() != "1,32" {
		t.Errorf("1,32 is read as %s, %v", n.String(), err)
	}
}
