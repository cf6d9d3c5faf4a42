package main

import (
	"context"
	"encoding/json"
	"maps"
	"sync"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

// maxNames is how many names are counted one by one; what else there is is counted
// together.
const (
	maxNames = 500
	others   = "others"
	// maxButton is how long a button's name may be, in bytes, to be counted by it.
	maxButton = 64
)

// A counter counts what people do on the page, by name, and buttons also one by
// one: "button.clicked" and "button.clicked/undo". It outlives the hub, not the
// process: what is transient may get lost.
type counter struct {
	mu    sync.Mutex
	names map[string]int
}

func newCounter() *counter { return &counter{names: make(map[string]int)} }

func (c *counter) extension() hub.Extension {
	return hub.Extension{
		Name:    "counter",
		Filters: nave.Filters{"analytics/*"},
		New:     func(hub.Publisher) hub.Handler { return c },
	}
}

// Handle counts an event.
func (c *counter) Handle(_ context.Context, e nave.Event) error {
	c.count(e.Type, e.Data)
	return nil
}

func (c *counter) count(name string, data json.RawMessage) {
	var about struct{ Button string }
	_ = json.Unmarshal(data, &about) // then it is about no button
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(name)
	if about.Button != "" && len(about.Button) <= maxButton {
		c.add(name + "/" + about.Button)
	}
}

func (c *counter) add(name string) {
	if _, ok := c.names[name]; !ok && len(c.names) >= maxNames {
		name = others
	}
	c.names[name]++
}

func (c *counter) all() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.names)
}
