package hostile

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	event     = `{"topic":"hostile/1","type":"t"}`
	smuggled  = "GET /livez?smuggled HTTP/1.1\r\nHost: hub\r\n\r\n"
	postHead  = "POST /v1/events HTTP/1.1\r\nHost: hub\r\n"
	emptyBody = "the body is empty"
)

// framing tries to make the hub see other bodies, and other requests, than
// somebody in front of it.
func framing() []attack {
	return append(lengths(), chunks()...)
}

func lengths() []attack {
	length := func(lines ...string) string { return postHead + strings.Join(lines, "\r\n") + "\r\n\r\n" + event }
	right := fmt.Sprintf("Content-Length: %d", len(event))
	return []attack{
		{name: "two lengths that differ", send: length(right, "Content-Length: 5"), want: bare(http.StatusBadRequest)},
		{name: "two lengths that agree", send: length(right, right), want: ok(`"offset":`)},
		{name: "a list of lengths", send: length(right + ", 32"), want: bare(http.StatusBadRequest)},
		{name: "a negative length", send: length("Content-Length: -1"), want: bare(http.StatusBadRequest)},
		{name: "a length with a sign", send: length("Content-Length: +32"), want: bare(http.StatusBadRequest)},
		{name: "a hexadecimal length", send: length("Content-Length: 0x20"), want: bare(http.StatusBadRequest)},
		{name: "a length of 2^64", send: length("Content-Length: 18446744073709551616"), want: bare(http.StatusBadRequest)},
		{name: "a length of 2^63-1", send: length("Content-Length: 9223372036854775807"),
			want: refused(http.StatusRequestEntityTooLarge, "too-large", "at most 1048576 bytes").andCloses()},
		{name: "an empty length", send: length("Content-Length:"), want: bare(http.StatusBadRequest)},
		{name: "no length", send: postHead + "\r\n", want: invalid(emptyBody)},
		{name: "a length beyond the end", send: length("Content-Length: 100"), half: true, want: invalid("the body breaks off: unexpected EOF").andCloses()},
		{name: "a length that leaves a request over", send: postHead + right + "\r\n\r\n" + event + smuggled, want: ok("alive").after(1)},

		// RFC 9112, 6.1: what counts is Transfer-Encoding. What follows the last chunk
		// is the next request, for the hub and for every proxy that knows this.
		{name: "a length and chunks", send: postHead + right + "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, want: ok("alive").after(1)},
		{name: "chunks and a length", send: postHead + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + smuggled, want: ok("alive").after(1)},
		{name: "chunks in HTTP/1.0", send: "POST /v1/events HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(event) + "0\r\n\r\n", want: invalid(emptyBody).andCloses()},
		{name: "an encoding called identity", send: length("Transfer-Encoding: identity"), want: bare(http.StatusNotImplemented)},
		{name: "an encoding called xchunked", send: length("Transfer-Encoding: xchunked"), want: bare(http.StatusNotImplemented)},
		{name: "chunked after gzip", send: length("Transfer-Encoding: gzip, chunked"), want: bare(http.StatusNotImplemented)},
		{name: "chunked twice", send: length("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), want: bare(http.StatusNotImplemented)},
		{name: "chunked and identity", send: length("Transfer-Encoding: chunked", "Transfer-Encoding: identity"), want: bare(http.StatusNotImplemented)},
		{name: "chunked behind a vertical tab", send: length("Transfer-Encoding: \x0bchunked"), want: bare(http.StatusBadRequest)},
		{name: "a space before the colon", send: length("Transfer-Encoding : chunked"), want: bare(http.StatusBadRequest)},
		{name: "chunked in a folded line", send: length("Transfer-Encoding:\r\n chunked", "X: y") + "\r\n", want: invalid("the body breaks off").andCloses()},
		{name: "a length in a folded line", send: length("X: y\r\n Content-Length: 5", right), want: ok(`"offset":`)},
		{name: "a bare CR between headers", send: length(right + "\rContent-Length: 5"), want: bare(http.StatusBadRequest)},
		{name: "a NUL in a length", send: length(right + "\x00"), want: bare(http.StatusBadRequest)},
	}
}

func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func chunks() []attack {
	const head = postHead + "Transfer-Encoding: chunked\r\n\r\n"
	const end = "0\r\n\r\n"
	broken := func(why string) outcome { return invalid("the body breaks off: " + why).andCloses() }
	return []attack{
		{name: "chunks", send: head + chunk(event[:5]) + chunk(event[5:]) + end, want: ok(`"offset":`)},
		{name: "chunks and a trailer", send: head + chunk(event) + "0\r\nX-Injected: 1\r\n\r\n", want: ok(`"offset":`)},
		{name: "no number", send: head + "zz\r\n" + event, want: broken("invalid byte in chunk length")},
		{name: "a negative number", send: head + "-1\r\n" + event, want: broken("invalid byte in chunk length")},
		{name: "a number with 0x", send: head + "0x20\r\n" + event, want: broken("invalid byte in chunk length")},
		{name: "an empty number", send: head + "\r\n" + event, want: broken("empty hex number")},
		{name: "a number beyond 2^64", send: head + "fffffffffffffffff\r\n" + event, want: broken("http chunk length too large")},
		{name: "a chunk of 2^63-1 bytes", send: head + "7fffffffffffffff\r\n", flood: strings.Repeat("x", 1<<16), floods: 1 << 10,
			want: refused(http.StatusRequestEntityTooLarge, "too-large", "at most 1048576 bytes").andCloses()},
		{name: "an extension of 1 MB", send: head + "20;" + strings.Repeat("x", 1<<20) + "\r\n", want: broken("header line too long")},
		{name: "many extensions", send: head, flood: "1;" + strings.Repeat("x", 2000) + "\r\n \r\n", floods: 1000, want: broken("chunked encoding contains too much non-data")},
		{name: "many chunks of a byte", send: head, flood: strings.Repeat("1\r\n \r\n", 1000), floods: 2000,
			want: refused(http.StatusRequestEntityTooLarge, "too-large", "at most 1048576 bytes").andCloses()},
		{name: "a trailer of 1 MB", send: head + chunk(event) + "0\r\nX: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", want: broken("http: suspiciously long trailer")},
		{name: "a trailer that is no header", send: head + chunk(event) + "0\r\nnonsense\r\n\r\n", want: broken("malformed MIME header")},
		{name: "a chunk that ends in LF", send: head + "20\n" + event + "\n0\n\n", want: broken("chunked line ends with bare LF")},
		{name: "a chunk longer than it says", send: head + "3\r\n" + event + "\r\n" + end, want: broken("malformed chunked encoding")},
		{name: "a chunk that breaks off", send: head + "20\r\n" + event[:5], half: true, want: broken("unexpected EOF")},
		{name: "a request in the rest of a body", send: head + "zz\r\n" + smuggled, want: broken("invalid byte in chunk length")},
	}
}
