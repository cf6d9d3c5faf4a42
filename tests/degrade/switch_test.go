// Package degrade has the hub give things up, and come back: on real processes, with
// clients that do what they are told.
package degrade

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

// A follower does as a spoke does: it streams while it can, and polls while it is told
// to, on the same cursor. It writes down what it sees.
type follower struct {
	hub    *harness.Process
	client *http.Client

	mu      sync.Mutex
	cursor  string
	offsets []uint64
	live    bool
	told    time.Time // when it was last told to poll
	polls   int
	resets  int
	errs    []string
}

func (f *follower) note(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *follower) follow(ctx context.Context) {
	for ctx.Err() == nil {
		if poll, err := f.stream(ctx); err != nil && ctx.Err() == nil {
			f.note(func() { f.errs = append(f.errs, err.Error()) })
		} else if poll {
			f.poll(ctx)
		}
		f.note(func() { f.live = false })
		time.Sleep(20 * time.Millisecond)
	}
}

func (f *follower) get(ctx context.Context, accept string) (*http.Response, error) {
	query := url.Values{"topic": {"a/**"}, "cursor": {f.cursor}}
	if f.cursor == "" {
		query.Del("cursor")
	}
	r, err := http.NewRequestWithContext(ctx, "GET", f.hub.URL("/v1/events?"+query.Encode()), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", accept)
	return f.client.Do(r)
}

// stream follows one stream to its end, and reports whether to poll from then on.
func (f *follower) stream(ctx context.Context) (poll bool, err error) {
	resp, err := f.get(ctx, "text/event-stream")
	if err != nil {
		return false, nil // the hub is being restarted
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var p struct{ Code, Level string }
		text, _ := io.ReadAll(resp.Body)
		_ = json.Unmarshal(text, &p)
		if p.Code == "draining" || p.Code == "unavailable" {
			return false, nil
		}
		if p.Code != "degraded" || p.Level != "polling" || resp.Header.Get("Retry-After") == "" {
			return false, fmt.Errorf("a stream is refused with %s: %s", resp.Status, text)
		}
		return true, nil
	}
	reader := sse.NewReader(resp.Body)
	for {
		e, err := reader.Next()
		if err != nil {
			return poll, nil
		}
		f.note(func() {
			var data struct {
				Offset        uint64
				Status, Level string
				Poll          bool
			}
			_ = json.Unmarshal(e.Data, &data)
			switch {
			case e.Name == "hub.sync":
				f.live = true
				if data.Status == "reset" {
					f.resets++
				}
			case e.Name == "hub.level" && data.Poll:
				poll, f.told = true, time.Now()
			case e.Name == "moved":
				f.offsets = append(f.offsets, data.Offset)
			}
			if e.ID != "" {
				f.cursor = e.ID
			}
		})
	}
}

// poll asks for pages until the hub says that all is well again.
func (f *follower) poll(ctx context.Context) {
	for ctx.Err() == nil {
		resp, err := f.get(ctx, "application/json")
		if err != nil {
			return
		}
		var page struct {
			Cursor, Level string
			Sync          struct{ Status string }
			Events        []struct{ Offset uint64 }
		}
		err = json.NewDecoder(resp.Body).Decode(&page)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK || err != nil {
			return
		}
		f.note(func() {
			f.polls++
			f.cursor = page.Cursor
			for _, e := range page.Events {
				f.offsets = append(f.offsets, e.Offset)
			}
			if page.Sync.Status == "reset" {
				f.resets++
			}
		})
		if page.Level == "normal" {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// publisher publishes one event after the other, and notes where each went.
func publisher(ctx context.Context, hub *harness.Process) (offsets []uint64) {
	for i := 0; ctx.Err() == nil; i++ {
		body := fmt.Sprintf(`{"topic":"a/%d","type":"moved","id":"%d","source":"test","data":%d}`, i%7, i, i)
		for {
			resp, err := http.Post(hub.URL("/v1/events"), "application/json", strings.NewReader(body))
			if err == nil {
				var answer struct{ Events []struct{ Offset uint64 } }
				err = json.NewDecoder(resp.Body).Decode(&answer)
				resp.Body.Close()
				if err == nil && resp.StatusCode == http.StatusOK {
					offsets = append(offsets, answer.Events[0].Offset)
					break
				}
			}
			time.Sleep(20 * time.Millisecond) // it is being restarted: again, under the same id
		}
		time.Sleep(5 * time.Millisecond)
	}
	return offsets
}

// The switch is thrown and put back under load, with a restart in between. All are
// told within a second, poll with the cursors that they have, stream again, and miss
// nothing.
func TestSwitch(t *testing.T) {
	clients := trial.Pick(200, 1000)
	hub := trial.CheckedHub(t)
	defer http.DefaultClient.CloseIdleConnections()
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	followers := make([]*follower, clients)
	var running sync.WaitGroup
	for i := range followers {
		followers[i] = &follower{hub: hub, client: &http.Client{Transport: transport}}
		running.Go(func() { followers[i].follow(ctx) })
	}
	await(t, "all stream", followers, func(f *follower) bool { return f.live })
	publishing, stop := context.WithCancel(ctx)
	published := make(chan []uint64, 1)
	go func() { published <- publisher(publishing, hub) }() // ends with stop
	time.Sleep(time.Second)

	thrown := time.Now()
	level(t, hub, "PUT", `{"level":"polling","reason":"a trial"}`, "polling")
	await(t, "all have been told", followers, func(f *follower) bool { return f.told.After(thrown) })
	var latest time.Duration
	for _, f := range followers {
		f.note(func() { latest = max(latest, f.told.Sub(thrown)) })
	}
	await(t, "all poll", followers, func(f *follower) bool { return f.polls > 1 })

	if err := hub.Terminate(); err != nil {
		t.Error(err)
	}
	trial.Begin(t, hub)
	level(t, hub, "GET", "", "polling") // over the restart
	time.Sleep(time.Second)
	put := time.Now()
	level(t, hub, "DELETE", "", "normal")
	await(t, "all stream again", followers, func(f *follower) bool { return f.live })
	back := time.Since(put)
	time.Sleep(time.Second)
	stop()
	want := <-published
	await(t, "all have all", followers, func(f *follower) bool {
		return len(f.offsets) > 0 && f.offsets[len(f.offsets)-1] == want[len(want)-1]
	})
	cancel()
	running.Wait()
	lost, double, resets, polls := judge(t, followers, want)
	table := trial.NewTable(t, "switch", "the switch is thrown and put back, under load")
	table.Row("clients", "", "%d", clients)
	table.Row("events published", "", "%d", len(want))
	table.AtMost("until the last was told to poll", time.Second, latest)
	table.Row("polls, a restart of the hub among them", "", "%d", polls)
	table.Row("until the last streamed again", "", "%v", back.Round(time.Millisecond))
	table.Count("lost", lost)
	table.Count("double, or out of order", double)
	table.Count("resets", resets)
}

// judge compares what followers saw with what was published.
func judge(t *testing.T, followers []*follower, want []uint64) (lost, double, resets, polls int) {
	t.Helper()
	for _, f := range followers {
		seen := make(map[uint64]bool)
		var last uint64
		for _, offset := range f.offsets {
			if offset <= last {
				double++
			}
			seen[offset], last = true, offset
		}
		for _, offset := range want {
			if !seen[offset] {
				lost++
			}
		}
		resets += f.resets
		polls += f.polls
		if len(f.errs) > 0 {
			t.Errorf("a client met %q", f.errs[0])
		}
	}
	return lost, double, resets, polls
}

func level(t *testing.T, hub *harness.Process, method, body, want string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, hub.URL("/v1/admin/level"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var now struct{ Level string }
	if err := json.NewDecoder(resp.Body).Decode(&now); err != nil || now.Level != want {
		t.Fatalf("%s: %s, the level is %q, want %q: %v", method, resp.Status, now.Level, want, err)
	}
}

var errLate = errors.New("it takes too long")

func await(t *testing.T, what string, followers []*follower, done func(*follower) bool) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		left := 0
		for _, f := range followers {
			f.note(func() {
				if !done(f) {
					left++
				}
			})
		}
		if left == 0 {
			return
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("%s: %v: %d of %d are not there", what, errLate, left, len(followers))
		}
	}
}
