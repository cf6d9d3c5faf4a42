package presence

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

// A follower is what somebody knows who begins with the lists, and applies each change.
type follower struct {
	topics []nave.Topic
	listed bool
	knows  map[nave.Topic]map[string]bool // whether each member is idle
}

func (f *follower) hear(d Data) error {
	if d.Changes == nil {
		f.knows[d.Topic] = make(map[string]bool)
	}
	for _, m := range d.Members {
		f.knows[d.Topic][m.Subject] = m.Idle
	}
	for _, c := range d.Changes {
		before, there := f.knows[d.Topic][c.Subject]
		switch {
		case c.Change == Join && there, c.Change != Join && !there,
			c.Change == Idle && before, c.Change == Active && !before:
			return fmt.Errorf("%s of %s on %s is no news: there %t, idle %t", c.Change, c.Subject, d.Topic, there, before)
		case c.Change == Leave:
			delete(f.knows[d.Topic], c.Subject)
		default:
			f.knows[d.Topic][c.Subject] = c.Idle
		}
	}
	if d.Total != len(f.knows[d.Topic]) {
		return fmt.Errorf("%d members on %s, and %d are known", d.Total, d.Topic, len(f.knows[d.Topic]))
	}
	return nil
}

// Whatever happens, whoever has lists knows who is there, from the changes alone, and
// each of them is news.
func TestFollowersKnowWhoIsThere(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newTable(t)
		followers := make(map[uint64]*follower)
		subject := rapid.SampledFrom([]string{"alice", "bob", "carol"})
		topics := rapid.SampledFrom([][]nave.Topic{{"a"}, {"b"}, {"a", "b"}})
		connection := func() uint64 { return rapid.Uint64Range(1, 6).Draw(rt, "connection") }
		tell := func() {
			messages := r.Take(r.now, rapid.SampledFrom([]int{1, 500, 1 << 20}).Draw(rt, "bytes"))
			if rapid.IntRange(0, 4).Draw(rt, "fate") == 0 {
				r.Untold(messages)
				return
			}
			for _, m := range messages {
				d := dataOf(t, m)
				for id, f := range followers {
					to := m.To == nil
					for _, one := range m.To {
						to = to || one == id
					}
					if _, follows := f.knows[d.Topic]; !follows || !to {
						continue
					}
					if f.listed = f.listed || m.To != nil; !f.listed {
						continue
					}
					if err := f.hear(d); err != nil {
						rt.Fatalf("connection %d: %v", id, err)
					}
				}
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"join": func(*rapid.T) {
				id, of := connection(), topics.Draw(rt, "topics")
				if followers[id] != nil {
					return
				}
				f := &follower{topics: of, knows: make(map[nave.Topic]map[string]bool)}
				for _, topic := range of {
					f.knows[topic] = make(map[string]bool)
				}
				followers[id] = f
				r.join(id, subject.Draw(rt, "subject"), of...)
				r.Listen(id)
			},
			"lag": func(*rapid.T) { // and be live again
				if id := connection(); followers[id] != nil {
					followers[id].listed = false
					r.Listen(id)
				}
			},
			"leave": func(*rapid.T) { id := connection(); delete(followers, id); r.leave(id) },
			"idle":  func(*rapid.T) { r.SetIdle(connection(), rapid.Bool().Draw(rt, "idle")) },
			"poll":  func(*rapid.T) { r.Seen(Who{Subject: subject.Draw(rt, "subject")}, topics.Draw(rt, "topics"), r.now) },
			"pass":  func(*rapid.T) { r.pass(time.Duration(rapid.IntRange(1, 12).Draw(rt, "seconds")) * time.Second) },
			"tell":  func(*rapid.T) { tell() },
		})
		for r.News() {
			tell()
		}
		for id, f := range followers {
			for topic, knows := range f.knows {
				want := make(map[string]bool)
				for _, row := range r.rows {
					if row.Topic == topic {
						want[row.Subject] = row.Idle
					}
				}
				if !maps.Equal(knows, want) {
					rt.Errorf("connection %d knows %v of %s, want %v", id, knows, topic, want)
				}
			}
		}
	})
}
