package client_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/sse"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

// A past is a history with events at the offsets 1, 2, 3 and so on. What read does
// happens when a page has been read and not yet been written.
type past struct {
	frames []*frame.Frame
	read   func()
}

func (p *past) commit() client.Offer {
	e := nave.Event{Topic: "a", Type: "t", Offset: uint64(len(p.frames) + 1), Batch: nave.Position{N: 1}}
	f := frame.New("epoch", e, time.Now())
	p.frames = append(p.frames, f)
	return client.Offer{Frames: []*frame.Frame{f}, At: time.Now(), Bytes: f.Size()}
}

func (p *past) Epoch() nave.Epoch { return "epoch" }
func (p *past) Head() uint64      { return uint64(len(p.frames)) }

func (p *past) AtHand(uint64) bool { return true }

func (p *past) Verdict(nave.Filters, string) (uint64, error) { return 0, nil }

func (p *past) Read(_ context.Context, after uint64, _ nave.Filters) ([]*frame.Frame, uint64, error) {
	frames, next := p.frames[after:], p.Head()
	if p.read != nil {
		p.read()
	}
	return frames, next, nil
}

func (p *past) State(context.Context, nave.Filters) (eventlog.Snapshot, error) {
	panic("not asked for")
}

// A desk takes the requests for offers, and answers when the test says so.
type desk struct {
	asked chan actors.Ref[client.Message]
}

func (d desk) Attach(_ uint64, _ nave.Filters, to actors.Ref[client.Message]) error {
	d.asked <- to
	return nil
}

func (d desk) Detach(uint64) {}

// page keeps what is written to it.
type page struct {
	mu      sync.Mutex
	written bytes.Buffer
}

func (p *page) Write(pieces [][]byte, _ time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range pieces {
		p.written.Write(b)
	}
	return nil
}

// text is what has been written so far.
func (p *page) text() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.written.Bytes())
}

func (p *page) OnGone(func())    {}
func (p *page) Protocol() string { return "test" }
func (p *page) Close() error     { return nil }

func (p *page) offsets(t *testing.T) (all []uint64) {
	t.Helper()
	r := sse.NewReader(bytes.NewReader(p.text()))
	for {
		e, err := r.Next()
		if err != nil {
			return all
		}
		if e.Name != "t" {
			continue
		}
		var body struct{ Offset uint64 }
		if err := json.Unmarshal(e.Data, &body); err != nil {
			t.Fatal(err)
		}
		all = append(all, body.Offset)
	}
}

// A client that comes back reads what it has missed, asks for offers, and reads
// what came until it got them. Whenever something is committed meanwhile, the
// client sees it, and once.
func TestHandoverFromCatchUpToLive(t *testing.T) {
	const most = 3
	for missed := range most {
		for asking := range most { // committed before the dispatcher hears of the client
			for reading := range most { // offered while the client reads what came before
				for live := range most {
					synctest.Test(t, func(t *testing.T) { handOver(t, missed, asking, reading, live) })
				}
			}
		}
	}
}

func handOver(t *testing.T, missed, asking, reading, live int) {
	log, out, at := &past{}, &page{}, desk{make(chan actors.Ref[client.Message], 1)}
	for range missed {
		log.commit()
	}
	spawn(t, log, out, at)
	synctest.Wait()
	ref := <-at.asked
	for range asking {
		log.commit()
	}
	offer := func() {
		if err := ref.Tell(log.commit()); err != nil {
			t.Error(err)
		}
	}
	log.read = func() {
		for ; reading > 0; reading-- {
			offer()
		}
	}
	if err := ref.Tell(client.Attached{Head: log.Head()}); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	for range live {
		offer()
	}
	synctest.Wait()
	var want []uint64
	for offset := range log.Head() {
		want = append(want, offset+1)
	}
	if got := out.offsets(t); !slices.Equal(got, want) {
		t.Errorf("missed %d, and %d while it asked: it saw %v, want all %d", missed, asking, got, log.Head())
	}
}

// A dispatcher that fails over the question has forgotten the client, which asks
// again.
func TestAClientThatWasNotAttachedAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, out, at := &past{}, &page{}, desk{make(chan actors.Ref[client.Message], 2)}
		spawn(t, log, out, at)
		synctest.Wait()
		ref := <-at.asked
		if err := ref.Tell(client.Unattached{}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(at.asked); n != 1 {
			t.Errorf("it has asked %d times again", n)
		}
	})
}

func spawn(t *testing.T, log *past, out client.Transport, at desk) {
	t.Helper()
	spawnFor(t, client.Request{Filters: nave.Filters{"a"}, Cursor: "epoch-0", Transport: out}, log, at)
}

func spawnFor(t *testing.T, request client.Request, log client.History, at desk) actors.Ref[client.Message] {
	t.Helper()
	rows := registry.New(0)
	system := actors.NewSystem(actors.Options{Logger: slog.New(slog.DiscardHandler), OnFailure: func(f supervision.Failure) {
		t.Errorf("the client failed: %v", f.Reason)
	}})
	t.Cleanup(func() {
		if err := system.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		rows.Close()
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
	})
	deps := &client.Deps{
		Config: client.Config{}.WithDefaults(), Dispatcher: at, History: log, Mailboxes: actors.NewBudget(1 << 20),
		Authority: auth.Open(), Registry: rows, Telemetry: telemetry.Disabled(),
		Level: func() nave.Level { return nave.LevelNormal }, Heartbeat: 15 * time.Second,
		Listen: func(uint64) {},
	}
	ref, err := actors.Spawn(system, "client", client.Spec(1, request, deps))
	if err != nil {
		t.Fatal(err)
	}
	return ref
}
