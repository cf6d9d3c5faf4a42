package main

import (
	"net/http"
	"testing"

	"go.uber.org/fx"

	"github.com/navehub/nave/examples/board/store"
)

// Without the hub the board is what it was before, and nothing fails.
func TestAlone(t *testing.T) {
	alone := fx.Decorate(func(o options) options {
		o.alone = true
		return o
	})
	p := signedIn(t, begin(t, alone), "ada")
	p.must(t, http.StatusNoContent, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s", "state": "active"}, nil)
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/sessions/heartbeat", map[string]string{"session": "s", "state": "asleep"}, nil)
	p.must(t, http.StatusNoContent, "POST", "/api/analytics", rawJSON(`[{"name":"seen"}]`), nil)
	p.must(t, http.StatusOK, "POST", "/api/cards/card-1/move", store.Move{To: "done"}, nil)
	p.must(t, http.StatusBadGateway, "GET", "/v1/events?topic=cards/**", nil, nil)
}
