// Package supervision holds what happens when an actor fails: the policy of
// every kind of actor, readable in one screen ([PolicyOf], tree.go), and the
// one [Strategy] that carries it out for a whole system.
//
// A failure is a panic, or runtime.Goexit, in an actor's own code. The message
// that was being handled is lost, those behind it wait, and the policy decides:
//
//	Resume    go on with the same incarnation
//	Restart   after a delay, go on with a new incarnation
//	Stop      end the actor
//	Escalate  end the actor, and let the owner of the system decide
//
// Failures are counted per actor. More than Policy.Max within Policy.Within are
// answered with Policy.Then. A failure of an incarnation that was still
// starting is never resumed, since there is nothing to go on with: it restarts.
//
// Escalate does not climb the tree, for a parent that fails because of a child
// takes all its healthy children with it. It is reported instead.
//
// Every failure is reported once, after it has been acted upon.
package supervision
