package auth

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/navehub/nave"
)

func TestGrant(t *testing.T) {
	g := NewGrant(Filters{
		Publish:   nave.Filters{"cards/*", "users/alice"},
		Subscribe: nave.Filters{"cards/**", "users/alice", "*/public/*"},
		Admin:     nave.Filters{"clients", "clients/*"},
	})
	for topic, want := range map[nave.Topic][2]bool{ // publish, read
		"cards/1":         {true, true},
		"cards/1/2":       {false, true},
		"cards":           {false, false},
		"users/alice":     {true, true},
		"users/alice/2":   {false, false},
		"users/bob":       {false, false},
		"notes/public/7":  {false, true},
		"Cards/1":         {false, false},
		"cards%2F1":       {false, false},
		"$hub/revocation": {false, false},
	} {
		if got := [2]bool{g.MayPublish(topic), g.MayRead(topic)}; got != want {
			t.Errorf("%s: may publish and read = %v, want %v", topic, got, want)
		}
	}
	for filter, want := range map[nave.Filter]bool{
		"cards/**": true, "cards/*": true, "cards/1/**": true, "users/alice": true, "notes/public/*": true,
		"**": false, "*": false, "*/**": false, "cards": false, "users/*": false, "users/alice/**": false, "*/*/*": false, "$hub/**": false,
	} {
		if got := g.MaySubscribe(filter); got != want {
			t.Errorf("may subscribe to %s = %v, want %v", filter, got, want)
		}
	}
	for path, want := range map[string]bool{"clients": true, "clients/17": true, "topics": false, "clients/17/x": false, "": false} {
		if got := g.MayAdminister(path); got != want {
			t.Errorf("may administer %s = %v, want %v", path, got, want)
		}
	}
	for path, want := range map[nave.Filter]bool{"**": true, "*": true, "health": true, "health/*": false, "clients": false} {
		g := NewGrant(Filters{Subscribe: nave.Filters{"**"}, Admin: nave.Filters{path}})
		if g.MaySubscribe("$hub/health") != want || g.MayRead("$hub/health") != want {
			t.Errorf("who administers %s may follow health: %v, want %v", path, !want, want)
		}
		if g.MaySubscribe("$hub/*") || g.MayRead("$hub/control") || !g.MaySubscribe("**") {
			t.Errorf("who administers %s may read more of the hub's own, or less of others", path)
		}
	}
	if everything := Everything; !everything.MaySubscribe("$hub/**") || !everything.MaySubscribe("**") || !everything.MayPublish("a") || !everything.MayAdminister("clients/1") {
		t.Error("everything lacks something")
	}
	if nothing := NewGrant(Filters{}); nothing.MaySubscribe("a") || nothing.MayPublish("a") || nothing.MayAdminister("clients") || nothing.MayRead("a") {
		t.Error("nothing allows something")
	}
}

// What is compiled says what the filters say.
func TestScope(t *testing.T) {
	segments := rapid.SampledFrom([]string{"a", "b", "$", "$a"})
	rapid.Check(t, func(t *rapid.T) {
		join := func(name string, of *rapid.Generator[string]) string {
			text := ""
			for i, s := range rapid.SliceOfN(of, 1, 3).Draw(t, name) {
				if i > 0 {
					text += "/"
				}
				text += s
			}
			return text
		}
		var filters nave.Filters
		for range rapid.IntRange(0, 3).Draw(t, "filters") {
			f := join("filter", rapid.OneOf(segments, rapid.Just("*")))
			if rapid.Bool().Draw(t, "open") {
				f += "/**"
			}
			filters = append(filters, nave.Filter(f))
		}
		if rapid.IntRange(0, 9).Draw(t, "all") == 0 {
			filters = append(filters, "**")
		}
		s, topic := newScope(filters), nave.Topic(join("topic", segments))
		if got, want := s.match(topic), filters.Match(topic); got != want {
			t.Errorf("%q match %s = %v, want %v", filters, topic, got, want)
		}
	})
}

func BenchmarkMayRead(b *testing.B) {
	g := NewGrant(Filters{Subscribe: nave.Filters{"users/alice/**", "cards/*", "notes/public"}})
	b.ReportAllocs()
	for b.Loop() {
		if !g.MayRead("users/alice/inbox") || !g.MayRead("cards/board-1") || g.MayRead("users/bob/inbox") {
			b.Fatal("wrong")
		}
	}
}
