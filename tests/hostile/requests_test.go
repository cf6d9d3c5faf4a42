package hostile

import (
	"fmt"
	"net/http"
	"strings"
)

// requests are requests that are none, or not for this hub.
func requests() []attack {
	all := append(targets(), versions()...)
	return append(all, orders()...)
}

func targets() []attack {
	line := func(line string) string { return request(line, "") }
	impossible := func(says string) outcome { return refused(http.StatusMethodNotAllowed, "method-not-allowed", says) }
	nothing := func(at string) outcome { return refused(http.StatusNotFound, "not-found", "there is nothing at "+at) }
	return []attack{
		{name: "TRACE", send: line("TRACE /v1/events HTTP/1.1"), want: impossible(`"TRACE" is not possible here; GET, HEAD, OPTIONS, POST are`)},
		{name: "an unknown method", send: line("BREW /v1/events HTTP/1.1"), want: impossible(`"BREW" is not possible here`)},
		{name: "a method in small letters", send: line("get /livez HTTP/1.1"), want: impossible("GET, HEAD, OPTIONS are")},
		{name: "a method of 10 KB", send: line(strings.Repeat("X", 10_000) + " /livez HTTP/1.1"), want: impossible(`"XXXXXXXXXXXXXXXXXXXX" is`)},
		{name: "a method that is no token", send: line("GE(T /livez HTTP/1.1"), want: bare(http.StatusBadRequest)},
		{name: "CONNECT to a host", send: line("CONNECT example.com:443 HTTP/1.1"), want: impossible(`"CONNECT" is not possible here`)},
		{name: "CONNECT to a path", send: line("CONNECT /v1/events HTTP/1.1"), want: impossible(`"CONNECT" is not possible here`)},
		{name: "OPTIONS of everything", send: line("OPTIONS * HTTP/1.1"), want: nothing(`"*"`)},
		{name: "GET of everything", send: line("GET * HTTP/1.1"), want: nothing(`"*"`)},
		{name: "DELETE", send: line("DELETE /v1/events HTTP/1.1"), want: impossible(`"DELETE"`)},
		{name: "an absolute target", send: line("GET http://evil.example/livez HTTP/1.1"), want: ok("alive")},
		{name: "an absolute target with a user", send: line("GET http://a:b@evil.example/livez HTTP/1.1"), want: ok("alive")},
		{name: "a target without slash", send: line("GET livez HTTP/1.1"), want: bare(http.StatusBadRequest)},
		{name: "a target with a fragment", send: line("GET /livez#x HTTP/1.1"), want: nothing(`"/livez#x"`)},
		{name: "a target with a NUL", send: line("GET /livez%00 HTTP/1.1"), want: nothing(`"/livez\x00"`)},
		{name: "a target with CRLF", send: line("GET /%0d%0aX-Injected:%201 HTTP/1.1"), want: nothing(`"/\r\nX-Injected: 1"`)},
		{name: "a target that is not UTF-8", send: line("GET /%ff%fe HTTP/1.1"), want: nothing(`"/\xff\xfe"`)},
		{name: "a raw byte in the target", send: line("GET /\xff HTTP/1.1"), want: nothing(`"/\xff"`)},
		{name: "half an escape", send: line("GET /%zz HTTP/1.1"), want: bare(http.StatusBadRequest)},
		{name: "a way up", send: line("GET /v1/../livez HTTP/1.1"), want: nothing(`"/v1/../livez"`)},
		{name: "an escaped way up", send: line("GET /v1/%2e%2e/livez HTTP/1.1"), want: nothing(`"/v1/../livez"`)},
		{name: "two slashes", send: line("GET //evil.example/livez HTTP/1.1"), want: nothing(`"//evil.example/livez"`)},
		{name: "publishing with two slashes", send: request("POST //v1/events HTTP/1.1", event), want: nothing(`"//v1/events"`)},
		{name: "publishing metrics", send: request("POST /metrics HTTP/1.1", event), want: impossible("GET, HEAD, OPTIONS are")},
		{name: "script in the target", send: line("GET /<script>alert(1)</script> HTTP/1.1"), want: nothing("")},
		{name: "no target", send: line("GET HTTP/1.1"), want: bare(http.StatusBadRequest)},
		{name: "a target with a space", send: line("GET /live z HTTP/1.1"), want: bare(http.StatusBadRequest)},
	}
}

func versions() []attack {
	plain := func(text string) string { return text + "\r\n\r\n" }
	return []attack{
		{name: "HTTP/0.9", send: plain("GET /livez"), want: bare(http.StatusBadRequest)},
		{name: "HTTP/1.0", send: plain("GET /livez HTTP/1.0"), want: ok("alive").andCloses()},
		{name: "a stream over HTTP/1.0", send: plain("GET /v1/events?topic=a HTTP/1.0"), want: streams(`"status":"live"`)},
		{name: "HTTP/2.0", send: plain("GET /livez HTTP/2.0\r\nHost: hub"), want: bare(http.StatusHTTPVersionNotSupported)},
		{name: "HTTP/1.1.1", send: plain("GET /livez HTTP/1.1.1\r\nHost: hub"), want: bare(http.StatusBadRequest)},
		{name: "no HTTP at all", send: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS\r\n\r\n", want: bare(http.StatusBadRequest)},
		{name: "the preface of HTTP/2", send: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", want: refused(http.StatusNotFound, "not-found", "").andCloses()},
		{name: "an upgrade to HTTP/2", send: get("/livez", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), want: ok("alive")},
		{name: "an upgrade to WebSocket", send: get("/v1/events?topic=a", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"), want: streams(`"status":"live"`)},
		{name: "lines that end in LF", send: "GET /livez HTTP/1.1\nHost: hub\n\n", want: ok("alive")},
		{name: "no host", send: plain("GET /livez HTTP/1.1"), want: bare(http.StatusBadRequest)},
		{name: "two hosts", send: plain("GET /livez HTTP/1.1\r\nHost: a\r\nHost: b"), want: bare(http.StatusBadRequest)},
		{name: "an empty host", send: plain("GET /livez HTTP/1.1\r\nHost:"), want: ok("alive")},
		{name: "a host of another", send: plain("GET /livez HTTP/1.1\r\nHost: evil.example"), want: ok("alive")},
		{name: "script in the host", send: plain("GET /livez HTTP/1.1\r\nHost: <script>"), want: bare(http.StatusBadRequest)},
		{name: "a host with a path", send: plain("GET /livez HTTP/1.1\r\nHost: a/b c"), want: bare(http.StatusBadRequest)},
		{name: "a host that is not ASCII", send: plain("GET /livez HTTP/1.1\r\nHost: h\xc3\xbcb\xff"), want: bare(http.StatusBadRequest)},
	}
}

// orders are requests that are complete, at unusual moments.
func orders() []attack {
	const stream = "/v1/events?topic=hostile/*"
	gone := outcome{}.orNothing()
	return []attack{
		{name: "requests behind a stream", send: get(stream) + strings.Repeat(smuggled, 100), want: streams(`"status":"live"`)},
		{name: "a flood behind a stream", send: get(stream), flood: strings.Repeat("x", 1<<16), floods: 32, want: streams(`"status":"live"`)},
		{name: "a body for a stream", send: request("GET "+stream+" HTTP/1.1", event), want: streams(`"status":"live"`)},
		{name: "a stream behind requests", send: strings.Repeat(get("/livez"), 100) + get(stream), want: streams(`"status":"live"`).after(100)},
		{name: "1000 requests at once", send: strings.Repeat(get("/livez"), 1000), want: ok("alive").after(999)},
		{name: "a publish that expects 100", send: post(event, "Expect: 100-continue"), want: ok(`"offset":`)},
		{name: "a large one that expects 100", send: postHead + "Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n",
			want: refused(http.StatusRequestEntityTooLarge, "too-large", "at most 1048576 bytes").andCloses()},
		{name: "a publish that expects 200", send: post(event, "Expect: 200-ok"), want: bare(http.StatusExpectationFailed)},
		// A FIN after a whole request says that no other comes, and not that nobody
		// waits for the answer. Of a stream it is the only sign that its client is
		// gone, and counts as that.
		{name: "a publish and a FIN", send: post(event), half: true, want: ok(`"offset":`).andCloses()},
		{name: "a probe and a FIN", send: get("/livez"), half: true, want: ok("alive").andCloses()},
		{name: "a stream and a FIN", send: get(stream), half: true, want: streams(`"status":"live"`).orNothing()},
		{name: "a reset in a head", send: postHead, reset: true, want: gone},
		{name: "a reset in a body", send: postHead + "Content-Length: 1000\r\n\r\n" + event, reset: true, want: gone},
		{name: "a reset in a line", send: postHead + "Content-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" + event, reset: true, want: gone},
		{name: "a reset behind a publish", send: post(event), reset: true, want: gone},
		{name: "a reset behind a stream", send: get(stream), reset: true, want: gone},
		{name: "a reset behind a poll that waits", send: get(stream+"&wait=30s", "Accept: application/json"), reset: true, want: gone},
		{name: "a reset behind nothing", reset: true, want: gone},
		{name: "a poll and a FIN", send: get(stream, "Accept: application/json"), half: true, want: ok(`"events":[]`).andCloses()},
	}
}

// heads are too large, or have too much in them.
func heads() []attack {
	tooLarge := bare(http.StatusRequestHeaderFieldsTooLarge)
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "X-%d: a\r\n", i)
	}
	few := strings.TrimSuffix(many.String()[:30_000], "\r\n")
	few = few[:strings.LastIndex(few, "\r\n")]
	return []attack{
		{name: "10,000 headers", send: get("/livez", strings.TrimSuffix(many.String(), "\r\n")), want: tooLarge},
		{name: "as many as there may be", send: get("/livez", few), want: ok("alive")},
		{name: "a header of 1 MB", send: get("/livez", "X: "+strings.Repeat("x", 1<<20)), want: tooLarge},
		{name: "a header's name of 1 MB", send: get("/livez", strings.Repeat("x", 1<<20)+": x"), want: tooLarge},
		{name: "headers of 10 MB", send: "GET /livez HTTP/1.1\r\nHost: hub\r\n", flood: "X: " + strings.Repeat("x", 10_000) + "\r\n", floods: 1000, want: tooLarge},
		{name: "headers without end", send: "GET /livez HTTP/1.1\r\nHost: hub\r\n", flood: many.String(), floods: 1 << 20, want: tooLarge},
		{name: "a target of 1 MB", send: get("/" + strings.Repeat("x", 1<<20)), want: tooLarge},
		{name: "a query of 1 MB", send: get("/v1/events?topic=" + strings.Repeat("x", 1<<20)), want: tooLarge},
		{name: "a cursor of 1 MB", send: get("/v1/events?topic=a", "Last-Event-ID: "+strings.Repeat("x", 1<<20)), want: tooLarge},
		{name: "a target without end", send: "GET /", flood: strings.Repeat("x", 1<<16), floods: 1 << 10, want: tooLarge},
		{name: "empty lines", send: "\r\n\r\n", want: bare(http.StatusBadRequest)},
		{name: "header names with spaces", send: get("/livez", "X y: z"), want: bare(http.StatusBadRequest)},
		{name: "a header without a colon", send: get("/livez", "nonsense"), want: bare(http.StatusBadRequest)},
		{name: "a header that begins with a space", send: "GET /livez HTTP/1.1\r\n X: y\r\nHost: hub\r\n\r\n", want: bare(http.StatusBadRequest)},
		{name: "a NUL in a header", send: get("/livez", "X: a\x00b"), want: bare(http.StatusBadRequest)},
	}
}
