// Package nave holds the words of the event hub: what an event is, where it is
// published, who asks for it, and where a reader stands.
//
// An [Event] is published to a [Topic]. A subscriber follows topics by a set of
// [Filter]s and stands at a [Cursor], a place in the hub's one total order.
// Events published together form a batch, which is stored and delivered whole
// or not at all. A topic's [Durability] says what a publisher's yes is worth.
//
// Everything here is plain data: no goroutines, no I/O, and no imports of other
// packages of this module.
package nave
