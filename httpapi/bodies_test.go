package httpapi

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

// A sender is a body that arrives, as its buffer sees it.
func sender(s *bodies, cuts *int) *buffer {
	return &buffer{of: s, cut: func() { *cuts++ }}
}

func TestBodiesShareTheirMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cuts int
		s := &bodies{free: 100}
		a, b, c := sender(s, &cuts), sender(s, &cuts), sender(s, &cuts)
		if !a.take(40) || !b.take(60) || s.free != 0 {
			t.Fatalf("two that fit do not: %d are free", s.free)
		}
		if c.take(1) || cuts > 0 {
			t.Error("one that has just begun gave way to a third")
		}
		time.Sleep(promptly)
		if !c.take(30) || cuts != 1 || !a.hasGivenWay() || s.free != 10 {
			t.Errorf("after %v: %d were cut, %d are free; want the oldest cut, and 10", promptly, cuts, s.free)
		}
		if a.take(1) {
			t.Error("one that has given way takes room again")
		}
		b.complete()
		if c.take(70) || cuts != 1 {
			t.Error("one that is complete had to give way")
		}
		b.release()
		b.release()
		if c.release(); s.free != 100 || len(s.arriving) != 0 {
			t.Errorf("at the end %d are free, and %d arrive", s.free, len(s.arriving))
		}
	})
}

func TestABodyGivesWayToItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var cuts int
		s := &bodies{free: 100}
		slow := sender(s, &cuts)
		slow.take(50)
		time.Sleep(promptly)
		if slow.take(101) || cuts != 1 || s.free != 100 {
			t.Errorf("it has more room than there is: %d are free", s.free)
		}
	})
}

// Bodies that stall hold so much memory and no more: large ones are refused for a
// moment, until the stalled give way, and small ones do not feel it.
func TestStalledBodies(t *testing.T) {
	for name, contentType := range map[string]string{"bodies": jsonType, "lines": ndjsonType} {
		t.Run(name, func(t *testing.T) {
			const large = 32 << 10
			s := start(t, hub.Config{}, Config{MaxBody: large, MaxBodies: 4 * large})
			var stalled []net.Conn
			stall := func() {
				stalled = append(stalled, s.dial(fmt.Sprintf("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: %s\r\n"+
					"Content-Length: %d\r\n\r\n%s", contentType, large, strings.Repeat("x", large-1))))
			}
			event := `{"topic":"a","type":"large","data":"` + strings.Repeat("x", large/2) + `"}`
			for _, want := range []int{http.StatusServiceUnavailable, http.StatusOK} {
				for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
					if want != http.StatusOK {
						stall()
					}
					a := s.do("POST", "/v1/events", event)
					if s.publish(`{"topic":"a","type":"small"}`); a.StatusCode == want {
						break
					}
					if time.Now().After(deadline) {
						t.Fatalf("with %d bodies stalled a large one is answered with %s, want %d", len(stalled), a.Status, want)
					}
				}
			}
			if text := firstProblem(stalled[0]); !strings.Contains(text, "all the memory that there is for them") {
				t.Errorf("the one that gave way hears %s", text)
			}
		})
	}
}

// firstProblem is the first line of an answer that is a problem document.
func firstProblem(conn net.Conn) string {
	answer := bufio.NewScanner(conn)
	for answer.Scan() {
		if strings.HasPrefix(answer.Text(), `{"type"`) {
			return answer.Text()
		}
	}
	return fmt.Sprintf("nothing: %v", answer.Err())
}

// What a large line took is given back with its answer, though the stream goes on.
func TestALargeLineIsNotKept(t *testing.T) {
	h := &handler{Config: Config{Hub: fake{err: nave.Errorf(nave.CodeBusy, "")}, MaxBody: 1 << 20}}
	h.bodies.free = 4 << 20
	x := newExchange(h, nil, nil)
	line := x.buffer()
	if !line.grow(1<<20, 1<<20) || h.bodies.free != 3<<20 {
		t.Fatalf("a line of 1 MiB leaves %d", h.bodies.free)
	}
	line.bytes = line.bytes[:1<<20]
	line.restart()
	if cap(line.bytes) != 0 || h.bodies.free != 4<<20 {
		t.Errorf("%d bytes are kept, %d are free", cap(line.bytes), h.bodies.free)
	}
	line.grow(smallBody, 1<<20)
	line.restart()
	if cap(line.bytes) != smallBody || h.bodies.free != 4<<20 {
		t.Errorf("of a small one %d bytes are kept, %d are free", cap(line.bytes), h.bodies.free)
	}
}
