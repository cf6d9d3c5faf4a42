// Package load puts load on a server of events from the outside, and checks what
// it gives back.
//
// A [Loop] holds all connections, of a [Crowd] of subscribers and of [Publishers],
// in one epoll set on the goroutine that runs it, and nothing here is safe for any
// other. So a subscriber costs a socket and some 200 bytes, and the load takes
// little of the machine that the server is measured on.
//
// Latency counts from when an event was due and not from when it was sent: a
// server that holds up the publishers does not look better for it.
package load
