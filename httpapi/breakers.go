package httpapi

import (
	"net/http"
	"path"
	"slices"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/registry"
)

// A circuit is a breaker as administrators see it.
type circuit struct {
	Name     string                   `json:"name"`
	State    registry.BreakerState    `json:"state"`
	Since    time.Time                `json:"since"`
	Until    time.Time                `json:"until,omitzero"`
	Why      string                   `json:"why,omitempty"`
	Level    nave.Level               `json:"level,omitempty"`
	Calls    int                      `json:"calls"`
	Failures int                      `json:"failures"`
	Slow     int                      `json:"slow"`
	History  []registry.BreakerChange `json:"history"`
}

// circuitOf shows the history as it will be read: the latest first.
func circuitOf(b registry.Breaker) circuit {
	history := make([]registry.BreakerChange, 0, len(b.History))
	for _, c := range slices.Backward(b.History) {
		c.At = c.At.UTC()
		history = append(history, c)
	}
	return circuit{
		Name: b.Name, State: b.State, Since: b.Since.UTC(), Until: b.Until.UTC(), Why: b.Why, Level: b.Level,
		Calls: b.Calls, Failures: b.Failures, Slow: b.Slow, History: history,
	}
}

// listBreakers answers GET /v1/admin/breakers. There are as many as the application
// has made, and a hundred at most of topics, and so they need no pages.
func (x *exchange) listBreakers() error {
	all := []circuit{}
	for b := range x.Hub.Registry().Snapshot().Breakers() {
		all = append(all, circuitOf(b))
	}
	x.answer(http.StatusOK, map[string]any{"breakers": all})
	return nil
}

// showBreaker answers GET /v1/admin/breakers/log.
func (x *exchange) showBreaker() error {
	name := path.Base(x.r.URL.Path)
	b, ok := x.Hub.Registry().Snapshot().Breaker(name)
	if !ok {
		return nave.Errorf(nave.CodeNotFound, "there is no breaker %.40q", name)
	}
	x.answer(http.StatusOK, circuitOf(b))
	return nil
}

// resetBreaker answers DELETE /v1/admin/breakers/log: what has opened it is forgotten.
func (x *exchange) resetBreaker() error {
	name := path.Base(x.r.URL.Path)
	err := x.Hub.ResetBreaker(x.r.Context(), name, x.who.Name())
	x.auditAction("reset the breaker", name, err)
	if err != nil {
		return err
	}
	x.WriteHeader(http.StatusNoContent)
	return nil
}
