// Package sse reads and writes text/event-stream as the HTML standard says, in
// section 9.2, "Server-sent events". Comments marked [spec] quote it:
// https://html.spec.whatwg.org/multipage/server-sent-events.html
//
// Writing appends to a buffer of the caller's and allocates nothing else.
// [Event.Append] writes a whole event; [AppendID], [AppendName], [AppendData]
// and [AppendRetry] write its lines one by one, for frames that are put together
// from shared parts and closed by [End]; [AppendComment] writes what readers pass
// over. What a field cannot carry is refused, so no value can smuggle in another
// field or another event.
//
// Reading is done by a [Reader], which gives an event as soon as its last byte
// is there, whatever way the stream is cut into reads, and holds no more than
// [Reader.MaxEventBytes] of it.
//
// Nothing here knows HTTP: reconnecting, and what the stream means, are the
// caller's.
package sse
