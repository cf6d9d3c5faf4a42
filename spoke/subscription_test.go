package spoke

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

// newServer serves as a hub would.
func newServer(t *testing.T, handle http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	hub, err := New(Config{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	return hub
}

// record follows topic a until so many batches have been handed over.
func record(t *testing.T, hub *Client, config SubscribeConfig, until int) (got []string, s *Subscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	config.Filters, config.Retry = nave.Filters{"a"}, time.Millisecond
	s = hub.Subscribe(config)
	for b, err := range s.Batches(ctx) {
		var reset *nave.ResetError
		switch {
		case errors.As(err, &reset):
			got = append(got, string(reset.Reason))
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, text(b))
		}
		if len(got) == until {
			return got, s
		}
	}
	t.Fatalf("still waiting, after %v", got)
	return nil, nil
}

func text(b Batch) string {
	var together []string
	for _, e := range b.Events {
		together = append(together, fmt.Sprintf("%s%d", e.Topic, e.Offset))
	}
	text := strings.Join(together, "+")
	if b.Snapshot {
		text = "[" + text + "]"
	}
	return text
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
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		text := rest(r.Header.Get("Last-Event-ID"))
		if connection.Add(1) == 1 {
			write(w, r, text[:cut.Load()], false)
		}
		write(w, r, text, true)
	})
	for at := range len(whole) {
		cut.Store(int64(at))
		connection.Store(0)
		got, _ := record(t, hub, SubscribeConfig{Cursor: "e-1"}, 4)
		if diff := cmp.Diff([]string{"a2", "a3+a4+a5", "a6", "a8+a9"}, got); diff != "" {
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
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
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
	got, _ := record(t, hub, SubscribeConfig{Snapshot: true}, 2)
	if diff := cmp.Diff([]string{"[a3+a5]", "a10"}, got); diff != "" {
		t.Error(diff)
	}
	want := []string{"snapshot=true&topic=a", "snapshot=true&topic=a", "e-9snapshot=true&topic=a"}
	if diff := cmp.Diff(want, cursors); diff != "" {
		t.Error(diff)
	}
}

// A transient event has no place in the order: nothing to wait for.
func TestTransientIsHandedOverAtOnce(t *testing.T) {
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, r, synced+"event: t\ndata: {\"topic\":\"a\"}\n\n", true)
	})
	if got, s := record(t, hub, SubscribeConfig{Cursor: "e-1"}, 1); got[0] != "a0" || s.Cursor() != "e-1" {
		t.Errorf("got %v, cursor %s", got, s.Cursor())
	}
}

// A reset on a living connection drops what had begun before it, is told, and only then
// moves the cursor.
func TestResetDropsWhatIsPending(t *testing.T) {
	const reset = "event: hub.sync\nid: e-50\ndata: {\"status\":\"reset\",\"reason\":\"retention\"}\n\n"
	half, _, _ := strings.Cut(batch(3, 2), "\n\n")
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, r, synced+half+"\n\n"+reset+one(51), true)
	})
	if got, s := record(t, hub, SubscribeConfig{Cursor: "e-2"}, 1); got[0] != "retention" || s.Cursor() != "e-2" {
		t.Errorf("got %v, cursor %s", got, s.Cursor())
	}
	if got, s := record(t, hub, SubscribeConfig{}, 2); got[1] != "a51" || s.Cursor() != "e-50" {
		t.Errorf("got %v, cursor %s", got, s.Cursor())
	}
}

// A batch that the loop has not come back from is handed over again.
func TestCursorMovesWithWhatIsHandled(t *testing.T) {
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		text := synced + one(2) + batch(3, 2)
		if r.Header.Get("Last-Event-ID") == "e-2" {
			text = synced + batch(3, 2)
		}
		write(w, r, text, true)
	})
	_, s := record(t, hub, SubscribeConfig{}, 2)
	if s.Cursor() != "e-2" {
		t.Errorf("cursor = %s while the second batch is being handled", s.Cursor())
	}
	for b, err := range s.Batches(t.Context()) {
		if err != nil || text(b) != "a3+a4" {
			t.Errorf("got %v, %v", b, err)
		}
		break
	}
}

// A connection that says nothing is given up.
func TestWatchdog(t *testing.T) {
	var connections atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if connections.Add(1) == 1 {
			write(w, r, synced+one(2), true) // and then nothing
		}
		write(w, r, synced+one(3), true)
	})
	got, _ := record(t, hub, SubscribeConfig{Silence: 50 * time.Millisecond}, 2)
	if diff := cmp.Diff([]string{"a2", "a3"}, got); diff != "" {
		t.Error(diff)
	}
}

// What the hub announces is what silence is measured by.
func TestWatchdogKeepsToWhatIsAnnounced(t *testing.T) {
	const often = "event: hub.sync\nretry: 1\ndata: {\"status\":\"live\",\"heartbeatMs\":20}\n\n"
	var connections atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		write(w, r, often+one(int(connections.Add(1))), true)
	})
	if got, _ := record(t, hub, SubscribeConfig{}, 2); got[1] != "a2" {
		t.Errorf("got %v", got)
	}
}

// The hub's wish is what counts: of Retry-After at least.
func TestNextTry(t *testing.T) {
	f := follower{Subscription: &Subscription{}, retry: 3 * time.Second}
	for failures, most := range map[int]time.Duration{1: 3 * time.Second, 2: 6 * time.Second, 60: mostRetry} {
		f.failures = failures
		if got := f.nextTry(0); got < most/2 || got > most {
			t.Errorf("after %d failures: %v, want about %v", failures, got, most)
		}
	}
	if got := f.nextTry(time.Minute); got < time.Minute {
		t.Errorf("after Retry-After: %v", got)
	}
}
