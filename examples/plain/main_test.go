package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A hub that was put together by hand stores an event, and has it after a
// restart.
func TestPlain(t *testing.T) {
	data := t.TempDir()
	withHub(t, data, func(url string) {
		answer, err := http.Post(url+"/v1/events", "application/json",
			strings.NewReader(`{"topic":"cards/board-1","type":"card.moved","key":"card-42","data":{"to":"done"}}`))
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Fatalf("status %d", answer.StatusCode)
		}
	})
	withHub(t, data, func(url string) {
		answer, err := http.Get(url + "/v1/state?topic=cards/*")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		state, err := io.ReadAll(answer.Body)
		if err != nil || !strings.Contains(string(state), `{"to":"done"}`) {
			t.Errorf("the state is %s: %v", state, err)
		}
	})
}

// withHub calls use with the address of a hub, and ends the hub in good order.
func withHub(t *testing.T, data string, use func(url string)) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener, data) }() // ends below
	use("http://" + listener.Addr().String())
	http.DefaultClient.CloseIdleConnections()
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
