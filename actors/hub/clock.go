package hub

import "time"

// started is when the process did, by the wall clock and by the monotonic one.
var started = time.Now()

// steady is the wall clock's time at the start of the process, and what has passed
// since by the monotonic clock.
func steady() time.Time { return started.Add(time.Since(started)) }

// logTime is the clock that retention and the idempotency window count by. It does
// not jump, and it does not go back. Were it the wall clock, one that is set a week
// ahead, and back a minute later, would cost all events and all ids.
//
// It runs apart from the wall clock when that is set, until the process is started
// again: what people read, such as an event's time, is the wall clock's. While the
// machine is suspended the monotonic clock stands still, so events and ids are
// kept for longer by as much, and never for less.
//
// At a start the wall clock is believed if it says that time has passed, and not
// if it is behind the newest event in the log: then one of the two was written by
// a clock that was wrong, and the log's time goes on from that event. Otherwise
// what is stored now would seem to be old once the clock is right, and what was
// stored in the future would stay, and hold up what is behind it, until then.
func (h *Hub) logTime() time.Time { return steady().Add(h.ahead) }
