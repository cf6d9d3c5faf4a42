package spoke

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/sse"
)

func streams(r *http.Request) bool { return r.Header.Get("Accept") == sse.MediaType }

// aPage has the events of the offsets, each of its own but for batches such as "3+4".
func aPage(cursor, level, sync string, batches ...string) string {
	var events []string
	for _, b := range batches {
		offsets := strings.Split(b, "+")
		for i, offset := range offsets {
			events = append(events, fmt.Sprintf(`{"type":"t","topic":"a","offset":%s,"batch":{"i":%d,"n":%d}}`, offset, i, len(offsets)))
		}
	}
	return fmt.Sprintf(`{"cursor":%q,"sync":{%s},"level":%q,"events":[%s]}`, cursor, sync, level, strings.Join(events, ","))
}

const recovered = `"status":"recovered"`

func sendJSON(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}

const givenUp = `{"status":503,"code":"degraded","detail":"there are no streams for now","level":"polling"}`

// A hub that has no streams is polled, with the same cursor, until it says that it has
// them again.
func TestPollsWhileTheHubSaysSo(t *testing.T) {
	var asked atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		cursor := r.Header.Get("Last-Event-ID")
		switch n := asked.Add(1); {
		case n == 1 && streams(r):
			sendJSON(w, 503, givenUp)
		case n == 2 && !streams(r) && cursor == "e-1" && r.URL.Query().Get("wait") != "":
			sendJSON(w, 200, aPage("e-5", "polling", recovered, "2", "3+4"))
		case n == 3 && !streams(r) && cursor == "e-5":
			sendJSON(w, 200, aPage("e-7", "normal", recovered, "7"))
		case n == 4 && streams(r) && cursor == "e-7":
			write(w, r, synced+one(8), true)
		default:
			http.Error(w, fmt.Sprint(n, r.URL, cursor), http.StatusBadRequest)
		}
	})
	var states []State
	got, _ := record(t, hub, SubscribeConfig{Cursor: "e-1", OnStatus: func(s Status) { states = append(states, s.State) }}, 4)
	if diff := cmp.Diff([]string{"a2", "a3+a4", "a7", "a8"}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]State{Polling, Live}, states); diff != "" {
		t.Error(diff)
	}
}

// A hub that ends a stream for its level is polled too, after the time that it wishes.
func TestPollsWhenToldOnTheStream(t *testing.T) {
	const bye = "event: hub.level\ndata: {\"level\":\"polling\",\"poll\":true,\"retryMs\":30}\n\n" +
		"event: hub.bye\nretry: 30\ndata: {\"reason\":\"level\",\"retryMs\":30}\n\n"
	var told atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if streams(r) {
			told.Store(time.Now().UnixNano())
			write(w, r, synced+one(2)+bye, false)
		}
		if waited := time.Duration(time.Now().UnixNano() - told.Load()); waited < 30*time.Millisecond {
			t.Errorf("it polls after %v", waited)
		}
		sendJSON(w, 200, aPage("e-3", "polling", recovered, "3"))
	})
	got, _ := record(t, hub, SubscribeConfig{Cursor: "e-1"}, 2)
	if diff := cmp.Diff([]string{"a2", "a3"}, got); diff != "" {
		t.Error(diff)
	}
}

// What holds back a stream is found out, and polled through; streams are tried again.
func TestPollsThroughWhatHoldsBack(t *testing.T) {
	var muted atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if streams(r) {
			muted.Add(1)
			<-r.Context().Done()
			return
		}
		sendJSON(w, 200, aPage("e-2", "normal", recovered, "2"))
	})
	const proof = 300 * time.Millisecond // in which a busy machine, too, has asked
	got, _ := record(t, hub, SubscribeConfig{Cursor: "e-1", Proof: proof}, 1)
	if got[0] != "a2" || muted.Load() != 2 {
		t.Errorf("got %v, after %d tries to stream", got, muted.Load())
	}
}

// A page may say that events are missing, or be a snapshot.
func TestPagesWithoutResume(t *testing.T) {
	var pages atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case streams(r):
			sendJSON(w, 503, givenUp)
		case pages.Add(1) == 1:
			sendJSON(w, 200, aPage("e-9", "polling", `"status":"reset","reason":"retention"`))
		default:
			sendJSON(w, 200, aPage("e-9", "polling", `"status":"live","snapshot":"whole"`, "3", "7"))
		}
	})
	got, s := record(t, hub, SubscribeConfig{Cursor: "e-1"}, 2)
	if diff := cmp.Diff([]string{"retention", "[a3+a7]"}, got); diff != "" || s.Cursor() != "e-9" && s.Cursor() != "e-1" {
		t.Errorf("%s, cursor %s", diff, s.Cursor())
	}
}

// What is no hub is said at once, and not asked again and again.
func TestPollsNoStranger(t *testing.T) {
	for _, page := range []string{`{"hello":1}`, `<h1>`, `{"cursor":"?"}`} {
		hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			if streams(r) {
				sendJSON(w, 503, givenUp)
				return
			}
			sendJSON(w, 200, page)
		})
		var last error
		for _, err := range hub.Subscribe(SubscribeConfig{Filters: nave.Filters{"a"}}).Batches(t.Context()) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), "is no hub") {
			t.Errorf("%s: %v", page, last)
		}
	}
}

// What does not hold back an empty page, such as a cache, is not asked without a pause.
func TestPollsAtItsOwnPace(t *testing.T) {
	var pages atomic.Int64
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if streams(r) {
			sendJSON(w, 503, givenUp)
			return
		}
		pages.Add(1)
		sendJSON(w, 200, aPage("e-5", "polling", recovered))
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for _, err := range hub.Subscribe(SubscribeConfig{Filters: nave.Filters{"a"}}).Batches(ctx) {
		t.Error(err)
	}
	if n := pages.Load(); n != 2 {
		t.Errorf("%d pages, want 2", n)
	}
}

// Whatever answers in a hub's place, once there was one it is waited for.
func TestWaitsForTheHubThatWas(t *testing.T) {
	html := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("<h1>We are sorry"))
		}
	}
	for name, away := range map[string]http.HandlerFunc{
		"maintenance": html(200), "not found": html(404), "of a proxy's own": html(520),
		"defect": func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, 500, `{"status":500,"code":"internal"}`) },
	} {
		var asked atomic.Int64
		hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
			switch asked.Add(1) {
			case 1:
				write(w, r, synced+one(2), false)
			case 2:
				away(w, r)
			default:
				write(w, r, synced+one(3), true)
			}
		})
		got, _ := record(t, hub, SubscribeConfig{Cursor: "e-1", Retry: time.Millisecond}, 2)
		if diff := cmp.Diff([]string{"a2", "a3"}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// A page's event is passed on as a stream's.
func TestWithoutType(t *testing.T) {
	for text, want := range map[string]string{
		`{"type":"t","topic":"a","data":1}`: `{"topic":"a","data":1}`,
		`{"type":"t"}`:                      `{}`,
		`{"topic":"type"}`:                  `{"topic":"type"}`,
		`[]`:                                `[]`,
	} {
		if got := withoutType([]byte(text)); string(got) != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}
