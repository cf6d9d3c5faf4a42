package hub

import (
	"encoding/json"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
)

// healthType is the type of the events on nave.HealthTopic.
const healthType = "hub.health"

// healthNews says how the hub fares, to those who follow that.
type healthNews struct{ frame *frame.Frame }

func (healthNews) dispatcherMessage() {}

// publishHealth tells whoever follows nave.HealthTopic how the hub fares; if nobody
// does, it costs a look at each shard. It goes straight to the dispatchers, past topic
// and journal: whoever looks may do so because the log hangs, or because the level
// sheds transient events. It never waits.
func (h *Hub) publishHealth(v *Vitals) {
	var f *frame.Frame
	for i, d := range h.dispatchers {
		if h.shards[i].watchers.Load() == 0 {
			continue
		}
		if f == nil {
			data, err := json.Marshal(v)
			if err != nil { // a figure that is no number
				h.logger.Error("nobody can be told how the hub fares", "error", err)
				return
			}
			e := nave.Event{Topic: nave.HealthTopic, Type: healthType, Time: v.At, Data: data}
			f = frame.New(h.history.Epoch(), e, time.Now()) // once for all who follow
		}
		_ = d.Tell(healthNews{f}) // full: there is more news in a second
	}
}

// offerHealth offers a frame that has no place in the order, and no group.
func (d *dispatcher) offerHealth(f *frame.Frame) {
	d.start = time.Now()
	frames := []*frame.Frame{f}
	for _, s := range d.subscribers {
		if s.health {
			d.offer(s, frames)
		}
	}
}
