package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The website answers as before, and has a hub below /live.
func TestEmbed(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	var site listening
	app := fxtest.New(t, application("127.0.0.1:0", t.TempDir()), fx.Populate(&site))
	app.RequireStart()
	defer app.RequireStop()
	url := "http://" + site.String()

	if got := body(t, get(t, url+"/")); got != "Hello from the website.\n" {
		t.Errorf("the website says %q", got)
	}
	stream := get(t, url+"/live/v1/events?topic=cards/**")
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	expect(t, lines, "event: hub.sync") // from here on, nothing is missed

	answer, err := http.Post(url+"/live/v1/events", "application/json",
		strings.NewReader(`{"topic":"cards/board-1","type":"card.moved","key":"card-42"}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, answer); answer.StatusCode != http.StatusOK || !strings.Contains(got, `"version":1`) {
		t.Fatalf("published: %d %s", answer.StatusCode, got)
	}
	expect(t, lines, "event: card.moved")
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func body(t *testing.T, answer *http.Response) string {
	t.Helper()
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// expect reads up to a line.
func expect(t *testing.T, lines *bufio.Scanner, want string) {
	t.Helper()
	for lines.Scan() {
		if lines.Text() == want {
			return
		}
	}
	t.Fatal(fmt.Errorf("the stream ended without %q: %w", want, lines.Err()))
}
