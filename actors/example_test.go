package actors_test

import (
	"context"
	"fmt"

	"github.com/navehub/nave/actors"
)

// A message is anything that a counter accepts.
type message interface{ counterMessage() }

type add struct{ by int }

type get struct{ actors.Reply[int] }

func (add) counterMessage() {}
func (get) counterMessage() {}

type counter struct{ n int }

func (a *counter) Receive(_ *actors.Context[message], m message) {
	switch m := m.(type) {
	case add:
		a.n += m.by
	case get:
		m.Send(a.n)
	}
}

func Example() {
	ctx := context.Background()
	system := actors.NewSystem(actors.Options{})
	defer system.Shutdown(ctx)

	ref, err := actors.Spawn(system, "counter", actors.Spec[message]{
		Kind: "counter",
		New:  func() actors.Actor[message] { return new(counter) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 5 {
		if err := ref.Tell(add{i}); err != nil {
			fmt.Println(err)
		}
	}
	n, err := actors.Ask(ctx, ref, func(r actors.Reply[int]) message { return get{r} })
	fmt.Println(ref.Name(), n, err)
	// Output: counter#1 10 <nil>
}
