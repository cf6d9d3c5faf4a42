package wiring

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
)

// boundedServer serves on a listener that takes one connection at a time.
func boundedServer(t *testing.T) (address string) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })}
	served := make(chan error)
	go func() { served <- server.Serve(newBoundedListener(inner, 1, nil)) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return inner.Addr().String()
}

func TestConnectionsBeyondTheLimitAreRefusedInWords(t *testing.T) {
	address := boundedServer(t)
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
	address := boundedServer(t)
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
