package httpapi

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
)

// proxied is a request whose peer and header are as given, a line each.
func proxied(peer, header string, lines ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	for _, line := range lines {
		r.Header.Add(header, line)
	}
	return r
}

func ours(header string) Proxies {
	return Proxies{Header: header, Trusted: []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8:a::/48"), netip.MustParsePrefix("fe80::/10"),
	}}.withDefaults()
}

func TestAddress(t *testing.T) {
	const proxy = "10.0.0.1:4711"
	for _, tt := range []struct{ peer, lines, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "1.1.1.1", "203.0.113.9"}, // a lie of somebody who is not trusted
		{"[2001:db8::9]:1", "1.1.1.1", "2001:db8::9"},
		{"[::ffff:203.0.113.9]:1", "1.1.1.1", "203.0.113.9"},
		{proxy, "", "10.0.0.1"},
		{proxy, "203.0.113.9", "203.0.113.9"},
		{"[::ffff:10.0.0.1]:1", "203.0.113.9", "203.0.113.9"},
		{"[fe80::1%eth0]:1", "203.0.113.9", "203.0.113.9"},
		{proxy, "1.1.1.1, 203.0.113.9", "203.0.113.9"},
		{proxy, "1.1.1.1,203.0.113.9,10.9.9.9,\t192.0.2.7", "203.0.113.9"},
		{proxy, "1.1.1.1|203.0.113.9|192.0.2.7", "203.0.113.9"},
		{proxy, "203.0.113.9|", "203.0.113.9"},
		{proxy, "10.1.1.1, 10.2.2.2", "10.1.1.1"}, // from within
		{proxy, "203.0.113.9:52011", "203.0.113.9"},
		{proxy, "[2001:db8::9]:52011", "2001:db8::9"},
		{proxy, "[2001:db8::9]", "2001:db8::9"},
		{proxy, "2001:db8::9", "2001:db8::9"},
		{proxy, "2001:db8::9, 2001:db8:a::1", "2001:db8::9"},
		{proxy, "::ffff:203.0.113.9", "203.0.113.9"},
		// Nothing is believed beyond what nobody can read.
		{proxy, "1.1.1.1, nonsense", "10.0.0.1"},
		{proxy, "1.1.1.1, nonsense, 10.2.2.2", "10.2.2.2"},
		{proxy, "1.1.1.1, unknown", "10.0.0.1"},
		{proxy, "1.1.1.1,, 10.2.2.2", "10.2.2.2"},
		{proxy, "2001:db8::9%eth0", "10.0.0.1"},
		{proxy, "[2001:db8::9]80", "10.0.0.1"},
		{proxy, "[2001:db8::9", "10.0.0.1"},
		{proxy, "203.0.113.9:1:2", "10.0.0.1"},
		{proxy, "203.0.113.009", "10.0.0.1"},
		{proxy, `"203.0.113.9"`, "10.0.0.1"},
		{proxy, "for=203.0.113.9", "10.0.0.1"},
	} {
		r := proxied(tt.peer, forwardedFor, strings.Split(tt.lines, "|")...)
		r.Header.Set(forwarded, "for=9.9.9.9") // which is not what is asked for
		if got := ours("").address(r); got.String() != tt.want {
			t.Errorf("%s, X-Forwarded-For: %s: address = %s, want %s", tt.peer, tt.lines, got, tt.want)
		}
	}
	for lines, want := range map[string]string{
		"for=203.0.113.9":                            "203.0.113.9",
		"For=203.0.113.9;proto=https;by=10.0.0.1":    "203.0.113.9",
		"proto=https; FOR=203.0.113.9":               "203.0.113.9",
		`for="203.0.113.9:52011"`:                    "203.0.113.9",
		`for="[2001:db8::9]:52011"`:                  "2001:db8::9",
		`for="[2001:db8::9]"`:                        "2001:db8::9",
		`for=1.1.1.1, for=203.0.113.9, for=10.2.2.2`: "203.0.113.9",
		`for=1.1.1.1|for=203.0.113.9`:                "203.0.113.9",
		`for=203.0.113.9;host="a,b;c\"d,"`:           "203.0.113.9",
		`for=203.0.113.9;host="a\\"`:                 "203.0.113.9",
		`for="1.1.1.1, for=203.0.113.9`:              "203.0.113.9", // an open quote swallows nothing
		`host="\", for="[2001:db8::9]"`:              "2001:db8::9",
		`for=1.1.1.1, for=unknown`:                   "10.0.0.1",
		`for=1.1.1.1, for=_hidden, for=10.2.2.2`:     "10.2.2.2",
		`for=1.1.1.1, proto=https`:                   "10.0.0.1",
		`for=203.0.113.9;for=1.1.1.1`:                "10.0.0.1",
		`for="2\03.0.113.9"`:                         "10.0.0.1",
		`203.0.113.9`:                                "10.0.0.1",
		`forx=203.0.113.9`:                           "10.0.0.1",
		``:                                           "10.0.0.1",
		`for=`:                                       "10.0.0.1",
		`for="`:                                      "10.0.0.1",
	} {
		r := proxied(proxy, forwarded, strings.Split(lines, "|")...)
		r.Header.Set(forwardedFor, "9.9.9.9")
		if got := ours("forwarded").address(r); got.String() != want {
			t.Errorf("Forwarded: %s: address = %s, want %s", lines, got, want)
		}
	}
	if got := ours("").address(proxied("pipe", forwardedFor, "1.1.1.1")); got.IsValid() {
		t.Errorf("a peer without address has %s", got)
	}
}

// FuzzAddress: whatever a client writes, who is not trusted is known by its own
// address, and who comes by a proxy by the one that the proxy has appended.
func FuzzAddress(f *testing.F) {
	for _, lie := range []string{
		"", "1.1.1.1", "10.0.0.2", `for="`, `for="1.1.1.1\`, `"`, `\`, ",", ";", "for=1.1.1.1;", "[", "]", "[::1%25]:1", "::ffff:1.1.1.1", strings.Repeat("10.0.0.2,", 99),
	} {
		f.Add(lie, lie)
	}
	f.Fuzz(func(t *testing.T, lie, line string) {
		const truth = "203.0.113.9"
		for _, header := range []string{forwardedFor, forwarded} {
			entry := truth
			if header == forwarded {
				entry = `for="` + truth + `:1"`
			}
			p := ours(header)
			for _, r := range []*http.Request{
				proxied(truth+":1", header, lie, line),
				proxied("10.0.0.1:1", header, line, lie+", "+entry),
				proxied("10.0.0.1:1", header, line, lie, entry),
			} {
				if got := p.address(r); got.String() != truth {
					t.Errorf("%v: address = %s", r.Header, got)
				}
			}
			if got := p.address(proxied("10.0.0.1:1", header, line, lie)); !got.IsValid() || got.Is4In6() || got.Zone() != "" {
				t.Errorf("address = %v", got)
			}
		}
	})
}

// A doorman lets nobody in, and remembers where they came from.
type doorman struct {
	fake
	from string
}

func (d *doorman) Connect(_ context.Context, r client.Request) error {
	d.from = r.Address.String()
	return d.err
}

func TestTheRegistryKnowsTheClientNotItsProxy(t *testing.T) {
	for trusted, want := range map[string]string{"10.0.0.0/8": "203.0.113.9", "192.0.2.0/24": "10.0.0.1"} {
		d := &doorman{fake: fake{err: nave.Errorf(nave.CodeOverloaded, "full")}}
		handler := New(Config{Hub: d, Logger: quiet, Proxies: Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix(trusted)}}})
		r := proxied("10.0.0.1:1", forwardedFor, "203.0.113.9")
		r.URL.Path, r.URL.RawQuery = "/v1/events", "topic=a"
		r.Header.Set("Accept", "text/event-stream")
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if d.from != want {
			t.Errorf("with %s trusted the client is %s, want %s", trusted, d.from, want)
		}
	}
}
