// Package spoke tries the Go client against real hubs, through what stands between it
// and them in the world: proxies that hold back, that cut off, that answer for themselves.
package spoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/proxy"
	"github.com/navehub/nave/tests/trial"
)

func TestMain(m *testing.M) { trial.Main(m) }

func client(t *testing.T, url string) *spoke.Client {
	t.Helper()
	c, err := spoke.New(spoke.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// A ground is where a trial takes place.
type ground struct {
	*testing.T
	hub    *harness.Process
	proxy  *proxy.Proxy
	reader *reader
}

func newProxy(t *testing.T, hub *harness.Process) *proxy.Proxy {
	t.Helper()
	p, err := proxy.New(hub.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// A reader follows everything, and writes down what it is given.
type reader struct {
	mu      sync.Mutex
	offsets []uint64
	states  []spoke.State
	wrong   []string
}

func (r *reader) note(change func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
}

// read reads until ctx ends.
func (r *reader) read(ctx context.Context, hub *spoke.Client, config spoke.SubscribeConfig) {
	config.Filters, config.Probe = nave.Filters{"**"}, time.Second
	config.OnStatus = func(s spoke.Status) {
		r.note(func() {
			if n := len(r.states); n == 0 || r.states[n-1] != s.State {
				r.states = append(r.states, s.State)
			}
		})
	}
	for b, err := range hub.Subscribe(config).Batches(ctx) {
		r.note(func() {
			if err != nil {
				r.wrong = append(r.wrong, err.Error())
			}
			r.judge(b)
		})
	}
}

// judge looks at a batch: one order, nothing twice, and whole.
func (r *reader) judge(b spoke.Batch) {
	for i, e := range b.Events {
		if n := len(r.offsets); n > 0 && e.Offset <= r.offsets[n-1] {
			r.wrong = append(r.wrong, fmt.Sprintf("offset %d after %d", e.Offset, r.offsets[n-1]))
		}
		if e.Batch.I != i || e.Batch.N != len(b.Events) {
			r.wrong = append(r.wrong, fmt.Sprintf("offset %d is %d of %d, in a batch of %d", e.Offset, e.Batch.I, e.Batch.N, len(b.Events)))
		}
		r.offsets = append(r.offsets, e.Offset)
	}
}

// await waits until the reader is so.
func (r *reader) await(t *testing.T, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		is := false
		r.note(func() { is = done() })
		if is {
			return
		}
		if time.Since(begun) > 60*time.Second {
			r.note(func() {
				t.Fatalf("%s: not after a minute; states %v, %d events, %v", what, r.states, len(r.offsets), r.wrong)
			})
		}
	}
}

func (r *reader) is(s spoke.State) func() bool {
	return func() bool { return len(r.states) > 0 && r.states[len(r.states)-1] == s }
}

// publish publishes batches of one to three, until ctx ends, and returns the offsets
// that it was told.
func publish(ctx context.Context, t *testing.T, hub *spoke.Client) (offsets []uint64) {
	for i := 0; ctx.Err() == nil; i++ {
		events := make([]nave.Event, i%3+1)
		for j := range events {
			events[j] = nave.Event{Topic: nave.Topic(fmt.Sprintf("a/%d", j)), Type: "moved", Data: json.RawMessage(fmt.Sprint(i))}
		}
		// Once begun it is seen through: what came of it has to be known.
		p, err := hub.Publish(context.WithoutCancel(ctx), events...)
		if err != nil {
			t.Errorf("publish: %v", err)
			return offsets
		}
		for _, e := range p.Events {
			offsets = append(offsets, e.Offset)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return offsets
}

// run has a reader behind a proxy and a publisher that is not, while trouble happens, and
// judges at the end: everything, once, in order, whole.
func run(t *testing.T, config spoke.SubscribeConfig, trouble func(*ground)) {
	t.Helper()
	hub := trial.CheckedHub(t, "NAVE_CLIENT_RETRY=100ms", "NAVE_CLIENT_RETRY_SPREAD=100ms")
	p := newProxy(t, hub)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var running sync.WaitGroup
	r := new(reader)
	running.Go(func() { r.read(ctx, client(t, p.URL()), config) })
	r.await(t, "live at first", r.is(spoke.Live))
	publishing, stop := context.WithCancel(ctx)
	var want []uint64
	done := make(chan struct{})
	go func() { // ends with stop
		defer close(done)
		want = publish(publishing, t, client(t, hub.URL("")))
	}()
	trouble(&ground{T: t, hub: hub, proxy: p, reader: r})
	stop()
	<-done
	r.await(t, "everything is here", func() bool { return len(r.offsets) >= len(want) })
	cancel()
	running.Wait()
	if got, want := fmt.Sprint(r.offsets), fmt.Sprint(want); got != want {
		t.Errorf("received %s\npublished %s", got, want)
	}
	for _, wrong := range r.wrong {
		t.Error(wrong)
	}
	t.Logf("%d events, states %v", len(want), r.states)
}

// Connections are cut in the middle of frames, many times, and the hub is killed.
func TestNothingIsLostByCuts(t *testing.T) {
	run(t, spoke.SubscribeConfig{}, func(g *ground) {
		for i := range trial.Pick(40, 200) {
			g.proxy.Cut()
			time.Sleep(time.Duration(i%7) * 10 * time.Millisecond)
		}
		if err := g.hub.Kill(); err != nil {
			t.Error(err)
		}
		trial.Begin(t, g.hub)
		g.reader.await(t, "live again", g.reader.is(spoke.Live))
	})
}

// A proxy that holds back what it should pass on is polled through, and left for the
// stream once it is mended.
func TestHoldingProxyIsPolledThrough(t *testing.T) {
	run(t, spoke.SubscribeConfig{Proof: 300 * time.Millisecond}, func(g *ground) {
		g.proxy.Set(proxy.Faults{Mode: proxy.Hold})
		g.proxy.Cut()
		g.reader.await(t, "polling", g.reader.is(spoke.Polling))
		before := 0
		g.reader.note(func() { before = len(g.reader.offsets) })
		g.reader.await(t, "events by polls", func() bool { return len(g.reader.offsets) > before })
		g.proxy.Set(proxy.Faults{})
		g.reader.await(t, "live again", g.reader.is(spoke.Live))
	})
}

// A proxy that answers with errors for a while changes nothing in the end.
func TestProxyErrorsPass(t *testing.T) {
	run(t, spoke.SubscribeConfig{}, func(g *ground) {
		g.proxy.Set(proxy.Faults{Mode: proxy.Fail})
		g.proxy.Cut()
		g.reader.await(t, "waiting", g.reader.is(spoke.Waiting))
		time.Sleep(time.Second)
		g.proxy.Set(proxy.Faults{})
		g.reader.await(t, "live again", g.reader.is(spoke.Live))
	})
}

// The switch is thrown: the client polls with its cursor, and streams again once it is
// put back.
func TestSwitchIsObeyed(t *testing.T) {
	run(t, spoke.SubscribeConfig{}, func(g *ground) {
		g.level("PUT", `{"level":"polling"}`)
		g.reader.await(t, "polling", g.reader.is(spoke.Polling))
		time.Sleep(500 * time.Millisecond)
		g.level("DELETE", "")
		g.reader.await(t, "live again", g.reader.is(spoke.Live))
	})
}

func (g *ground) level(method, body string) {
	g.Helper()
	r, err := http.NewRequestWithContext(g.Context(), method, g.hub.URL("/v1/admin/level"), strings.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusOK {
		g.Fatalf("%s: %s", method, resp.Status)
	}
}

// Who comes late is first given the state, and hears of a log that is not the one it knew.
func TestSnapshotAndReset(t *testing.T) {
	hub := trial.Hub(t)
	c := client(t, hub.URL(""))
	for i := range 3 {
		if _, err := c.Publish(t.Context(), nave.Event{Topic: "a", Type: "set", Key: fmt.Sprint("k", i%2), Data: json.RawMessage(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	for b, err := range c.Subscribe(spoke.SubscribeConfig{Filters: nave.Filters{"a"}, Snapshot: true}).Batches(t.Context()) {
		if err != nil || !b.Snapshot || len(b.Events) != 2 || string(b.Events[0].Data) != "2" {
			t.Errorf("%+v, %v", b, err)
		}
		break
	}
	for _, err := range c.Subscribe(spoke.SubscribeConfig{Filters: nave.Filters{"a"}, Cursor: "elsewhere-3"}).Batches(t.Context()) {
		var reset *nave.ResetError
		if !errors.As(err, &reset) || reset.Reason != nave.ResetForeignEpoch {
			t.Errorf("%v", err)
		}
		break
	}
	one := uint64(1)
	_, err := c.Publish(t.Context(), nave.Event{Topic: "a", Type: "set", Key: "k0", IfVersion: &one})
	var conflict *nave.ConflictError
	if !errors.As(err, &conflict) || string(conflict.Conflicts[0].Event.Data) != "2" {
		t.Errorf("%v", err)
	}
}
