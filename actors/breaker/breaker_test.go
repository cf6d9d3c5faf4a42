package breaker

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/registry"
	"github.com/navehub/nave/supervision"
	"github.com/navehub/nave/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A ground is what a breaker runs on in a test.
type ground struct {
	*Breaker
	t        *testing.T
	system   *actors.System
	registry *registry.Registry

	mu  sync.Mutex
	log bytes.Buffer
}

func (g *ground) Write(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.log.Write(p)
}

func begin(t *testing.T, b *Breaker) *ground {
	t.Helper()
	g := &ground{Breaker: b, t: t, registry: registry.New(0)}
	g.system = actors.NewSystem(actors.Options{Logger: slog.New(slog.NewTextHandler(g, nil)), OnFailure: func(supervision.Failure) {}})
	if err := b.Spawn(g.system, Deps{g.registry, telemetry.Disabled()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.system.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
		g.registry.Close()
		time.Sleep(time.Microsecond) // fake: lets the goroutine of protoactor's dead letters end
	})
	return g
}

// bubble runs f with a breaker and fake time.
func bubble(t *testing.T, c Config, f func(t *testing.T, g *ground)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.Name = "mail"
		g := begin(t, New(c))
		synctest.Wait()
		f(t, g)
	})
}

var errCall = errors.New("no answer")

// calls makes n calls that go as err says, and reports how many were let through.
func (g *ground) calls(n int, err error) (through int) {
	g.t.Helper()
	for range n {
		if g.Allow() == nil {
			through++
			g.Done(err, 0)
		}
		synctest.Wait()
	}
	return through
}

// refusal is what the next caller hears.
func (g *ground) refusal() *nave.Error {
	g.t.Helper()
	var e *nave.Error
	if err := g.Allow(); !errors.As(err, &e) || e.Code != nave.CodeUnavailable {
		g.t.Fatalf("Allow = %v", err)
	}
	return e
}

// row is the registry's.
func (g *ground) row() registry.Breaker {
	time.Sleep(2 * registry.DefaultFlush)
	synctest.Wait()
	row, _ := g.registry.Snapshot().Breaker("mail")
	return row
}

func (g *ground) states() (all []State) {
	for _, c := range g.row().History {
		all = append(all, c.State)
	}
	return all
}

func (g *ground) warnings() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Count(g.log.String(), "level=WARN")
}

func TestOpensAndSaysSo(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		if n := g.calls(8, nil); n != 8 {
			t.Errorf("%d of 8 calls were let through", n)
		}
		if n := g.calls(100, errCall); n != 12 {
			t.Errorf("%d failing calls were let through, want 12 of 20", n)
		}
		begun := time.Now()
		e := g.refusal()
		if !regexp.MustCompile(`^the breaker mail is open until 2000-01-01T00:00:01\.\d\d\dZ: 12 of 20 calls failed$`).MatchString(e.Detail) {
			t.Error(e.Detail)
		}
		if e.RetryAfter < time.Second || e.RetryAfter > 1500*time.Millisecond || !time.Now().Equal(begun) {
			t.Errorf("RetryAfter = %v", e.RetryAfter)
		}
		row := g.row()
		if row.State != Open || row.Why != "12 of 20 calls failed" || !row.Until.Equal(begun.Add(e.RetryAfter)) || len(row.History) != 1 {
			t.Errorf("row: %+v", row)
		}
		if n := g.warnings(); n != 1 {
			t.Errorf("%d warnings", n)
		}
	})
}

func TestProbesCloseIt(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		until := g.row().Until
		time.Sleep(time.Until(until) - 1)
		synctest.Wait()
		if g.State() != Open {
			t.Fatal("it is not open as long as it said")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		for range 3 {
			if err := g.Allow(); err != nil {
				t.Fatal(err)
			}
		}
		if e := g.refusal(); e.Detail != "the breaker mail lets a few calls through, to try, since 20 of 20 calls failed" || e.RetryAfter != time.Second {
			t.Errorf("%v after %v", e, e.RetryAfter)
		}
		for range 3 {
			g.Done(nil, 0)
		}
		synctest.Wait()
		if n := g.calls(19, errCall); n != 19 || g.State() != Closed {
			t.Errorf("%d calls were let through; it is %s", n, g.State())
		}
		if got, want := g.states(), []State{Open, HalfOpen, Closed}; !slices.Equal(got, want) {
			t.Errorf("history: %v, want %v", got, want)
		}
	})
}

func TestStaysOpenForLongerEachTime(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		var last time.Duration
		for i := range 20 {
			row := g.row()
			open := row.Until.Sub(row.Since)
			if open > time.Minute || i < 5 && open < last*4/3 {
				t.Errorf("attempt %d: open for %v after %v", i, open, last)
			}
			last = open
			time.Sleep(time.Until(row.Until))
			synctest.Wait()
			if n := g.calls(10, errCall); n != 2 {
				t.Errorf("%d failing probes, want 2 of 3", n)
			}
		}
		if last < 40*time.Second {
			t.Errorf("at last open for %v", last)
		}
		if n := len(g.row().History); n != changes {
			t.Errorf("%d changes are remembered", n)
		}
	})
}

func TestLostProbesHaveFailed(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		time.Sleep(time.Hour) // nobody tries
		if g.State() != HalfOpen || g.Allow() != nil {
			t.Fatalf("it is %s", g.State())
		}
		time.Sleep(10 * time.Second)
		if row := g.row(); row.State != Open || row.Why != "3 of 3 probes did not come back within 10s" {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestSlowCallsOpenIt(t *testing.T) {
	bubble(t, Config{SlowCall: time.Second}, func(t *testing.T, g *ground) {
		for i := range 20 {
			took := time.Second
			if i >= 4 {
				took++
			}
			if g.Allow() == nil {
				g.Done(nil, took-time.Second) // what is over began in time
			}
			time.Sleep(10 * time.Millisecond)
		}
		if g.State() != Closed {
			t.Fatal("it is open, although no call was slow")
		}
		time.Sleep(time.Minute)
		for i := range 20 {
			if g.Allow() == nil {
				g.Done(nil, time.Second+time.Duration(min(max(i-3, 0), 1)))
			}
			synctest.Wait()
		}
		if row := g.row(); row.Why != "16 of 20 calls took longer than 1s" {
			t.Errorf("row: %+v", row)
		}
	})
}

// What began before the breaker closed is no reason to open it again, nor is it a
// probe.
func TestLateOnesAreNotHeldAgainstIt(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		begun := time.Now()
		g.calls(20, errCall)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		for range 50 {
			g.Done(errCall, time.Since(begun))
			g.Done(nil, time.Since(begun))
		}
		synctest.Wait()
		if g.State() != HalfOpen {
			t.Fatalf("it is %s", g.State())
		}
		g.calls(3, nil)
		time.Sleep(time.Second)
		for range 50 {
			g.Done(errCall, time.Since(begun))
		}
		synctest.Wait()
		if g.State() != Closed {
			t.Errorf("it is %s", g.State())
		}
	})
}

func TestOldCallsAreForgotten(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(19, errCall)
		time.Sleep(11 * time.Second)
		g.calls(19, errCall)
		if g.State() != Closed {
			t.Error("failures of before the window have opened it")
		}
		if row := g.row(); row.Calls > 19 {
			t.Errorf("row: %+v", row)
		}
	})
}

// Many that went well outweigh a few that did not, also if nobody was told of them.
func TestTheGoodOnesCount(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		for range 100 {
			g.Done(nil, 0)
		}
		time.Sleep(5 * time.Second)
		g.calls(99, errCall)
		if row := g.row(); row.State != Closed || row.Calls < 100 {
			t.Errorf("row: %+v", row)
		}
		g.calls(1, errCall)
		if g.State() != Open {
			t.Errorf("it is %s, with half of the calls failed", g.State())
		}
	})
}

func TestIdleHasNoTimer(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.Done(nil, 0)
		synctest.Wait()
		if !g.awake.Load() {
			t.Error("it sleeps although there is something to look at")
		}
		time.Sleep(12 * time.Second)
		synctest.Wait()
		if g.awake.Load() {
			t.Error("it is awake although there is nothing to look at")
		}
		if row := g.row(); row.Calls != 0 {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestReset(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		if err := g.Reset(t.Context(), "alice"); err != nil {
			t.Fatal(err)
		}
		if n := g.calls(19, errCall); n != 19 {
			t.Errorf("%d of 19 calls were let through: it has not forgotten", n)
		}
		if row := g.row(); row.State != Closed || row.Why != "it was reset by alice" {
			t.Errorf("row: %+v", row)
		}
		if err := g.Reset(t.Context(), ""); err != nil { // a closed one forgets too
			t.Fatal(err)
		}
		if n := g.calls(19, errCall); n != 19 || g.warnings() != 2 {
			t.Errorf("%d of 19 calls were let through, with %d warnings", n, g.warnings())
		}
	})
}

func TestRestartsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Name: "mail"})
		opened := 0
		b.random = func() float64 {
			if opened++; opened == 2 {
				panic("as told")
			}
			return 0
		}
		g := begin(t, b)
		synctest.Wait()
		g.calls(20, errCall)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		g.calls(2, errCall) // it fails as it opens again
		time.Sleep(time.Second)
		synctest.Wait()
		if n := g.calls(20, errCall); n != 20 || g.State() != Open {
			t.Errorf("%d calls were let through; it is %s", n, g.State())
		}
		if got, want := g.states(), []State{Open, HalfOpen, Closed, Open}; !slices.Equal(got, want) {
			t.Errorf("history: %v, want %v", got, want)
		}
	})
}

func TestOneThatKeepsFailingIsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Name: "mail", MinCalls: 1})
		b.random = func() float64 { panic("as told") }
		g := begin(t, b)
		for range 20 {
			if n := g.calls(5, errCall); n != 5 {
				t.Errorf("%d of 5 calls were let through", n)
			}
			time.Sleep(time.Second)
		}
		if err := g.Reset(t.Context(), ""); !errors.Is(err, actors.ErrStopped) {
			t.Errorf("Reset = %v", err)
		}
		if row := g.row(); row.State != Closed || row.Why != "its actor has ended, and lets every call through" {
			t.Errorf("row: %+v", row)
		}
		g.Retire(g.registry)
		if row := g.row(); row.Name != "" {
			t.Errorf("row of one that is retired: %+v", row)
		}
	})
}

func TestHold(t *testing.T) {
	bubble(t, Config{Manual: true}, func(t *testing.T, g *ground) {
		if g.calls(100, errCall) != 100 {
			t.Error("a manual one opened by itself")
		}
		g.Hold("the disk is away", time.Time{})
		if e := g.refusal(); e.Detail != "the breaker mail is open: the disk is away" || e.RetryAfter != time.Second {
			t.Errorf("%v after %v", e, e.RetryAfter)
		}
		until := time.Now().Add(time.Minute)
		g.Hold("the disk is away", until)
		if e := g.refusal(); e.Detail != "the breaker mail is open until 2000-01-01T00:01:00.000Z: the disk is away" || e.RetryAfter != time.Second {
			t.Errorf("%v after %v", e, e.RetryAfter)
		}
		if row := g.row(); !row.Until.Equal(until) || len(row.History) != 1 {
			t.Errorf("row: %+v", row)
		}
		if err := g.Reset(t.Context(), "alice"); err != nil || g.State() != Open {
			t.Errorf("%s after a reset, %v", g.State(), err)
		}
		time.Sleep(time.Hour)
		if g.State() != Open {
			t.Error("it did not wait for its owner")
		}
		g.Release()
		if g.Allow() != nil {
			t.Error("it is not closed at once")
		}
		g.Release()
		if row := g.row(); row.State != Closed || len(row.History) != 2 {
			t.Errorf("row: %+v", row)
		}
	})
}

// A level is asked for from the moment that it opens until it is closed again.
func TestLevel(t *testing.T) {
	bubble(t, Config{Level: nave.LevelConserve}, func(t *testing.T, g *ground) {
		level := func(when string, want nave.Level) {
			t.Helper()
			if got := g.Level(); got != want {
				t.Errorf("%s it asks for %s", when, got)
			}
		}
		level("closed", nave.LevelNormal)
		g.calls(20, errCall)
		level("open", nave.LevelConserve)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if g.State() != HalfOpen {
			t.Fatalf("it is %s", g.State())
		}
		level("half-open", nave.LevelConserve)
		g.calls(3, nil)
		level("closed again", nave.LevelNormal)
		g.Hold("the disk is away", time.Time{})
		level("held", nave.LevelConserve)
		g.Release()
		level("released", nave.LevelNormal)
		if row := g.row(); row.Level != nave.LevelConserve {
			t.Errorf("row: %+v", row)
		}
	})
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		if got := g.Level(); g.State() != Open || got != nave.LevelNormal {
			t.Errorf("%s, it asks for %s", g.State(), got)
		}
	})
}

// One that looks by itself needs nobody to call, neither to open nor to close.
func TestSample(t *testing.T) {
	var found atomic.Pointer[error]
	var looks atomic.Int64
	sample := func() error {
		looks.Add(1)
		if err := found.Load(); err != nil {
			return *err
		}
		return nil
	}
	bubble(t, Config{MinCalls: 5, Open: 10 * time.Second, Sample: sample}, func(t *testing.T, g *ground) {
		time.Sleep(20*time.Second + time.Millisecond)
		synctest.Wait()
		written, _ := g.registry.Snapshot().Breaker("mail")
		time.Sleep(time.Minute)
		if looks.Load() != 80 || g.State() != Closed {
			t.Errorf("%d looks in 80 seconds; it is %s", looks.Load(), g.State())
		}
		synctest.Wait()
		if row, _ := g.registry.Snapshot().Breaker("mail"); !reflect.DeepEqual(row, written) {
			t.Errorf("it is written down how often it has looked: %+v, before %+v", row, written)
		}
		away := errors.New("3 of 4 are away")
		found.Store(&away)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if g.State() != Closed {
			t.Error("it is open before half of the looks found something")
		}
		time.Sleep(time.Second)
		row := g.row()
		if !regexp.MustCompile(`^5 of (9|10) looks found something wrong, at last 3 of 4 are away$`).MatchString(row.Why) || row.State != Open {
			t.Errorf("row: %+v", row)
		}
		before := looks.Load()
		time.Sleep(time.Until(row.Until))
		synctest.Wait()
		if n := looks.Load() - before; n > 0 {
			t.Errorf("it has looked %d times while it was open", n)
		}
		time.Sleep(3 * time.Second)
		if row := g.row(); row.State != Open || row.Why != "2 of 3 looks found something wrong, at last 3 of 4 are away" {
			t.Errorf("row: %+v", row)
		}
		found.Store(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if g.State() != Closed {
			t.Errorf("it is %s, although all is well", g.State())
		}
		if err := g.Reset(t.Context(), "alice"); err != nil {
			t.Error(err)
		}
	})
}

func TestResetTellsTheOwner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Name: "mail", Manual: true})
		b.OnReset(b.Release)
		g := begin(t, b)
		g.Hold("the disk is away", time.Time{})
		synctest.Wait()
		if err := g.Reset(t.Context(), "alice"); err != nil || g.Allow() != nil {
			t.Errorf("after a reset, %v, it is %s", err, g.State())
		}
	})
}

// What its owner says holds, although the actor fails meanwhile.
func TestHoldOutlivesARestart(t *testing.T) {
	var looks atomic.Int64
	sample := func() error {
		if looks.Add(1) == 1 {
			panic("as told")
		}
		return nil
	}
	bubble(t, Config{Manual: true, Sample: sample}, func(t *testing.T, g *ground) {
		time.Sleep(sampleEvery)
		synctest.Wait()
		g.Hold("the disk is away", time.Time{}) // before it starts again
		time.Sleep(5 * time.Second)
		if row := g.row(); row.State != Open || row.Why != "the disk is away" || g.Allow() == nil || looks.Load() != 1 {
			t.Errorf("row: %+v after %d looks", row, looks.Load())
		}
		g.Release()
		if row := g.row(); row.State != Closed || g.Allow() != nil {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestRetired(t *testing.T) {
	bubble(t, Config{}, func(t *testing.T, g *ground) {
		g.calls(20, errCall)
		g.Done(errCall, 0)
		g.Retire(g.registry)
		if n := g.calls(20, errCall); n < 19 { // the first may be faster than the end of the actor
			t.Errorf("%d of 20 calls were let through", n)
		}
		time.Sleep(time.Minute)
		if row := g.row(); row.Name != "" {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestWithoutActorItLetsEverythingThrough(t *testing.T) {
	b := New(Config{Name: "mail"})
	for range 100 {
		if err := b.Allow(); err != nil {
			t.Fatal(err)
		}
		b.Done(errCall, 0)
	}
	if err := b.Reset(t.Context(), ""); nave.CodeOf(err) != nave.CodeUnavailable {
		t.Errorf("Reset = %v", err)
	}
}

// What was counted while there was no actor counts when there is one.
func TestCountsFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := New(Config{Name: "mail"})
		for range 20 {
			b.Done(errCall, 0)
		}
		g := begin(t, b)
		synctest.Wait()
		if row := g.row(); row.State != Open || row.Why != "20 of 20 calls failed" {
			t.Errorf("row: %+v", row)
		}
	})
}

func TestGoodCallsAllocateNothing(t *testing.T) {
	g := begin(t, New(Config{Name: "mail"}))
	for n := 0; n < 1000 || !g.awake.Load(); n++ {
		g.Done(nil, 0)
	}
	allocs := testing.AllocsPerRun(10_000, func() {
		if g.Allow() == nil {
			g.Done(nil, time.Millisecond)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// However many call at once: half-open lets through as many as it should, and no
// more failures are counted than calls.
func TestManyCallers(t *testing.T) {
	g := begin(t, New(Config{Name: "mail", Window: 100 * time.Millisecond, Open: time.Millisecond, MaxOpen: 5 * time.Millisecond}))
	var callers sync.WaitGroup
	end := time.Now().Add(500 * time.Millisecond)
	for i := range 16 {
		callers.Go(func() {
			for n := i; time.Now().Before(end); n++ {
				if g.Allow() != nil {
					continue
				}
				var err error
				if n/64%2 == 0 {
					err = errCall
				}
				g.Done(err, 0)
			}
		})
	}
	callers.Add(1)
	go func() { // ends with the callers
		defer callers.Done()
		for time.Now().Before(end) {
			_ = g.Reset(t.Context(), "somebody")
			for row := range g.registry.Snapshot().Breakers() {
				if row.Failures > row.Calls || row.State == HalfOpen && row.Calls > 3 || len(row.History) > changes {
					t.Errorf("row: %+v", row)
				}
			}
			time.Sleep(time.Millisecond)
		}
	}()
	callers.Wait()
}

func BenchmarkGoodCall(b *testing.B) {
	br := New(Config{Name: "mail"})
	br.awake.Store(true)
	b.ReportAllocs()
	for b.Loop() {
		if br.Allow() == nil {
			br.Done(nil, time.Millisecond)
		}
	}
}
