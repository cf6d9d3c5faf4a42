package actors

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave/supervision"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The kinds of tests, by what a failure does to them.
const (
	resumed   = supervision.Hub        // past intensity escalated
	restarted = supervision.Dispatcher // after 10 ms; past intensity escalated
	stopped   = supervision.Client
)

// do is a message: what the actor is to do with it.
type do func(c *Context[any])

// urgent is a do among the control messages.
type urgent func(c *Context[any])

func (urgent) ControlMessage() {}

// asked is a do that carries a promise.
type asked struct {
	Reply[int]
	do do
}

// A script is an actor that does what it is told; its calls are functions.
type script struct {
	started func(c *Context[any])
	stopped func()
	other   func(m any)
}

func (s *script) Receive(c *Context[any], m any) {
	switch m := m.(type) {
	case do:
		m(c)
	case urgent:
		m(c)
	case asked:
		m.do(c)
	case failing:
		panic("so that Fail is called")
	default:
		if s.other != nil {
			s.other(m)
		}
	}
}

func (s *script) Started(c *Context[any]) {
	if s.started != nil {
		s.started(c)
	}
}

func (s *script) Stopped() {
	if s.stopped != nil {
		s.stopped()
	}
}

// A harness is a system whose failures the test reads.
type harness struct {
	*System
	t        *testing.T
	failures chan supervision.Failure
}

func newHarness(t *testing.T) *harness {
	h := &harness{t: t, failures: make(chan supervision.Failure, 1000)}
	h.System = NewSystem(Options{
		Logger:    slog.New(slog.DiscardHandler),
		OnFailure: func(f supervision.Failure) { h.failures <- f },
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		for _, st := range h.Stats() {
			if st.Active != 0 || st.Depth != 0 || st.Bytes != 0 {
				t.Errorf("left behind: %+v", st)
			}
		}
	})
	return h
}

func (h *harness) spawn(kind supervision.Kind, s script) Ref[any] {
	h.t.Helper()
	return h.spawnWith(Spec[any]{Kind: kind, New: func() Actor[any] { return &s }})
}

func (h *harness) spawnWith(spec Spec[any]) Ref[any] {
	h.t.Helper()
	r, err := Spawn(h.System, "test", spec)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// failure is the next failure.
func (h *harness) failure() supervision.Failure {
	h.t.Helper()
	return receive(h.t, h.failures)
}

func (h *harness) tell(r Ref[any], m any) {
	h.t.Helper()
	if err := r.Tell(m); err != nil {
		h.t.Fatalf("tell: %v", err)
	}
}

// settle waits until the actor has done what it was told before.
func (h *harness) settle(r Ref[any]) {
	h.t.Helper()
	done := make(chan struct{})
	h.tell(r, do(func(*Context[any]) { close(done) }))
	receive(h.t, done)
}

// block makes the actor wait in its handler until release is called.
func (h *harness) block(r Ref[any]) (release func()) {
	h.t.Helper()
	entered, gate := make(chan struct{}), make(chan struct{})
	h.tell(r, do(func(*Context[any]) { close(entered); <-gate }))
	receive(h.t, entered)
	return func() { close(gate) }
}

func (h *harness) end(r Ref[any]) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := r.StopAndWait(ctx); err != nil {
		h.t.Fatal(err)
	}
}

func receive[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10 s")
		panic("unreachable")
	}
}

func shutDown(t *testing.T, s *System) {
	t.Helper()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
