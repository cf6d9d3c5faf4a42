package tests

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

func card(topic, key string, data any) harness.Event {
	return harness.Event{Topic: topic, Type: "card.moved", Key: key, Data: data}
}

// Every client sees events in offset order, over all topics that it follows.
func TestOneOrder(t *testing.T) {
	hub := trial.Hub(t)
	var clients []*harness.Subscriber
	for i := range 8 {
		clients = append(clients, trial.Follow(t, hub, "board/*", fmt.Sprintf("other/%d", i)))
	}
	const writers, each = 8, 50
	var publishers sync.WaitGroup
	for w := range writers {
		publishers.Go(func() {
			for i := range each {
				trial.Publish(t, hub, card(fmt.Sprintf("board/%d", (w+i)%5), "", i))
			}
		})
	}
	publishers.Wait()
	want := offsets(trial.Saw(t, clients[0], writers*each))
	if !slices.IsSorted(want) || len(slices.Compact(want)) != writers*each {
		t.Error("offsets do not rise without doubles")
	}
	for i, c := range clients[1:] {
		if got := offsets(trial.Saw(t, c, writers*each)); !slices.Equal(got, want) {
			t.Errorf("client %d saw another order than client 0", i+1)
		}
	}
}

func offsets(seen []harness.Seen) []uint64 {
	all := make([]uint64, len(seen))
	for i, s := range seen {
		all[i] = s.Offset
	}
	return all
}

// Publishing a durable event answers success only when it is on stable storage.
func TestAYesIsAYes(t *testing.T) {
	hub := trial.Hub(t)
	for round := range 5 {
		a := trial.Publish(t, hub, card("board/1", "card-1", round))
		if err := hub.Kill(); err != nil { // at once after the yes
			t.Fatal(err)
		}
		trial.Begin(t, hub)
		var state struct {
			Items []struct {
				Version uint64
				Data    int
			}
		}
		get(t, hub, "/v1/state?topic=board/*", &state)
		if len(state.Items) != 1 || state.Items[0].Version != a.Events[0].Version || state.Items[0].Data != round {
			t.Fatalf("round %d: state after kill -9 = %+v, want what was acknowledged at %d", round, state, a.Events[0].Offset)
		}
	}
}

func get(t *testing.T, hub *harness.Process, path string, into any) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(trial.Soon(t), http.MethodGet, hub.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatalf("GET %s: %s: %v", path, resp.Status, err)
	}
	return resp
}

// A batch is stored whole or not at all, and delivered so.
func TestAllOrNothing(t *testing.T) {
	hub := trial.Hub(t)
	all, some := trial.Follow(t, hub, "**"), trial.Follow(t, hub, "column/done", "card/*")
	batch := []harness.Event{
		card("column/todo", "todo", 1), card("column/done", "done", 2), card("card/42", "card-42", 3),
	}
	trial.Publish(t, hub, batch...)

	// One condition that does not hold refuses all of it.
	stale := uint64(1 << 40)
	batch[2].IfVersion = &stale
	a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), batch...)
	if err != nil || a.Status != http.StatusConflict {
		t.Fatalf("batch with a stale version: %d %v, want 409", a.Status, err)
	}
	trial.Publish(t, hub, card("column/done", "", "after"), card("card/42", "", "after"))

	for name, c := range map[string]*harness.Subscriber{"all": all, "some": some} {
		for _, e := range trial.Saw(t, c, 4) { // a cursor within a batch would let a reconnect split it
			if last := e.Batch.I+1 == e.Batch.N; last != (e.Cursor != "") {
				t.Errorf("%s: event %d of %d came with cursor %q", name, e.Batch.I, e.Batch.N, e.Cursor)
			}
		}
	}
	if got := trial.Saw(t, all, 5); len(got) != 5 || got[0].Offset+2 != got[2].Offset || got[2].Batch.N != 3 {
		t.Errorf("all saw %+v", got)
	}
	if got := trial.Saw(t, some, 4); len(got) != 4 || got[0].Batch.I != 1 || got[1].Batch.I != 2 {
		t.Errorf("some saw %+v", got)
	}
}

// A client that comes back gets exactly what it missed, or is told.
func TestResumeOrBeTold(t *testing.T) {
	hub := trial.Hub(t)
	c := trial.Follow(t, hub, "board/*")
	trial.Publish(t, hub, card("board/1", "", 0))
	trial.Saw(t, c, 1)
	cursor := c.Cursor()
	for i := range 20 {
		trial.Publish(t, hub, card("board/1", "", i), card("other/1", "", i))
	}
	if err := hub.Terminate(); err != nil {
		t.Fatalf("SIGTERM: %v", err)
	}
	trial.Begin(t, hub)
	back := trial.Resume(t, hub, cursor, "board/*")
	if got := offsets(trial.Saw(t, back, 20)); !slices.Equal(got, offsets(trial.Saw(t, c, 21))[1:]) {
		t.Errorf("back saw %v", got)
	}
	if v := back.Verdicts(); v[0] != "recovered" {
		t.Errorf("verdict = %v, want recovered", v)
	}
	for cursor, want := range map[string]string{
		"not a cursor":   "reset malformed",
		"someotherhub-7": "reset foreign-epoch",
		strings.Split(cursor, "-")[0] + "-9999999999": "reset ahead",
	} {
		told := trial.Resume(t, hub, cursor, "board/*")
		if v := told.Verdicts(); v[0] != want {
			t.Errorf("cursor %q: verdict = %v, want %s", cursor, v, want)
		}
	}
}

// Whoever sends slowly does not hold up the end: it hears why.
func TestShutdownDoesNotWaitForSlowPublishers(t *testing.T) {
	hub := trial.Hub(t)
	var answers []*bufio.Reader
	for _, body := range []string{
		"Content-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n1b\r\n{\"topic\":\"a/1\",\"type\":\"x\"}\n\r\n",
		"Content-Length: 100\r\n\r\n{\"topic\":",
	} {
		conn, err := net.Dial("tcp", hub.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/events HTTP/1.1\r\nHost: %s\r\n%s", hub.Addr, body)
		answers = append(answers, bufio.NewReader(conn))
	}
	for line := ""; !strings.Contains(line, "offset"); { // the first line has been answered
		var err error
		if line, err = answers[0].ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	if err := hub.Terminate(); err != nil {
		t.Errorf("SIGTERM: %v\n%s", err, hub.Output())
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("the end took %v", took)
	}
	for i, r := range answers {
		rest, _ := io.ReadAll(r)
		if !strings.Contains(string(rest), "draining") {
			t.Errorf("publisher %d hears %q, want that the hub is shutting down", i, rest)
		}
	}
}

// First writer wins, the other is told and can rebase.
func TestFirstWriterWins(t *testing.T) {
	hub := trial.Hub(t)
	const writers = 16
	var total int
	var mu sync.Mutex
	var done sync.WaitGroup
	for range writers {
		done.Go(func() {
			var version uint64
			var value int
			for { // add one to the shared counter, rebasing on every conflict
				e := card("counter/1", "counter", value+1)
				e.IfVersion = &version
				a, err := harness.Publish(trial.Soon(t), hub.URL("/v1/events"), e)
				if err != nil {
					t.Error(err)
					return
				}
				if a.Status == http.StatusOK {
					mu.Lock()
					total++
					mu.Unlock()
					return
				}
				if a.Status != http.StatusConflict || len(a.Conflicts) != 1 {
					t.Errorf("answer = %+v, want a conflict", a)
					return
				}
				version = a.Conflicts[0].Version
				var current struct{ Data int }
				if err := json.Unmarshal(a.Conflicts[0].Event, &current); err != nil {
					t.Error(err)
					return
				}
				value = current.Data
			}
		})
	}
	done.Wait()
	var state struct{ Items []struct{ Data int } }
	get(t, hub, "/v1/state?topic=counter/*", &state)
	if total != writers || len(state.Items) != 1 || state.Items[0].Data != writers {
		t.Errorf("%d writers succeeded, and the counter is %+v", total, state.Items)
	}
}

// The same (source, id) is stored once, also across a restart.
func TestOnce(t *testing.T) {
	hub := trial.Hub(t)
	c := trial.Follow(t, hub, "board/*")
	e := card("board/1", "card-1", "once")
	e.ID, e.Source = "id-1", "test"
	first := trial.Publish(t, hub, e)
	if err := hub.Kill(); err != nil {
		t.Fatal(err)
	}
	trial.Begin(t, hub)
	again := trial.Publish(t, hub, e)
	if again.Cursor != first.Cursor || again.Events[0] != first.Events[0] {
		t.Errorf("again = %+v, first = %+v", again, first)
	}
	trial.Publish(t, hub, card("board/1", "", "next"))
	if got := trial.Saw(t, c, 2); len(got) != 2 || got[0].Offset != first.Events[0].Offset {
		t.Errorf("saw %+v, want the event once", got)
	}
}
