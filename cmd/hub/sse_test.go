package main

import (
	"net/http"
	"testing"
)

// What holds a level is said: an operator, the hub itself, or its configuration.
func TestTheSwitchSaysWhy(t *testing.T) {
	var text string
	newServer(t, func(w http.ResponseWriter, r *http.Request) { answer(200, "application/json", text)(w, r) })
	for now, want := range map[string]string{
		`{"level":"normal","reason":"it is calm again"}`:                                             "streams are on: the level is normal\n",
		`{"level":"shed","reason":"propagation, memory"}`:                                            "streams are on: the level is shed, by itself: propagation, memory\n",
		`{"level":"polling","reason":"memory"}`:                                                      "streams are off: the level is polling, by itself: memory\n",
		`{"level":"polling","reason":"x","pin":{"level":"polling","by":"alice","reason":"a trial"}}`: "streams are off: the level is polling, pinned by alice: a trial\n",
		`{"level":"polling","pin":{"level":"normal","by":"alice","reason":"now"}}`:                   "streams are off: the level is polling, by the hub's configuration (NAVE_SSE), whatever is pinned\n",
		`{"level":"polling"}`: "streams are off: the level is polling, by the hub's configuration (NAVE_SSE)\n",
		`{"level":"conserve","reason":"breakers","signals":[{"detail":"open: log"}]}`: "streams are on: the level is conserve, by itself: breakers\n",
	} {
		text = now
		if r := hubCommand(t, "", "sse"); r.code != 0 || r.out != want {
			t.Errorf("%s: %d, %q %q, want %q", now, r.code, r.out, r.err, want)
		}
	}
	text = `{"level":"polling"}`
	if r := hubCommand(t, "", "sse", "on"); r.code != exitFailure || r.err != "hub: streams are not on again: something else keeps them off\n" {
		t.Errorf("on, though the configuration says off: %+v", r)
	}
}
