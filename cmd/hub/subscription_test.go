package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/sse"
)

// A recorder notes what a subscription hands over.
type recorder struct {
	got   []string
	until int // how many events end the test
	end   context.CancelFunc
	names []string
}

func (r *recorder) events(events []event) error {
	var together []string
	for _, e := range events {
		together = append(together, fmt.Sprintf("%s%d", e.Topic, e.Offset))
	}
	r.got = append(r.got, strings.Join(together, "+"))
	if len(r.got) == r.until {
		r.end()
	}
	return nil
}

func (r *recorder) notice(e sse.Event)        { r.names = append(r.names, e.Name) }
func (r *recorder) lost(error, time.Duration) {}

// record follows a until so many times events have been handed over.
func record(t *testing.T, s *subscription, until int) *recorder {
	t.Helper()
	hub, err := newAPI("", "")
	if err != nil {
		t.Fatal(err)
	}
	defer hub.close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	r := &recorder{until: until, end: cancel}
	s.hub, s.filters, s.to = hub, []string{"a"}, r
	if s.silence == 0 {
		s.silence = silence
	}
	if err := s.follow(ctx); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() == context.DeadlineExceeded {
		t.Fatalf("still waiting, after %v and %v", r.got, r.names)
	}
	return r
}

// write writes a piece of a stream, and holds the connection if asked to.
func write(w http.ResponseWriter, r *http.Request, text string, hold bool) {
	w.Header().Set("Content-Type", sse.MediaType)
	_, _ = w.Write([]byte(text))
	_ = http.NewResponseController(w).Flush()
	if hold {
		<-r.Context().Done()
	}
	panic(http.ErrAbortHandler) // cuts the connection in the middle of the body
}

const synced = "event: hub.sync\nretry: 1\ndata: {\"status\":\"recovered\"}\n\n"

func one(offset int) string {
	return fmt.Sprintf("event: t\ndata: {\"topic\":\"a\",\"offset\":%d}\nid: e-%d\n\n", offset, offset)
}

// batch is n events that were published together.
func batch(offset, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "event: t\ndata: {\"topic\":\"a\",\"offset\":%d,\"batch\":{\"i\":%d,\"n\":%d}}\n", offset+i, i, n)
		if i == n-1 {
			fmt.Fprintf(&b, "id: e-%d\n", offset+i)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func heartbeat(offset int) string {
	return fmt.Sprintf("event: hub.heartbeat\ndata: {}\nid: e-%d\n\n", offset)
}

// Wherever a connection is cut, the next one goes on without a gap, without a
// double, and without a batch in pieces.
func TestEveryCut(t *testing.T) {
	blocks := map[string]string{ // by the cursor that comes before
		"e-1": one(2), "e-2": batch(3, 3), "e-5": one(6), "e-6": heartbeat(7), "e-7": batch(8, 2),
	}
	rest := func(cursor string) string {
		text := synced
		for _, at := range []string{"e-1", "e-2", "e-5", "e-6", "e-7"} {
			if at >= cursor {
				text += blocks[at]
			}
		}
		return text
	}
	whole := rest("e-1")
	var cut, connection atomic.Int64
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		text := rest(r.Header.Get("Last-Event-ID"))
		if connection.Add(1) == 1 {
			write(w, r, text[:cut.Load()], false)
		}
		write(w, r, text, true)
	})
	for at := range len(whole) {
		cut.Store(int64(at))
		connection.Store(0)
		r := record(t, &subscription{cursor: "e-1", retry: time.Millisecond}, 4)
		if diff := cmp.Diff([]string{"a2", "a3+a4+a5", "a6", "a8+a9"}, r.got); diff != "" {
			t.Fatalf("cut after %q:\n%s", whole[:at], diff)
		}
	}
}

// A snapshot that breaks off begins anew, and is handed over once.
func TestSnapshotIsWhole(t *testing.T) {
	const (
		begin = "event: hub.sync\nretry: 1\ndata: {\"status\":\"live\",\"snapshot\":\"begin\"}\n\n"
		item  = "event: t\ndata: {\"topic\":\"a\",\"key\":\"k\",\"offset\":%d}\n\n"
		end   = "event: hub.sync\nid: e-9\ndata: {\"status\":\"live\",\"snapshot\":\"end\"}\n\n"
	)
	var cursors []string
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		cursors = append(cursors, r.Header.Get("Last-Event-ID")+r.URL.RawQuery)
		switch len(cursors) {
		case 1:
			write(w, r, begin+fmt.Sprintf(item, 3), false)
		case 2:
			write(w, r, begin+fmt.Sprintf(item, 3)+fmt.Sprintf(item, 5)+end, false)
		default:
			write(w, r, synced+one(10), true)
		}
	})
	r := record(t, &subscription{snapshot: true}, 2)
	if diff := cmp.Diff([]string{"a3+a5", "a10"}, r.got); diff != "" {
		t.Error(diff)
	}
	want := []string{"snapshot=true&topic=a", "snapshot=true&topic=a", "e-9snapshot=true&topic=a"}
	if diff := cmp.Diff(want, cursors); diff != "" {
		t.Error(diff)
	}
}

// A transient event has no place in the order: nothing to wait for.
func TestTransientIsHandedOverAtOnce(t *testing.T) {
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, r, synced+"event: t\ndata: {\"topic\":\"a\"}\n\n", true)
	})
	if r := record(t, &subscription{}, 1); r.got[0] != "a0" {
		t.Errorf("got %v", r.got)
	}
}

// A reset on a living connection drops what had begun before it.
func TestResetDropsWhatIsPending(t *testing.T) {
	const reset = "event: hub.sync\nid: e-50\ndata: {\"status\":\"reset\",\"reason\":\"retention\"}\n\n"
	half, _, _ := strings.Cut(batch(3, 2), "\n\n")
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, r, synced+half+"\n\n"+reset+one(51), true)
	})
	s := &subscription{}
	if r := record(t, s, 1); r.got[0] != "a51" || s.cursor != "e-51" {
		t.Errorf("got %v, cursor %s", r.got, s.cursor)
	}
}

// A connection that says nothing is given up.
func TestWatchdog(t *testing.T) {
	var connections atomic.Int64
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if connections.Add(1) == 1 {
			write(w, r, synced+one(2), true) // and then nothing
		}
		write(w, r, synced+one(3), true)
	})
	r := record(t, &subscription{silence: 50 * time.Millisecond}, 2)
	if diff := cmp.Diff([]string{"a2", "a3"}, r.got); diff != "" {
		t.Error(diff)
	}
}

// The hub's wish is what counts: of hub.bye to the millisecond, of 503 at least.
func TestWait(t *testing.T) {
	s := subscription{retry: 3 * time.Second, bye: true}
	if got := s.wait(5, 0); got != 3*time.Second {
		t.Errorf("after a goodbye: %v", got)
	}
	s.bye = false
	for failures, most := range map[int]time.Duration{0: 3 * time.Second, 1: 6 * time.Second, 60: mostRetry} {
		if got := s.wait(failures, 0); got < most/2 || got > most {
			t.Errorf("after %d failures: %v, want about %v", failures, got, most)
		}
	}
	if got := s.wait(0, time.Minute); got < time.Minute {
		t.Errorf("after Retry-After: %v", got)
	}
}
