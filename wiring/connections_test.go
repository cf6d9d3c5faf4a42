package wiring

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/navehub/nave/telemetry"
)

// boundedServer serves on a listener with limits. What it counts as refused it sends
// to the channel, if there is one.
func boundedServer(t *testing.T, c *census, refused chan<- string) (address string) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	count := func(reason string) {
		if refused != nil {
			refused <- reason
		}
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}
	served := make(chan error)
	go func() { served <- server.Serve(newBoundedListener(inner, c, nil, count)) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return inner.Addr().String()
}

func TestConnectionsBeyondTheLimitAreRefusedInWords(t *testing.T) {
	address := boundedServer(t, &census{total: 1}, nil)
	first, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 2 * refusals { // one after the other: none is closed without a word
		resp, err := client.Get("http://" + address)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" ||
			resp.Header.Get("Content-Type") != "application/problem+json" || len(body) == 0 {
			t.Fatalf("%s, %v: %s", resp.Status, resp.Header, body)
		}
	}
}

func TestAConnectionThatEndsMakesRoomForAnother(t *testing.T) {
	address := boundedServer(t, &census{total: 1}, nil)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for range 20 {
		// The end of the one before may be noticed a little later.
		for status := 0; status != http.StatusNoContent; {
			resp, err := client.Get("http://" + address)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			status = resp.StatusCode
		}
	}
}

func nobody(netip.Addr) bool { return false }

// from makes connections that come from an address of this machine.
func from(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	refused := make(chan string, 1)
	address := boundedServer(t, &census{total: 10, each: 2, exempt: nobody}, refused)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	for range 2 {
		conn, err := dialer.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	resp, err := from("127.0.0.2").Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" ||
		!strings.Contains(string(body), "limits.connections_per_address") || !strings.Contains(string(body), "proxies.trusted") {
		t.Errorf("%s, %v: %s", resp.Status, resp.Header, body)
	}
	if reason := <-refused; reason != telemetry.RefusalAddress {
		t.Errorf("counted as %q", reason)
	}
	other, err := from("127.0.0.3").Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	other.Body.Close()
	if other.StatusCode != http.StatusNoContent {
		t.Errorf("another address is answered with %s", other.Status)
	}
}
