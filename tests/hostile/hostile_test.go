// Package hostile tries what somebody who means harm can send to a hub over a
// socket: broken HTTP, broken JSON, hostile text in every field, sizes and numbers
// beyond all bounds, bodies and readers that never come to an end, and filters made
// to be expensive.
//
// Every attack has one answer that is right, with its status, the code of its
// problem document, and what that says. While they go on, and at once after each, a
// bystander publishes and subscribes and must feel nothing; at the end the hub must
// have its memory and its descriptors back.
package hostile

import (
	"testing"

	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func TestHostile(t *testing.T) {
	table := trial.NewTable(t, "hostile", "hostile input: how it is answered, what it costs, and whether others are served")
	var input, slow *ground
	t.Run("attacks", func(t *testing.T) {
		t.Run("input", func(t *testing.T) {
			t.Parallel() // what is slow leaves the processor alone
			input = newGround(t, trial.CheckedHub(t, volatile...))
			tryInput(t, input)
		})
		t.Run("slow", func(t *testing.T) {
			t.Parallel()
			slow = newGround(t, trial.Hub(t))
			trySlow(t, slow)
		})
	})
	for _, g := range []*ground{input, slow} {
		if g != nil {
			g.report(table)
		}
	}
	t.Run("costs", func(t *testing.T) { tryCosts(t, newGround(t, trial.Hub(t)), table) })
}

// volatile are the rules for topics that take many events.
var volatile = []string{"NAVE_TOPICS=[{filter: memory/**, durability: memory}, {filter: transient/**, durability: transient}]"}

// A group is attacks of one kind.
type group struct {
	name    string
	attacks []attack
}

// tryInput sends every attack by itself, over a connection of its own.
func tryInput(t *testing.T, g *ground) {
	for _, group := range []group{
		{"framing", framing()}, {"requests", requests()}, {"sizes of heads", heads()}, {"compressed bodies", compressed()},
		{"JSON", documents()}, {"numbers", numbers()}, {"sizes of bodies", sizes()}, {"filters", filters()},
		{"cursors", cursors()}, {"other parameters", parameters()}, {"origins", origins()},
	} {
		t.Run(group.name, func(t *testing.T) { g.try(t, group) })
	}
	t.Run("texts", func(t *testing.T) { tryTexts(t, g) })
	t.Run("lines", func(t *testing.T) { tryLines(t, g) })
	g.end(t)
}
