package hub

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
)

// What readiness depends on.
const (
	healthStart = "start"
	healthLog   = "log"
	healthTree  = "supervision"
	healthDrain = "drain"
	healthLevel = "level"
)

// health is why the hub is not ready; it is ready when there is no reason.
type health struct {
	mu      sync.Mutex
	reasons map[string]error
}

func (h *health) set(what string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.reasons == nil {
		h.reasons = make(map[string]error)
	}
	if err == nil {
		delete(h.reasons, what)
		return
	}
	h.reasons[what] = fmt.Errorf("%s: %w", what, err)
}

func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []error
	for _, what := range slices.Sorted(maps.Keys(h.reasons)) {
		all = append(all, h.reasons[what])
	}
	return errors.Join(all...)
}
