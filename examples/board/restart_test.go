package main

import (
	"net/http"
	"testing"
	"time"

	"go.uber.org/fx"

	"github.com/navehub/nave/examples/board/store"
)

// The hub is killed again and again while people work: they notice nothing, and in
// the end the log has every change once.
func TestHubRestarts(t *testing.T) {
	url := begin(t)
	c := gather(t, url)
	operator := visitor(t, url)
	for range 6 {
		time.Sleep(150 * time.Millisecond) // some of its life
		if status, text := operator.ask("POST", "/api/trouble/hub", map[string]float64{"seconds": 0.1}, nil); status != http.StatusNoContent {
			t.Fatalf("kill the hub: %d %s", status, text)
		}
		eventually(t, "the hub is back", func() bool {
			status, _ := operator.ask("GET", "/livez", nil, nil)
			return status == http.StatusOK
		})
	}
	c.dismiss(t)
	for _, m := range c.members {
		if m.yes == 0 {
			t.Errorf("%s has done nothing", m.name)
		}
	}
	j, _ := verify(t, signedIn(t, url, "ada"), "the-end")
	c.acknowledged(t, j)
	t.Logf("%d events", j.events())
}

// A hub that gives up is started again. Somebody who kills it at that moment does not
// kill the next one.
func TestHubGivesUp(t *testing.T) {
	var e *embedded
	url := begin(t, fx.Populate(&e))
	p := signedIn(t, url, "ada")
	first := e.running.Load()
	_ = first.Shutdown()  // as its supervision would
	_ = e.kill(time.Hour) // refused, if it is down already
	eventually(t, "there is another", func() bool {
		now := e.running.Load()
		return now != nil && now != first
	})
	p.must(t, http.StatusOK, "POST", "/api/cards/card-1/move", store.Move{To: "done"}, nil)
	verify(t, p, "end")
}
