package main

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	slowCookie = "board-slow"
	maxSlow    = 5_000 // milliseconds
	maxDown    = 60    // seconds
)

// troubles are buttons of the page, and tests: what may go wrong, on demand.
func (a *api) troubles(anyone func(pattern string, do task)) {
	anyone("GET /api/audit", func(w http.ResponseWriter, r *http.Request) error {
		audit, err := a.store.Audit(r.Context())
		return answered(w, http.StatusOK, audit, err)
	})
	anyone("GET /api/trouble", a.showTrouble)
	anyone("POST /api/trouble/hub", a.killHub)
	anyone("POST /api/trouble/switch", a.switchStreams)
	anyone("POST /api/trouble/slow", slowDown)
}

// showTrouble tells of the trouble that lasts: whether the switch is off, and by how
// many milliseconds this browser is slower.
func (a *api) showTrouble(w http.ResponseWriter, r *http.Request) error {
	on, err := a.hub.streams()
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, "application/json", map[string]any{"sse": on, "slow": slowness(r).Milliseconds()})
	return nil
}

func (a *api) killHub(w http.ResponseWriter, r *http.Request) error {
	body, err := read[struct {
		Seconds float64 `json:"seconds"`
	}](w, r)
	if err != nil {
		return err
	}
	if body.Seconds < 0 || body.Seconds > maxDown {
		return newProblem(http.StatusUnprocessableEntity, fmt.Sprintf("seconds: 0 to %d are possible", maxDown))
	}
	if err := a.hub.kill(time.Duration(body.Seconds * float64(time.Second))); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) switchStreams(w http.ResponseWriter, r *http.Request) error {
	body, err := read[struct {
		SSE string `json:"sse"`
	}](w, r)
	if err != nil {
		return err
	}
	if body.SSE != "on" && body.SSE != "off" {
		return newProblem(http.StatusUnprocessableEntity, "sse: it is on or off")
	}
	if err := a.hub.stream(r.Context(), body.SSE == "on"); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func slowDown(w http.ResponseWriter, r *http.Request) error {
	body, err := read[struct {
		MS int `json:"ms"`
	}](w, r)
	if err != nil {
		return err
	}
	if body.MS < 0 || body.MS > maxSlow {
		return newProblem(http.StatusUnprocessableEntity, fmt.Sprintf("ms: 0 to %d are possible", maxSlow))
	}
	life := time.Hour
	if body.MS == 0 {
		life = 0
	}
	http.SetCookie(w, cookie(slowCookie, strconv.Itoa(body.MS), life))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// slowly delays the requests of browsers that have asked for it.
func slowly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if delay := slowness(r); delay > 0 {
			select {
			case <-time.After(delay):
			case <-r.Context().Done():
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func slowness(r *http.Request) time.Duration {
	c, err := r.Cookie(slowCookie)
	if err != nil {
		return 0
	}
	ms, _ := strconv.Atoi(c.Value) // no number is no delay
	return time.Duration(min(max(ms, 0), maxSlow)) * time.Millisecond
}
