package linear

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
	"github.com/navehub/nave/eventlog/pebblelog"
	"github.com/navehub/nave/tests/trial"
)

var seedFlag = flag.Uint64("seed", 0, "what the clients draw from, to draw it again; 0 makes one up")

func TestMain(m *testing.M) { trial.Main(m) }

// seed is the trial's, and is told if it fails.
func seed(t *testing.T) uint64 {
	s := *seedFlag
	if s == 0 {
		s = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("drawn with -seed %d", s)
		}
	})
	return s
}

// Four to eight clients compete for three keys, one of them in a topic whose events
// stay in memory, on a hub in this process. Four such histories are under way at a
// time, so that groups hold publishes of several.
func TestConditionalWrites(t *testing.T) {
	table := trial.NewTable(t, "linear", "Linearizable conditional writes")
	found, seed := new(findings), seed(t)
	failed := 0
	onDisk := func() eventlog.Opener {
		return pebblelog.Opener(t.TempDir(), pebblelog.Options{Logger: slog.New(slog.DiscardHandler)})
	}
	for _, engine := range []struct {
		name    string
		log     *breaking
		hurried time.Duration // about twice as long as an answer takes
	}{
		{"memlog", &breaking{open: memlog.Opener(eventlog.Options{})}, 200 * time.Microsecond},
		{"pebblelog", &breaking{open: onDisk()}, 5 * time.Millisecond},
		{"pebblelog-that-breaks", &breaking{open: onDisk(), oneIn: 100}, 5 * time.Millisecond},
	} {
		histories, illegal := found.histories, found.illegal
		t.Run(engine.name, func(t *testing.T) {
			engine.log.rand = rand.New(rand.NewPCG(seed, 0))
			h := start(t, engine.log)
			playAll(t, found, func(n uint64) *game {
				return &game{hub: h, place: fmt.Sprintf("%s/%d", engine.name, n), seed: seed, number: n, hurried: engine.hurried}
			})
			if n := found.illegal - illegal; n > 0 {
				t.Errorf("%d histories are not linearizable", n)
			}
		})
		table.Row("histories on "+engine.name, "", "%d", found.histories-histories)
		failed += engine.log.broken
	}
	some(t, table, "writes of the log that failed, stored or not", failed)
	found.report(t, table)
}

// start runs a hub in this process until the test ends.
func start(t *testing.T, log *breaking) local {
	t.Helper()
	inMemory := hub.TopicRule{Filter: "*/*/lists", Durability: nave.Memory}
	var said bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError}))
	h := hub.New(hub.Config{Logger: logger, Topics: []hub.TopicRule{inMemory}}, log.Open)
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Errorf("end the hub: %v", err)
		}
		if t.Failed() {
			t.Logf("the hub said in the end:\n%s", said.Bytes()[max(0, said.Len()-8<<10):])
		}
	})
	return local{h, &log.up}
}

// playAll plays and judges many games, a few at a time, until one cannot be played.
func playAll(t *testing.T, found *findings, next func(n uint64) *game) {
	histories := trial.Pick(uint64(200), 10_000)
	log := progress(t)
	var begun atomic.Uint64
	var failed atomic.Bool
	var players sync.WaitGroup
	for range 4 {
		players.Go(func() {
			for n := begun.Add(1); n <= histories && !failed.Load(); n = begun.Add(1) {
				g := next(n)
				r := rand.New(g.source(theSize))
				g.clients, g.steps = 4+r.IntN(5), 6+r.IntN(5)
				if !playOne(t, found, g) {
					failed.Store(true)
				}
				log("%d of %d histories", n, histories)
			}
		})
	}
	players.Wait()
}

func playOne(t *testing.T, found *findings, g *game) (played bool) {
	h, err := g.play(t.Context())
	if err != nil {
		t.Errorf("%v: %v", g, err)
		return false
	}
	found.judge(t, g.String(), h)
	return true
}

// Eight clients compete over HTTP. In the middle of each history the hub is killed
// with -9 and started again, and they go on.
func TestConditionalWritesAcrossCrashes(t *testing.T) {
	table := trial.NewTable(t, "linear-crashes", "Linearizable conditional writes across crashes")
	const clients = 8
	found, seed := new(findings), seed(t)
	h := newRemote(trial.CheckedHub(t), clients)
	defer h.http.CloseIdleConnections()
	log := progress(t)
	crashes := trial.Pick(5, 200)
	for n := range crashes {
		g := &game{
			hub: h, place: fmt.Sprintf("crash/%d", n), seed: seed, number: uint64(n),
			clients: clients, steps: 16, hurried: 5 * time.Millisecond,
		}
		g.amid = func(r *record) error { return crash(t, h, r, rand.New(g.source(theCrash))) }
		if !playOne(t, found, g) {
			break
		}
		log("%d of %d crashes", n+1, crashes)
	}
	table.Row("histories, with a crash in the middle of each", "", "%d", found.histories)
	some(t, table, "operations under way in a crash", found.cut)
	found.report(t, table)
}

// crash kills the hub at a moment that has to do with nothing, as what the clients
// asked goes through its stations, and starts it again.
func crash(t *testing.T, h *remote, r *record, moment *rand.Rand) error {
	time.Sleep(time.Duration(moment.Int64N(int64(3 * time.Millisecond))))
	if err := h.process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	r.cut = r.clock.Load()
	h.up.shut()
	if err := h.process.Kill(); err != nil {
		return err
	}
	if err := h.process.Start(trial.Soon(t)); err != nil {
		return err
	}
	h.up.open()
	return nil
}

// progress logs in the long form, every ten seconds at most.
func progress(t *testing.T) func(format string, args ...any) {
	var mu sync.Mutex
	last := time.Now()
	return func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		if trial.Long() && time.Since(last) > 10*time.Second {
			last = time.Now()
			t.Logf(format, args...)
		}
	}
}
