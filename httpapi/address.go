package httpapi

import (
	"cmp"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Proxies are those that are believed when they say whom they ask for. The zero
// Proxies are none.
type Proxies struct {
	// Trusted are their networks.
	Trusted []netip.Prefix
	// Header is where they say it: "X-Forwarded-For" or "Forwarded" (RFC 7239).
	// The other is never read: a proxy passes on what a client wrote into it.
	//
	// Defaults to X-Forwarded-For.
	Header string
}

const (
	forwardedFor = "X-Forwarded-For"
	forwarded    = "Forwarded"
)

func (p Proxies) withDefaults() Proxies {
	p.Header = http.CanonicalHeaderKey(cmp.Or(p.Header, forwardedFor))
	return p
}

// Trusts reports whether a peer with the address is believed.
func (p Proxies) Trusts(a netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(n netip.Prefix) bool { return n.Contains(a) })
}

// address is where a request comes from: from its peer, or from the last before it
// that is not trusted. Every proxy appends whom it was asked by, so that whatever a
// client claims stands to the left of what is known. The address is not valid if
// the peer has none.
func (p Proxies) address(r *http.Request) netip.Addr {
	at := peer(r)
	if !p.Trusts(at) {
		return at
	}
	for _, line := range slices.Backward(r.Header[p.Header]) {
		for line != "" {
			var hop string
			line, hop = cutLast(line, ',')
			before, ok := p.read(hop)
			if !ok {
				return at // nothing further left is to be believed
			}
			if at = before; !p.Trusts(at) {
				return at
			}
		}
	}
	return at
}

// address is the client's.
func (x *exchange) address() netip.Addr { return x.Proxies.address(x.r) }

func peer(r *http.Request) netip.Addr {
	at, _ := netip.ParseAddrPort(r.RemoteAddr)
	return at.Addr().Unmap().WithZone("")
}

// read finds the address in one entry of the header.
func (p Proxies) read(entry string) (netip.Addr, bool) {
	if p.Header != forwarded {
		return node(strings.TrimSpace(entry))
	}
	var found string
	for entry != "" {
		var pair string
		entry, pair = cutLast(entry, ';')
		name, value, _ := strings.Cut(strings.TrimSpace(pair), "=")
		if !strings.EqualFold(name, "for") {
			continue
		}
		if found != "" {
			return netip.Addr{}, false // one of them is a lie
		}
		found = value
	}
	if len(found) > 1 && found[0] == '"' && found[len(found)-1] == '"' {
		found = found[1 : len(found)-1]
	}
	return node(found)
}

// node reads 192.0.2.7, 2001:db8::7 or [2001:db8::7], with a port or without. It
// knows no "unknown" and no "_hidden", which are nobody's address.
func node(text string) (netip.Addr, bool) {
	host, rest := text, ""
	if inner, after, ok := strings.Cut(strings.TrimPrefix(text, "["), "]"); ok && text[0] == '[' {
		host, rest = inner, after
	} else if i := strings.IndexByte(text, ':'); i >= 0 && i == strings.LastIndexByte(text, ':') {
		host, rest = text[:i], text[i:]
	}
	at, err := netip.ParseAddr(host)
	if err != nil || at.Zone() != "" || rest != "" && rest[0] != ':' {
		return netip.Addr{}, false
	}
	return at.Unmap(), true
}

// cutLast splits off the last element of a list, whose quoted texts may have the
// separator in them. From the right, so that a quote that a client has left open
// swallows nothing of what a proxy has appended.
func cutLast(list string, separator byte) (rest, last string) {
	quoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"' && !escaped(list[:i]):
			quoted = !quoted
		case list[i] == separator && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return "", list
}

// escaped reports whether what follows the text has a backslash before it that is
// not escaped itself.
func escaped(text string) bool {
	return (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
}
