package actors

import (
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// An offspring is an actor that is to be started: a body.
type offspring interface {
	actor.Actor
	core() *cell
}

// A nursery starts actors. All of them share their Props, which take more memory
// than an actor that is idle can do with: so the functions in there are told on the
// side whom they are called for.
type nursery struct {
	props *actor.Props

	mu         sync.Mutex // held while an actor is started
	born       offspring  // the one that is
	restarting map[actor.Context]actor.Actor
}

func newNursery(strategy actor.SupervisorStrategy) *nursery {
	n := &nursery{restarting: map[actor.Context]actor.Actor{}}
	n.props = actor.PropsFromProducerWithActorSystem(
		func(*actor.ActorSystem) actor.Actor { return &relay{of: n} },
		actor.WithMailbox(func() actor.Mailbox { return n.born.core() }),
		actor.WithOnInit(n.bind),
		actor.WithSupervisor(strategy))
	return n
}

func (n *nursery) spawn(parent actor.SpawnerContext, o offspring, name string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.born = o
	_, err := parent.SpawnNamed(n.props, name)
	n.born = nil
	return err
}

// bind brings together the parts of an actor, before its first message.
func (n *nursery) bind(c actor.Context) {
	c.Actor().(*relay).to = n.born
	n.born.core().context = c.(protoContext)
}

// restart remembers an actor until protoactor has made it a new relay.
func (n *nursery) restart(c actor.Context, a actor.Actor) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.restarting[c] = a
}

// restarted forgets the actor again, and returns it.
func (n *nursery) restarted(c actor.Context) actor.Actor {
	n.mu.Lock()
	defer n.mu.Unlock()
	a := n.restarting[c]
	delete(n.restarting, c)
	return a
}

// A relay is to protoactor the actor of one incarnation.
type relay struct {
	of *nursery
	to actor.Actor // set with the first message at the latest
}

// Receive implements protoactor's Actor.
func (r *relay) Receive(c actor.Context) {
	if r.to == nil {
		r.to = r.of.restarted(c)
	}
	r.to.Receive(c)
}

// fewerMaps leaves protoactor one map in 1024 for the names of all actors. They are
// for a million actors at once that nobody has a Ref of: empty they take 2.6 MB,
// and with one name each 170 bytes a name.
func fewerMaps(engine *actor.ActorSystem) {
	names := engine.ProcessRegistry.LocalPIDs
	all := names.LocalPIDs
	names.LocalPIDs = slices.Clone(all[:1])
	for _, m := range all[1:] {
		for name, process := range m.Items() {
			names.LocalPIDs[0].Set(name, process)
		}
	}
}
