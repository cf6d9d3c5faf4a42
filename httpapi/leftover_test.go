package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/actors/hub"
)

// A body that nobody wants to read holds the connection no longer than one that
// is read.
func TestUnreadBodyIsNotWaitedFor(t *testing.T) {
	s := start(t, hub.Config{}, Config{ReadTimeout: 50 * time.Millisecond})
	for _, request := range []string{"POST /v1/event", "GET /v1/events", "GET /livez", "POST /v1/state", "OPTIONS /v1/events"} {
		t.Run(request, func(t *testing.T) {
			conn := s.dial(request + " HTTP/1.1\r\nHost: hub\r\nAccept: application/json\r\n" +
				"Access-Control-Request-Method: POST\r\nContent-Length: 100\r\n\r\n{")
			if all, err := io.ReadAll(conn); err != nil {
				t.Errorf("after %q: %v", all, err)
			}
		})
	}
}

// Who sends slowly what is refused hears that it is, although the body takes
// longer than an answer may.
func TestSlowBodyHearsWhyNot(t *testing.T) {
	s := start(t, hub.Config{}, Config{ReadTimeout: 300 * time.Millisecond, WriteTimeout: 50 * time.Millisecond})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Encoding: gzip\r\nContent-Length: 100\r\n\r\n{")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	(&answer{t, response, string(body)}).refused(codeMediaType, "send the body as it is")
}

// What comes of a body after its time is over is no request.
func TestRestOfLinesIsNoRequest(t *testing.T) {
	s := start(t, hub.Config{}, Config{ReadTimeout: 50 * time.Millisecond})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n{")
	if text := firstProblem(conn); !strings.Contains(text, `"timeout"`) {
		t.Fatalf("an unfinished line is answered with %s", text)
	}
	_, _ = io.WriteString(conn, "GET /livez HTTP/1.1\r\nHost: smuggled\r\n\r\n") // may fail: the connection is closed
	if rest, _ := io.ReadAll(conn); strings.Contains(string(rest), "alive") {
		t.Errorf("the rest of the body is taken for a request, and answered:\n%s", rest)
	}
}

// An answer does not wait for the line after, of which a part is there.
func TestALineIsAnsweredBeforeTheNextIsWhole(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" +
		`{"topic":"a","type":"x"}` + "\n" + `{"topic":`)
	awaitLine(t, bufio.NewReader(conn), `"offset":1`)
}

// awaitLine reads up to a line with the text in it.
func awaitLine(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("no line with %s: %v", text, err)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

// Blank lines are no lines: an answer does not wait for what comes after them.
func TestALineIsAnsweredBeforeBlankOnes(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\n\r\n" +
		`{"topic":"a","type":"x"}` + "\n\n \t\r\n\n{")
	awaitLine(t, bufio.NewReader(conn), `"offset":1`)
}

// A client that says by a FIN that its request is complete is told the outcome.
func TestHalfClosedPublisherHearsTheOutcome(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	for i := range 20 {
		const body = `{"topic":"a","type":"x"}`
		conn := s.dial(fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if want := fmt.Sprintf(`"offset":%d`, i+1); response.StatusCode != http.StatusOK || !strings.Contains(string(text), want) {
			t.Fatalf("publish %d is answered with %s %s", i, response.Status, text)
		}
	}
}
