package hub_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
	"github.com/navehub/nave/tests/harness"
	"github.com/navehub/nave/tests/history"
)

// A rush is a hub in which everything is too small for what happens: mailboxes,
// shares, the ring of recent events. So publishers are refused, clients lag,
// dispatchers miss groups, and all the ways back are taken.
type rush struct {
	*hub.Hub
	t      *testing.T
	record *history.Record
	topics []string
	stalls stalls

	refused, acked atomic.Int64
	quiet          chan struct{} // closed when all has been published
	late           atomic.Bool   // all should have been seen by now
}

func startRush(t *testing.T) *rush {
	t.Helper()
	r := &rush{
		t: t, record: history.New(), topics: append(topicNames("cards", 12), topicNames("ui", 2)...),
		stalls: stalls{journal: new(stall), dispatchers: new(stall)}, quiet: make(chan struct{}),
	}
	measured, err := telemetry.New(telemetry.Config{MeterProvider: r.stalls})
	if err != nil {
		t.Fatal(err)
	}
	log := memlog.Opener(eventlog.Options{})
	r.Hub = hub.New(hub.Config{
		Topics:      []hub.TopicRule{{Filter: "ui/**", Durability: nave.Transient}},
		Dispatchers: 2,
		Heartbeat:   160 * time.Millisecond,
		Limits:      hub.Limits{JournalBytes: 32 << 10, RecentBytes: 16 << 10, ClientBytes: 48 << 10},
		Client:      client.Config{Mailbox: 4 << 10},
		Levels:      hub.Levels{Manual: true}, // transient events are to be dispatched too
		Logger:      slog.New(slog.DiscardHandler),
		Telemetry:   measured,
	}, log)
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

// publish publishes small batches, one after the other, and takes a refusal for
// an answer.
func (r *rush) publish(name string, batches int) {
	for i := range batches {
		var events []harness.Event
		for k := range 1 + rand.IntN(4) {
			events = append(events, harness.Event{
				Topic: r.topics[rand.IntN(len(r.topics))], ID: fmt.Sprintf("%s-%d-%d", name, i, k),
				Data: strings.Repeat("x", rand.IntN(600)),
			})
		}
		r.send(events)
	}
}

func (r *rush) send(events []harness.Event) bool {
	sent := r.record.Begin(harness.Sent(events...)...)
	batch := make([]nave.Event, len(events))
	for i, e := range events {
		data, _ := json.Marshal(e.Data)
		batch[i] = nave.Event{Topic: nave.Topic(e.Topic), Type: "tick", ID: e.ID, Data: data}
	}
	patience, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	published, err := r.Publish(patience, batch...)
	switch code := nave.CodeOf(err); {
	case err == nil:
		offsets := make([]uint64, len(published.Events))
		for i, e := range published.Events {
			offsets[i] = e.Offset
		}
		sent.Acked(offsets)
		r.acked.Add(1)
	case code == nave.CodeBusy || code == nave.CodeOverloaded:
		sent.Refused()
		r.refused.Add(1)
	default:
		r.t.Errorf("publish: %v", err)
	}
	return err == nil
}

// flood publishes while the journal is held up: to one topic until its mailbox is
// full, as it has its share of the journal, and then to many until the journal's is.
func (r *rush) flood() {
	goOn := r.stalls.journal.begin()
	var flooding sync.WaitGroup
	until := func(kind supervision.Kind, topics int) {
		for i := 0; i < 5000 && r.Stats()[kind].Refused == 0; i++ {
			topic := fmt.Sprintf("flood-%d/%d", topics, i%topics)
			flooding.Go(func() {
				r.send([]harness.Event{{Topic: topic, ID: fmt.Sprintf("%s-%d", topic, i), Data: strings.Repeat("x", 500)}})
			})
		}
	}
	until(supervision.Topic, 1)
	until(supervision.Journal, 20)
	goOn()
	flooding.Wait()
}

// A pipe is a transport that is read by the test.
type pipe struct {
	*io.PipeWriter
	mu   sync.Mutex
	gone func()
}

func (p *pipe) Write(pieces [][]byte, _ time.Duration) error {
	var all []byte
	for _, b := range pieces {
		all = append(all, b...)
	}
	_, err := p.PipeWriter.Write(all)
	return err
}

func (p *pipe) OnGone(gone func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gone = gone
}

func (p *pipe) Protocol() string { return "test" }

// leave tells the client that its peer has gone.
func (p *pipe) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gone != nil {
		p.gone()
	}
}

// A reader follows filters, slowly at times, leaves at any moment, and comes back
// with its cursor. When all is quiet it stays until it has seen the end.
type reader struct {
	*rush
	notes   *history.Subscription
	filters nave.Filters
	cursor  string
	pending []harness.Seen
	ended   bool
}

func (r *rush) reader(name string, filters ...nave.Filter) *reader {
	return &reader{rush: r, notes: r.record.Subscriber(name, filters), filters: filters, cursor: nave.Cursor{Epoch: r.Epoch()}.String()}
}

func (r *reader) follow() {
	for !r.ended {
		r.visit()
	}
}

// visit is one connection.
func (r *reader) visit() {
	from, to := io.Pipe()
	p := &pipe{PipeWriter: to}
	r.pending = nil
	err := r.Connect(r.t.Context(), client.Request{Filters: r.filters, Cursor: r.cursor, Transport: p})
	if err != nil {
		r.t.Errorf("connect: %v", err)
		r.ended = true
		return
	}
	defer from.Close() // so that a write fails, if it is not told before
	patience := 20 + rand.IntN(400)
	for events := sse.NewReader(from); !r.ended; patience-- {
		e, err := events.Next()
		if err != nil {
			r.t.Errorf("the hub ends a stream: %v", err)
			r.ended = true
			return
		}
		r.see(e)
		switch {
		case r.late.Load():
			r.isLate()
		case r.isQuiet():
		case patience < 0:
			if rand.IntN(2) == 0 {
				p.leave()
			}
			return
		case rand.IntN(60) == 0:
			time.Sleep(time.Duration(rand.IntN(15)) * time.Millisecond)
		}
	}
	p.leave()
}

// isLate gives up. There are heartbeats, so it is noticed.
func (r *reader) isLate() {
	r.t.Errorf("a reader of %v does not see the last, and stands at %s", r.filters, r.cursor)
	r.ended = true
}

func (r *reader) isQuiet() bool {
	select {
	case <-r.quiet:
		return true
	default:
		return false
	}
}

func (r *reader) see(e sse.Event) {
	if e.Name == "hub.sync" {
		var sync struct{ Status string }
		_ = json.Unmarshal(e.Data, &sync)
		r.notes.Told(sync.Status)
	} else if !strings.HasPrefix(e.Name, "hub.") {
		var seen harness.Seen
		if err := json.Unmarshal(e.Data, &seen); err != nil {
			r.t.Errorf("event %q: %v", e.Data, err)
		}
		seen.Cursor = e.ID
		r.pending = append(r.pending, seen)
	}
	if e.ID == "" {
		return
	}
	r.cursor = e.ID
	r.note(r.pending)
	r.pending = nil
}

func (r *reader) note(all []harness.Seen) {
	for _, e := range all {
		r.notes.Saw(history.Seen{
			ID: e.ID, Topic: nave.Topic(e.Topic), Offset: e.Offset, I: e.Batch.I, N: e.Batch.N, Cursor: e.Cursor != "",
		})
		r.ended = r.ended || e.ID == lastID
	}
}

const lastID = "the last"

// poll follows by long-polls instead.
func (r *reader) poll() {
	for !r.ended {
		if r.late.Load() {
			r.isLate()
		}
		page, err := r.Poll(r.t.Context(), client.Request{Filters: r.filters, Cursor: r.cursor}, 50*time.Millisecond)
		if err != nil {
			r.t.Errorf("poll: %v", err)
			return
		}
		r.notes.Told(string(page.Sync.Status))
		r.cursor = page.Cursor.String()
		var all []harness.Seen
		for i, f := range page.Frames {
			e := f.Event
			seen := harness.Seen{ID: e.ID, Topic: string(e.Topic), Offset: e.Offset, Batch: struct{ I, N int }{e.Batch.I, e.Batch.N}}
			if i+1 == len(page.Frames) || !frame.SameBatch(f, page.Frames[i+1]) {
				seen.Cursor = r.cursor // a page holds whole batches
			}
			all = append(all, seen)
		}
		r.note(all)
	}
}

// follow starts readers of all kinds.
func (r *rush) follow(following *sync.WaitGroup) {
	for i := range 15 {
		filters := []nave.Filter{"cards/*", "ui/*"}
		switch i % 3 {
		case 1:
			filters = []nave.Filter{"**"}
		case 2:
			filters = []nave.Filter{nave.Filter(r.topics[i%12]), nave.Filter(r.topics[(i+5)%12]), "ui/0", nave.Filter(lastTopic)}
		}
		following.Go(r.reader(fmt.Sprintf("reader %d of %v", i, filters), filters...).follow)
	}
	for i := range 3 {
		following.Go(r.reader(fmt.Sprintf("poller %d", i), "cards/*").poll)
	}
}

const lastTopic = "cards/0"

// TestStressJournalAndDispatchers overflows whatever can overflow, with many
// publishers of the same topics, and with clients that come, lag and go. What was
// acknowledged comes to everybody once, in one order, in whole batches.
func TestStressJournalAndDispatchers(t *testing.T) {
	r := startRush(t)
	var publishing, following sync.WaitGroup
	r.follow(&following)
	for p := range 8 {
		publishing.Go(func() { r.publish(fmt.Sprint(p), 60) })
	}
	publishing.Go(func() {
		r.flood()
		r.missGroups()
	})
	publishing.Wait()
	close(r.quiet)
	for !r.send([]harness.Event{{Topic: lastTopic, ID: lastID}}) {
		t.Error("the last is refused, although all is quiet")
	}
	late := time.AfterFunc(20*time.Second, func() { r.late.Store(true) })
	following.Wait()
	late.Stop()

	found := r.record.Judge()
	if !found.Clean() {
		t.Errorf("%+v", found)
	}
	stats := r.Stats()
	for _, kind := range []supervision.Kind{supervision.Topic, supervision.Journal, supervision.Dispatcher, supervision.Client} {
		if stats[kind].Refused == 0 {
			t.Errorf("no mailbox of a %s has overflown: the test does not stress", kind)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := errors.Join(r.Shutdown(ctx), r.Unbalanced()); err != nil {
		t.Error(err)
	}
	t.Logf("%d acknowledged, %d refused; %d deliveries; mailboxes refused: topics %d, journal %d, dispatchers %d, clients %d",
		r.acked.Load(), r.refused.Load(), found.Deliveries, stats[supervision.Topic].Refused, stats[supervision.Journal].Refused,
		stats[supervision.Dispatcher].Refused, stats[supervision.Client].Refused)
}

// missGroups holds the dispatchers up, and publishes until a mailbox of theirs is
// full.
func (r *rush) missGroups() {
	for round := range 2 {
		before := r.Stats()[supervision.Dispatcher].Refused
		end := r.stalls.dispatchers.begin()
		for i := 0; r.Stats()[supervision.Dispatcher].Refused == before && i < 5000; i++ {
			r.send([]harness.Event{{Topic: "missed/0", ID: fmt.Sprintf("missed-%d-%d", round, i)}})
		}
		end()
	}
}
