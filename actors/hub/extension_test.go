package hub

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/supervision"
)

// A sickLog does not write while it is told so, nor read for anybody but the
// journal, which follows everything.
type sickLog struct {
	eventlog.Log
	sick *atomic.Bool
}

func (l sickLog) Append(ctx context.Context, group []eventlog.Batch) ([]eventlog.Outcome, error) {
	if l.sick.Load() {
		return nil, eventlog.ErrBroken
	}
	return l.Log.Append(ctx, group)
}

func (l sickLog) Read(ctx context.Context, after uint64, filters nave.Filters, limit eventlog.Limit) (eventlog.Page, error) {
	if l.sick.Load() && !filters.Match("everything") {
		return eventlog.Page{}, eventlog.ErrBroken
	}
	return l.Log.Read(ctx, after, filters, limit)
}

func (sickLog) Close() error { return nil }

// A forwarder publishes what it handles, and returns what it is told.
type forwarder struct{ out Publisher }

func (f forwarder) Handle(ctx context.Context, e nave.Event) error {
	_, err := f.out.Publish(ctx, nave.Event{Topic: "session/1", Type: "copy", ID: string(e.Data), Source: "forwarder", Data: e.Data})
	return err
}

// However long the log cannot be written or read, that is no failure of an
// extension's: it goes on afterwards where it was.
func TestExtensionOutlivesALogThatIsBrokenForLong(t *testing.T) {
	for name, recent := range map[string]int{"it publishes": 0, "it reads": 1} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				log, sick := memlog.Open(eventlog.Options{}), new(atomic.Bool)
				h := startOn(t, Config{
					Limits: Limits{RecentBytes: recent},
					Extensions: []Extension{{
						Name: "forwarder", Filters: nave.Filters{"cards/*"},
						New: func(out Publisher) Handler { return forwarder{out} },
					}},
				}, func(context.Context) (eventlog.Log, error) { return sickLog{log, sick}, nil })
				copies := connectTo(t, h, "", "session/*")
				synctest.Wait()
				for i := range 5 {
					publish1(t, h, event("cards/1", "moved", i))
				}
				sick.Store(true)
				time.Sleep(10 * time.Minute)
				sick.Store(false)
				time.Sleep(time.Minute)
				publish1(t, h, event("cards/1", "moved", 5))
				synctest.Wait()
				if got, want := copies.data(t), strings.Split("012345", ""); !slices.Equal(got, want) {
					t.Errorf("forwarded %v, want %v", got, want)
				}
				if k := h.Stats()[supervision.Extension]; k.Active != 1 || k.Restarts > 0 {
					t.Errorf("%d extensions live, after %d restarts", k.Active, k.Restarts)
				}
			})
		})
	}
}

// data is that of the application's events that have been written.
func (s *stream) data(t *testing.T) (all []string) {
	t.Helper()
	for _, e := range s.events(t) {
		if strings.HasPrefix(e.Name, "hub.") {
			continue
		}
		_, data, _ := strings.Cut(string(e.Data), `"data":`)
		all = append(all, strings.TrimSuffix(data, "}"))
	}
	return all
}

// A dispatcher has no room for a while, as under a storm of clients that come and go:
// that is no failure of an extension's.
func TestExtensionAsksAFullDispatcherAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Dispatchers: 1})
		for range 7 { // from now on it takes a while until it is restarted
			h.FailDispatcher(0)
			time.Sleep(time.Second)
		}
		h.FailDispatcher(0)
		synctest.Wait()
		for full := false; !full; {
			full = h.dispatchers[0].Tell(wake{}) != nil
		}
		r := &recorder{}
		if _, err := h.SpawnExtensions(func() {}, Extension{
			Name: "recorder", Filters: nave.Filters{"cards/*"}, New: func(Publisher) Handler { return r },
		}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		publish1(t, h, event("cards/1", "moved", 1))
		if n := h.dispatchers[0].Mailbox().Control; n < dispatcherControl {
			t.Errorf("%d messages wait for the dispatcher: it is not full", n)
		}
		time.Sleep(2 * time.Second)
		publish1(t, h, event("cards/1", "moved", 2))
		synctest.Wait()
		if got := len(r.data()); got != 2 {
			t.Errorf("%d of 2 events are handled", got)
		}
		if n := h.Stats()[supervision.Extension].Restarts; n != 0 {
			t.Errorf("%d restarts, want none", n)
		}
	})
}

// A mutedLog does not tell where an extension was, before its reader gives up.
type mutedLog struct{ eventlog.Log }

func (l mutedLog) State(ctx context.Context, filters nave.Filters) (eventlog.Snapshot, error) {
	if !filters.Match("$hub/extensions/forwarder") {
		return l.Log.State(ctx, filters)
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// A hub may be told to stop before its extensions know where they were.
func TestStopInTheFirstMomentsIsNoFailure(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var said bytes.Buffer
		h := New(Config{
			Logger: slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelWarn})),
			Extensions: []Extension{{
				Name: "forwarder", Filters: nave.Filters{"cards/*"},
				New: func(out Publisher) Handler { return forwarder{out} },
			}},
		}, func(context.Context) (eventlog.Log, error) { return mutedLog{memlog.Open(eventlog.Options{})}, nil })
		if err := h.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
		if said.Len() > 0 {
			t.Errorf("it says:\n%s", &said)
		}
	})
}
