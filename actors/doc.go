// Package actors is the little that Nave adds to protoactor-go: actors that are
// typed, mailboxes that are bounded and never block, and failures that stay
// where they happen. Of protoactor it uses spawning, the life cycle and the
// supervision tree; nobody else but package supervision knows that it is there.
//
// An actor is a value that handles one message at a time. [Spawn] starts it
// under a [System] or under another actor, and returns the [Ref] by which it is
// told things. Inside the hub actors tell; only its edges [Ask].
//
//	type counter struct{ n int }
//
//	func (a *counter) Receive(c *actors.Context[Message], m Message) {
//		switch m := m.(type) {
//		case add:
//			a.n += m.by
//		case get:
//			m.Send(a.n) // get embeds actors.Reply[int]
//		}
//	}
//
// # Order
//
// What one sender tells one actor arrives in that order, with one exception: a
// [Control] message overtakes data. The life cycle overtakes both: a stop takes
// effect after the message being handled, not after those that wait.
//
// # Blocking
//
// Nothing here blocks but [Reply.Wait], [Ask], [Ref.StopAndWait] and
// [System.Shutdown]. An actor that blocks in its handler holds up only itself,
// and the stop of its parent. No lock is held while an actor's code runs.
//
// A [Prompt] message may be handled within Tell, on the goroutine that tells it,
// if its receiver is at rest. So handling it must not block, and who tells it must
// hold no lock that handling it takes.
//
// # Bounds
//
// A mailbox is bounded in messages, in bytes, and by a [Budget] that it may
// share with others. A message past a bound is refused at once, with [ErrFull],
// and stays its sender's. An idle mailbox holds next to no memory, and one that
// was full gives its memory back when it is empty.
//
// # Ownership
//
// A message belongs to its receiver once Tell has returned nil. An actor's state
// and its [Context] belong to its handler: nothing else may touch them.
//
// # Life cycle
//
//	        ┌────────────── restart, after a delay ─────────────┐
//	        ▼                                                   │
//	New ─ Started ─ Receive … Receive ─ children stop ─ Stopped ─┴─ end
//
// One turn of this is an incarnation. New, Started and Receive may fail, by a
// panic or by runtime.Goexit; package supervision says what happens then. The
// message being handled is lost, those that wait are kept: a restart starts with
// the backlog. When the actor ends, its children end first, the backlog is
// failed ([Failable]) and its budget given back, and from then on Tell answers
// [ErrStopped].
package actors
