package hub

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/supervision"
)

// Failure stays where it happens: for each kind of actor, a panic in it is felt
// there and nowhere else.
func TestFailureStaysWhereItHappens(t *testing.T) {
	t.Run("client: that connection closes", clientPanics)
	t.Run("topic: that topic is restarted", topicPanics)
	t.Run("topic that keeps failing: the next publish starts it afresh", topicKeepsPanicking)
	t.Run("parent of topics: they stay", topicsPanic)
	t.Run("parent of topics that keeps failing: it escalates", parentKeepsPanicking(supervision.Topics, false, failTopics))
	t.Run("dispatcher: its clients re-read what they missed", dispatcherPanics)
	t.Run("dispatcher that keeps failing: it escalates", parentKeepsPanicking(supervision.Dispatcher, true, failDispatcher))
	t.Run("journal: the log is reopened, nothing is replayed twice", journalFails)
	t.Run("journal that keeps failing: it escalates", journalKeepsPanicking)
	t.Run("retention: it is tried again", retentionPanics)
	t.Run("retention that keeps failing: it escalates", retentionKeepsPanicking)
	t.Run("parent of clients: they stay", parentPanics)
	t.Run("parent of clients that keeps failing: it escalates", parentKeepsPanicking(supervision.Clients, true, failClients))
	t.Run("breaker: it starts again closed", breakerPanics)
	t.Run("breaker that keeps failing: it is off, and refuses nobody", breakerKeepsPanicking)
	t.Run("parent of breakers: they stay", breakersPanic)
	t.Run("parent of breakers that keeps failing: it escalates", parentKeepsPanicking(supervision.Breakers, true, (*Hub).FailBreakers))
	t.Run("governor: it goes on with the level that it held", governorPanics)
	t.Run("governor that keeps failing: it escalates", parentKeepsPanicking(supervision.Governor, true, (*Hub).FailGovernor))
	t.Run("presence: it is found again, and told as a whole", presencePanics)
	t.Run("presence that keeps failing: nobody is seen any more, and all else goes on", presenceKeepsPanicking)
	t.Run("extension: it is restarted and misses nothing", extensionFails)
	t.Run("extension that keeps failing: it is off, and nothing else", extensionKeepsPanicking)
	t.Run("extension that cannot read what is left of what it missed: it tries again", extensionCannotReadWhatIsLeft)
	t.Run("parent of extensions: they stay", extensionsPanic)
	t.Run("parent of extensions, at its start: they are started anew", extensionsPanicAtTheirStart)
	t.Run("parent of extensions that keeps failing: it escalates", extensionsKeepPanicking)
	t.Run("root: everything goes on", rootPanics)
	t.Run("root that keeps failing: everything ends, and everybody is told", rootKeepsPanicking)
}

func clientPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		hurt, healthy := connectTo(t, h, "", "**"), connectTo(t, h, "", "**")
		synctest.Wait()
		ref := h.clients.of(1)
		_ = ref.Tell(client.Offer{Frames: []*frame.Frame{nil}})
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		synctest.Wait()
		if !hurt.isClosed() || healthy.isClosed() {
			t.Errorf("closed: hurt %v, healthy %v", hurt.isClosed(), healthy.isClosed())
		}
		if err := rising(healthy.offsets(t), 1, 1); err != nil {
			t.Error(err)
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func topicPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		publish1(t, h, event("cards/1", "moved", 1))
		topic := h.topics.find("cards/1")
		_, err := actors.Ask(t.Context(), topic.ref, func(r actors.Reply[struct{}]) topicMessage {
			return publish{Reply: r, topics: []*liveTopic{nil}}
		})
		var panicked *actors.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("the publisher hears %v, want the panic", err)
		}
		publish1(t, h, event("cards/1", "moved", 2))
		if h.topics.find("cards/1") != topic {
			t.Error("the topic has been replaced, not restarted")
		}
		publish1(t, h, event("cards/2", "moved", 3))
	})
}

// liveTopic is the type's name where a variable hides it.
type liveTopic = topic

func topicKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		publish1(t, h, event("cards/1", "moved", 1))
		topic := h.topics.find("cards/1")
		for range 20 {
			_ = topic.ref.Tell(publish{Reply: actors.NewReply[struct{}](), topics: []*liveTopic{nil}})
			time.Sleep(2 * time.Second)
		}
		publish1(t, h, event("cards/1", "moved", 2))
		if h.topics.find("cards/1") == topic {
			t.Error("the topic has survived its restart intensity")
		}
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}

func dispatcherPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 2})
		var streams []*stream
		for range 4 {
			streams = append(streams, connectTo(t, h, "", "**"))
		}
		synctest.Wait()
		for i := range 30 {
			publish1(t, h, event("cards/1", "moved", i))
			if i%10 == 5 {
				_ = h.dispatchers[0].Tell(committed{&group{seq: 1 << 40, frames: []*frame.Frame{nil}}})
				_ = h.dispatchers[0].Tell(committed{nil})
			}
		}
		time.Sleep(time.Minute)
		publish1(t, h, event("cards/1", "moved", 30))
		synctest.Wait()
		for i, s := range streams {
			if err := rising(s.offsets(t), 1, 31); err != nil {
				t.Errorf("client %d: %v", i+1, err)
			}
		}
	})
}

// A faulty log fails or panics when it is told to, and then works again.
type faultyLog struct {
	eventlog.Log
	fault *atomic.Pointer[func() error]
}

func (l faultyLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	outcomes, err := l.Log.Append(ctx, group)
	if f := l.fault.Swap(nil); f != nil {
		return nil, (*f)() // after it was stored: the outcome is unknown to the hub
	}
	return outcomes, err
}

// Close keeps what is in RAM, as a disk would.
func (l faultyLog) Close() error { return nil }

func faulty() (eventlog.Opener, func(func() error)) {
	log := memlog.Open(eventlog.Options{})
	fault := new(atomic.Pointer[func() error])
	open := func(context.Context) (eventlog.Log, error) { return faultyLog{log, fault}, nil }
	return open, func(f func() error) { fault.Store(&f) }
}

func journalFails(t *testing.T) {
	for name, fault := range map[string]func() error{
		"panic": func() error { panic("journal") },
		"error": func() error { return eventlog.ErrBroken },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				open, fail := faulty()
				h := startOn(t, Config{}, open)
				s := connectTo(t, h, "", "**")
				synctest.Wait()
				publish1(t, h, event("cards/1", "moved", 1))
				fail(fault)
				_, err := h.Publish(t.Context(), event("cards/1", "moved", 2))
				if nave.CodeOf(err) != nave.CodeUnavailable {
					t.Errorf("the publisher hears %v, want unavailable", err)
				}
				time.Sleep(10 * time.Second)
				publish1(t, h, event("cards/1", "moved", 3))
				synctest.Wait()
				// The write whose outcome nobody knew had happened: all hear of it, once.
				if err := rising(s.offsets(t), 1, 3); err != nil {
					t.Error(err)
				}
				if err := h.Ready(); err != nil {
					t.Errorf("Ready: %v", err)
				}
			})
		})
	}
}

func journalKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		open, fail := faulty()
		h := startOn(t, Config{}, open)
		for range 20 {
			fail(func() error { panic("journal") })
			_, _ = h.Publish(t.Context(), event("cards/1", "moved", 1))
			time.Sleep(time.Second)
		}
		select {
		case err := <-h.Failed():
			t.Log(err)
		default:
			t.Error("Failed says nothing")
		}
		if err := h.Ready(); err == nil {
			t.Error("the hub is ready without its journal")
		}
		if _, err := h.Publish(t.Context(), event("cards/1", "moved", 1)); err == nil {
			t.Error("a publish was accepted without a journal")
		}
	})
}

func parentPanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		s := connectTo(t, h, "", "**")
		publish1(t, h, event("cards/1", "moved", 1))
		err := h.spawnClient(t.Context(), client.Request{}, nave.Pages, func(uint64) actors.Spec[client.Message] { panic("clients") })
		var panicked *actors.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("the caller hears %v, want the panic", err)
		}
		publish1(t, h, event("cards/1", "moved", 2))
		publish1(t, h, event("cards/2", "moved", 3))
		late := connectTo(t, h, cursorAt(h, 0), "**")
		synctest.Wait()
		if err := rising(late.offsets(t), 1, 3); err != nil || s.isClosed() {
			t.Errorf("late client: %v; first closed: %v", err, s.isClosed())
		}
	})
}

// recorder handles events, and fails when told to.
type recorder struct {
	mu   sync.Mutex
	seen []string // the events' data
	fail func(nave.Event) error
}

func (r *recorder) Handle(_ context.Context, e nave.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		if err := r.fail(e); err != nil {
			return err
		}
	}
	r.seen = append(r.seen, string(e.Data))
	return nil
}

func (r *recorder) data() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.seen)
}

func extensionFails(t *testing.T) {
	bubble(t, func(t *testing.T) {
		failures := 3
		r := &recorder{fail: func(e nave.Event) error {
			if string(e.Data) == "5" && failures > 0 {
				failures--
				return errors.New("not now")
			}
			return nil
		}}
		h := start(t, Config{Extensions: []Extension{{
			Name: "recorder", Filters: nave.Filters{"cards/*"},
			New: func(Publisher) Handler { return r },
		}}})
		synctest.Wait()
		for i := range 10 {
			publish1(t, h, event("cards/1", "moved", i))
		}
		time.Sleep(time.Minute)
		if got, want := r.data(), strings.Split("0123456789", ""); !slices.Equal(got, want) {
			t.Errorf("handled %v", got)
		}
	})
}

func extensionKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := &recorder{fail: func(nave.Event) error { panic("extension") }}
		h := start(t, Config{Extensions: []Extension{{
			Name: "broken", Filters: nave.Filters{"**"},
			New: func(Publisher) Handler { return r },
		}}})
		s := connectTo(t, h, "", "**")
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		time.Sleep(10 * time.Minute)
		publish1(t, h, event("cards/1", "moved", 2))
		synctest.Wait()
		if n := len(s.offsets(t)); n != 2 {
			t.Errorf("a client saw %d events, want 2", n)
		}
		if len(r.data()) > 0 {
			t.Error("the broken extension handled something")
		}
		for _, k := range h.system.Stats() {
			if k.Kind == "extension" && k.Active > 0 {
				t.Error("the broken extension is still on")
			}
		}
	})
}

// An extension goes on where it was, although the process has ended in between.
func TestExtensionGoesOnAfterARestartOfTheProcess(t *testing.T) {
	bubble(t, func(t *testing.T) {
		log := memlog.Opener(eventlog.Options{})
		r := &recorder{}
		config := Config{Extensions: []Extension{{
			Name: "recorder", Filters: nave.Filters{"cards/*"},
			New: func(Publisher) Handler { return r },
		}}}
		first := startOn(t, Config{}, log)
		publish1(t, first, event("cards/1", "moved", "before there was an extension"))
		end(t, first)

		second := startOn(t, config, log)
		synctest.Wait()
		publish1(t, second, event("cards/1", "moved", 1))
		synctest.Wait()
		time.Sleep(time.Minute) // it keeps its position at the next heartbeat
		end(t, second)

		third := startOn(t, Config{}, log) // without it
		publish1(t, third, event("cards/1", "moved", 2))
		end(t, third)

		fourth := startOn(t, config, log)
		synctest.Wait()
		publish1(t, fourth, event("cards/1", "moved", 3))
		synctest.Wait()
		if got, want := r.data(), []string{"1", "2", "3"}; !slices.Equal(got, want) {
			t.Errorf("handled %v, want %v", got, want)
		}
	})
}

func end(t *testing.T, h *Hub) {
	t.Helper()
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfExtensions(t *testing.T) {
	one := Extension{Name: "one"}
	for _, extensions := range [][]Extension{{{Name: ""}}, {{Name: "a/b"}}, {{Name: "*"}}, {one, one}} {
		h := New(Config{Extensions: extensions}, memlog.Opener(eventlog.Options{}))
		if err := h.Start(t.Context()); err == nil {
			t.Errorf("%+v: no error", extensions)
		}
	}
}
