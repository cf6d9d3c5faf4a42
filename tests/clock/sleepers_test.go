package clock

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
	"github.com/navehub/nave/tests/trial"
)

// Sleepers are two clients whose sockets stay open and are not read, as those of a
// machine whose lid was shut: for longer than the hub waits for a write, and the
// second for longer than its events are kept. A third one is awake all the time.
type sleepers struct {
	events  int           // that came while they slept
	bytes   int           // of these
	gaveUp  time.Duration // until the hub had given up both
	trimmed time.Duration // until retention had taken what the second one missed
	told    [2]string     // when they came back
	found   *history.Findings
}

// What the two follow: the first durable events, the second memory events.
var slept = [2]string{"sleep/1", "nap/1"}

func (s *sleepers) try(t *testing.T) {
	hub := trial.CheckedHub(t,
		"NAVE_CLIENT_WRITE_TIMEOUT=1s", "NAVE_CLIENT_HEARTBEAT=1s", "NAVE_LOG_RETENTION_MEMORY_AGE=2s",
		"NAVE_TOPICS=[{filter: nap/*, durability: memory}]")
	record := history.New()
	all := []*follower{follow(t, hub, record, "awake", slept[:]...)}
	var beds [2]bed
	for i, topic := range slept {
		f := &follower{filters: []string{topic}, http: beds[i].client(), notes: noted(t, record, "asleep on "+topic, []string{topic})}
		f.begin(t, hub)
		all = append(all, f)
	}
	all[2].notes.MayReset()
	reach(t, all, publishBoth(t, hub, record, "before", 10, 100))

	for i := range beds {
		beds[i].lie(t)
	}
	start := time.Now()
	s.events, s.bytes = 200, 200*100<<10
	publishBoth(t, hub, record, "asleep", s.events/2, s.bytes/s.events)
	s.gaveUp = until(t, hub, start, "nave_connection_active 1")
	s.trimmed = until(t, hub, start, `nave_log_size_bytes{nave_durability="memory"} 0`)

	for i := range beds {
		beds[i].rise()
		s.told[i] = all[i+1].comeBack(t, hub)
	}
	reach(t, all, publishBoth(t, hub, record, "after", 10, 100))
	if err := all[0].end(); err != nil {
		t.Errorf("the one that was awake: %v", err)
	}
	s.found = verdict(t, record)
	if want := [2]string{"recovered", "reset retention"}; s.told != want {
		t.Errorf("the sleepers are told %q when they come back, want %q", s.told, want)
	}
}

// publishBoth publishes n events to both topics, of that many bytes each, and
// returns the last offset that all have to reach.
func publishBoth(t *testing.T, hub *harness.Process, r *history.Record, name string, n, bytes int) (last uint64) {
	t.Helper()
	data := strings.Repeat("z", bytes)
	for i := range n {
		for k, topic := range slept {
			e := harness.Event{Topic: topic, Type: "tick", ID: fmt.Sprintf("%s-%d-%d", name, i, k), Source: "sleep", Data: data}
			p := r.Begin(harness.Sent(e)...)
			a := trial.Publish(t, hub, e)
			p.Acked(a.Offsets())
			if k == 0 {
				last = a.Events[0].Offset
			}
		}
	}
	return last
}

func reach(t *testing.T, all []*follower, offset uint64) {
	t.Helper()
	for _, f := range all {
		f.reach(t, offset)
	}
}

// until waits for a line of the hub's metrics, and says how long it took.
func until(t *testing.T, hub *harness.Process, start time.Time, line string) time.Duration {
	t.Helper()
	trial.Eventually(t, func() (string, bool) {
		_, text := trial.Get(t, hub, "/metrics")
		return "not " + line, strings.Contains(text, "\n"+line+"\n")
	})
	return time.Since(start)
}

// comeBack waits for the end of the stream, reading what is left of it, opens
// another one from the cursor, and returns the verdict.
func (f *follower) comeBack(t *testing.T, hub *harness.Process) string {
	t.Helper()
	trial.Eventually(t, func() (error, bool) { err := f.end(); return err, err != nil })
	f.mu.Lock()
	f.http, f.verdict, f.pending, f.ended = streams, "", nil, nil
	f.mu.Unlock()
	return f.begin(t, hub)
}

// A bed is where a client sleeps: its connection is not read while it does.
type bed struct {
	mu    sync.Mutex
	awake chan struct{} // nil if nobody sleeps, else closed when it is over
}

// lie sends the client to sleep, until the end of the test if not earlier.
func (b *bed) lie(t *testing.T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.awake = make(chan struct{})
	t.Cleanup(b.rise)
}

func (b *bed) rise() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.awake != nil {
		close(b.awake)
		b.awake = nil
	}
}

func (b *bed) client() *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		// Little room, so that the hub feels soon that nobody reads.
		return sleepy{conn, b}, conn.(*net.TCPConn).SetReadBuffer(256 << 10)
	}
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}
}

type sleepy struct {
	net.Conn
	bed *bed
}

func (s sleepy) Read(b []byte) (int, error) {
	s.bed.mu.Lock()
	awake := s.bed.awake
	s.bed.mu.Unlock()
	if awake != nil {
		<-awake
	}
	return s.Conn.Read(b)
}

func (s *sleepers) describe(table *trial.Table) {
	if s.found == nil {
		return
	}
	table.Row("2 clients asleep with open sockets", "", "")
	table.Row("– events that came meanwhile", "", "%d, %d MiB", s.events, s.bytes>>20)
	table.Row("– the hub gave them up after", "", "%v", s.gaveUp.Round(100*time.Millisecond))
	table.Row("– retention had taken the memory events after", "", "%v", s.trimmed.Round(100*time.Millisecond))
	table.Row("– told when they came back: durable events", "recovered", "%s", s.told[0])
	table.Row("– told when they came back: memory events, gone by then", "reset retention", "%s", s.told[1])
	table.Row("– lost, double, moved, resets, in deliveries", "nothing", "%s", inShort(s.found))
}
