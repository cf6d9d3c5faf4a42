package hub

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/supervision"
)

// directory is where publishers find the live topics. The topics actor adds to
// it; a topic that leaves takes itself out.
type directory struct {
	topics   sync.Map // nave.Topic → *topic
	count    atomic.Int64
	registry *registry.Registry
	looked   time.Time // owned by the governor: when it looked last
}

func (d *directory) find(name nave.Topic) *topic {
	t, ok := d.topics.Load(name)
	if !ok {
		return nil
	}
	return t.(*topic)
}

func (d *directory) add(t *topic) {
	if _, replaced := d.topics.Swap(t.name, t); !replaced {
		d.count.Add(1)
	}
	d.registry.PutTopic(registry.Topic{Name: t.name, Durability: t.durability, Created: time.Now()})
}

func (d *directory) forget(t *topic) {
	if d.topics.CompareAndDelete(t.name, t) {
		d.count.Add(-1)
		d.registry.RemoveTopic(t.name)
	}
}

// spawnTopic asks the topics actor for a live topic; dead is one that turned out
// to have stopped.
type spawnTopic struct {
	actors.Reply[*topic]
	name nave.Topic
	dead *topic
}

// topicsActor is the parent of all topics.
type topicsActor struct{ hub *Hub }

func (h *Hub) topicsSpec() actors.Spec[spawnTopic] {
	return actors.Spec[spawnTopic]{
		Kind:    supervision.Topics,
		Mailbox: actors.Limits{Count: 4096},
		New:     func() actors.Actor[spawnTopic] { return &topicsActor{hub: h} },
	}
}

func (a *topicsActor) Receive(c *actors.Context[spawnTopic], m spawnTopic) {
	d := &a.hub.topics
	if t := d.find(m.name); t != nil && t != m.dead {
		m.Send(t)
		return
	}
	if m.dead != nil {
		d.forget(m.dead)
	}
	if limit := a.hub.config.Limits.Topics; d.count.Load() >= int64(limit) {
		m.Fail(nave.Errorf(nave.CodeBusy, "the hub has %d live topics, as many as it may", limit).After(time.Minute))
		return
	}
	t := a.hub.newTopic(m.name)
	ref, err := actors.Spawn(c, string(m.name), a.hub.topicSpec(t))
	if err != nil {
		m.Fail(err)
		return
	}
	t.ref = ref
	d.add(t)
	a.hub.guardAgain(t)
	m.Send(t)
}

func (h *Hub) newTopic(name nave.Topic) *topic {
	rule := h.config.rule(name)
	t := &topic{name: name, durability: rule.Durability, share: max(h.config.Limits.JournalBytes/8, 1)}
	if rule.Rate > 0 {
		t.limiter = rate.NewLimiter(rate.Limit(rule.Rate), max(rule.Burst, int(rule.Rate), 1))
	}
	return t
}

// topic is the live topic of that name, spawned on first use, or anew if dead.
func (h *Hub) topic(ctx context.Context, name nave.Topic, dead *topic) (*topic, error) {
	if t := h.topics.find(name); t != nil && t != dead {
		return t, nil
	}
	t, err := actors.Ask(ctx, h.topicSpawner, func(r actors.Reply[*topic]) spawnTopic {
		return spawnTopic{r, name, dead}
	})
	if isFull(err) {
		err = nave.Errorf(nave.CodeBusy, "too many publishes to topics that are not live yet at once").After(time.Second)
	}
	return t, err
}
