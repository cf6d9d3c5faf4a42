package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
)

// What is no defect of the board is not called one.
func TestProblemOf(t *testing.T) {
	for err, status := range map[error]int{
		fmt.Errorf("publish: %w", nave.Errorf(nave.CodeInvalid, "key: it has a control character")): http.StatusUnprocessableEntity,
		fmt.Errorf("read: %w", context.Canceled):                                                    http.StatusServiceUnavailable,
		fmt.Errorf("anything else"):                                                                 http.StatusInternalServerError,
	} {
		if p := problemOf(err); p.Status != status {
			t.Errorf("%v: %d %s, want %d", err, p.Status, p.Detail, status)
		}
	}
}

// A session's name that the hub does not take is the asker's fault.
func TestHeartbeatOfNoName(t *testing.T) {
	p := signedIn(t, begin(t), "ada")
	p.must(t, http.StatusUnprocessableEntity, "POST", "/api/sessions/heartbeat", map[string]string{"session": "\n", "state": "active"}, nil)
}

// Who sends half a body and waits does not hold the board up when it ends.
func TestHalfABody(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	at := begin(t)
	p := signedIn(t, at, "ada")
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cookie := p.http.Jar.Cookies(u)[0].String()
	fmt.Fprintf(conn, "PATCH /api/users/me HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", u.Host, cookie)
	_ = conn.SetReadDeadline(time.Now().Add(maxArrival + 20*time.Second))
	answer := make([]byte, 64)
	n, err := conn.Read(answer)
	if err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 400") {
		t.Errorf("answered %q: %v", answer[:n], err)
	}
}
