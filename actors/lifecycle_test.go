package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/supervision"
)

// A diary is what happened, in order.
type diary struct {
	mu      sync.Mutex
	entries []string
}

func (d *diary) write(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = append(d.entries, fmt.Sprintf(format, args...))
}

func (d *diary) expect(t *testing.T, want ...string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff(want, d.entries); diff != "" {
		t.Errorf("what happened (-want +got):\n%s", diff)
	}
}

// numberedIncarnations is a Spec whose incarnations write their life into d.
func numberedIncarnations(d *diary, kind supervision.Kind) Spec[any] {
	n := 0
	return Spec[any]{Kind: kind, New: func() Actor[any] {
		n++
		i := n
		d.write("new %d", i)
		return &script{
			started: func(*Context[any]) { d.write("started %d", i) },
			stopped: func() { d.write("stopped %d", i) },
			other:   func(m any) { d.write("%v %d", m, i) },
		}
	}}
}

func TestLifeCycle(t *testing.T) {
	h := newHarness(t)
	var d diary
	r := h.spawnWith(numberedIncarnations(&d, restarted))
	h.tell(r, "a")
	release := h.block(r)
	h.tell(r, do(func(*Context[any]) { panic("boom") }))
	h.tell(r, "b")
	h.tell(r, "c")
	release()
	h.settle(r)
	h.end(r)
	d.expect(t, "new 1", "started 1", "a 1", "stopped 1", "new 2", "started 2", "b 2", "c 2", "stopped 2")

	f := h.failure()
	if !strings.Contains(string(f.Stack), "lifecycle_test.go") {
		t.Errorf("the stack does not show the handler:\n%s", f.Stack)
	}
	f.Stack, f.Delay = nil, 0
	want := supervision.Failure{Kind: restarted, Actor: r.Name(), Message: "actors.do", Reason: "boom", Directive: supervision.Restart, Failures: 1}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("failure (-want +got):\n%s", diff)
	}
}

func TestResumeKeepsTheIncarnation(t *testing.T) {
	h := newHarness(t)
	var d diary
	r := h.spawnWith(numberedIncarnations(&d, resumed))
	h.tell(r, do(func(*Context[any]) { panic("boom") }))
	h.tell(r, "a")
	h.settle(r)
	h.end(r)
	d.expect(t, "new 1", "started 1", "a 1", "stopped 1")
	if f := h.failure(); f.Directive != supervision.Resume {
		t.Errorf("directive = %v", f.Directive)
	}
}

func TestStopFailsTheBacklog(t *testing.T) {
	h := newHarness(t)
	budget := NewBudget(1 << 20)
	ctx := context.Background()
	r := h.spawnWith(Spec[any]{Kind: resumed, Mailbox: Limits{Budget: budget}, New: func() Actor[any] { return &script{} }})
	release := h.block(r)
	promises := make([]asked, 10)
	for i := range promises {
		promises[i] = asked{NewReply[int](), func(*Context[any]) { t.Error("handled after stop") }}
		h.tell(r, promises[i])
	}
	if budget.Used() == 0 {
		t.Error("the budget is not used")
	}
	r.Stop()
	if err := r.Tell("late"); !errors.Is(err, ErrStopped) {
		t.Errorf("tell after stop: %v", err)
	}
	release()
	for _, p := range promises {
		if _, err := p.Wait(ctx); !errors.Is(err, ErrStopped) {
			t.Errorf("a message left behind: %v", err)
		}
	}
	h.end(r)
	if used := budget.Used(); used != 0 {
		t.Errorf("budget: %d bytes used in the end", used)
	}
}

func TestChildrenStopFirst(t *testing.T) {
	h := newHarness(t)
	var d diary
	parent := h.spawn(resumed, script{stopped: func() { d.write("parent") }})
	var child, grandchild Ref[any]
	h.tell(parent, do(func(c *Context[any]) {
		child, _ = Spawn(c, "child", Spec[any]{New: func() Actor[any] {
			return &script{
				started: func(c *Context[any]) {
					grandchild, _ = Spawn(c, "grandchild", Spec[any]{New: func() Actor[any] {
						return &script{stopped: func() { d.write("grandchild") }}
					}})
				},
				stopped: func() { d.write("child") },
			}
		}})
	}))
	h.settle(parent)
	h.settle(child)
	if got, want := grandchild.Name(), "test#1/child#2/grandchild#3"; got != want {
		t.Errorf("name = %q, want %q", got, want)
	}
	h.end(parent)
	d.expect(t, "grandchild", "child", "parent")
	if err := grandchild.Tell("late"); !errors.Is(err, ErrStopped) {
		t.Errorf("tell: %v", err)
	}
}

func TestRestartEndsTheChildrenFirst(t *testing.T) {
	h := newHarness(t)
	var d diary
	n := 0
	r := h.spawnWith(Spec[any]{Kind: restarted, New: func() Actor[any] {
		n++
		i := n
		return &script{
			started: func(c *Context[any]) {
				d.write("started %d", i)
				if _, err := Spawn(c, "child", Spec[any]{New: func() Actor[any] {
					return &script{stopped: func() { d.write("child of %d", i) }}
				}}); err != nil {
					t.Error(err)
				}
			},
			stopped: func() { d.write("stopped %d", i) },
		}
	}})
	h.tell(r, do(func(*Context[any]) { panic("boom") }))
	h.settle(r)
	h.end(r)
	d.expect(t, "started 1", "child of 1", "stopped 1", "started 2", "child of 2", "stopped 2")
}

func TestSpawnWhileStopping(t *testing.T) {
	h := newHarness(t)
	errs := make(chan error, 3)
	spawn := func(c *Context[any]) {
		_, err := Spawn(c, "child", Spec[any]{New: func() Actor[any] { return &script{} }})
		errs <- err
	}
	var kept *Context[any]
	r := h.spawn(resumed, script{stopped: func() { spawn(kept) }})
	h.tell(r, do(func(c *Context[any]) {
		kept = c
		c.Stop()
		spawn(c)
	}))
	receive(t, r.body.finished())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = h.Shutdown(ctx)
	_, err := Spawn(h.System, "late", Spec[any]{New: func() Actor[any] { return &script{} }})
	errs <- err
	for range 3 {
		if err := receive(t, errs); !errors.Is(err, ErrStopped) {
			t.Errorf("spawn: %v", err)
		}
	}
}

func TestFailuresOutsideReceive(t *testing.T) {
	boom := func() { panic("boom") }
	for name, fail := range map[string]func(){"panic": boom, "Goexit": runtime.Goexit} {
		t.Run("New by "+name, func(t *testing.T) {
			h := newHarness(t)
			n := 0
			r := h.spawnWith(Spec[any]{Kind: resumed, New: func() Actor[any] {
				if n++; n == 1 {
					fail()
				}
				return &script{}
			}})
			h.settle(r)
			expectFailure(t, h, "Started", supervision.Restart)
		})
		t.Run("Started by "+name, func(t *testing.T) {
			h := newHarness(t)
			var d diary
			n := 0
			r := h.spawn(resumed, script{started: func(*Context[any]) {
				if n++; n < 3 {
					fail()
				}
			}, stopped: func() { d.write("stopped") }})
			h.settle(r)
			h.end(r)
			expectFailure(t, h, "Started", supervision.Restart)
			expectFailure(t, h, "Started", supervision.Restart)
			d.expect(t, "stopped", "stopped", "stopped")
		})
		t.Run("Stopped by "+name, func(t *testing.T) {
			h := newHarness(t)
			var child Ref[any]
			parent := h.spawn(resumed, script{stopped: fail})
			h.tell(parent, do(func(c *Context[any]) {
				child, _ = Spawn(c, "child", Spec[any]{Kind: restarted, New: func() Actor[any] { return &script{stopped: fail} }})
			}))
			h.settle(parent)
			h.tell(child, do(func(*Context[any]) { panic("so that Stopped is called twice") }))
			h.settle(child)
			h.end(parent)
		})
		t.Run("Fail by "+name, func(t *testing.T) {
			h := newHarness(t)
			r := h.spawn(resumed, script{})
			h.tell(r, failing{fail})
			release := h.block(r)
			h.tell(r, failing{fail})
			h.tell(r, failing{fail})
			r.Stop()
			release()
			h.end(r)
		})
		t.Run("Receive by "+name, func(t *testing.T) {
			h := newHarness(t)
			r := h.spawn(restarted, script{})
			p := asked{NewReply[int](), func(*Context[any]) { fail() }}
			h.tell(r, p)
			_, err := p.Wait(t.Context())
			if !errors.As(err, new(*PanicError)) {
				t.Errorf("promise of a failed handler: %v", err)
			}
			h.settle(r)
			expectFailure(t, h, "actors.asked", supervision.Restart)

			h.tell(r, do(func(c *Context[any]) { c.Stop(); fail() }))
			receive(t, r.body.finished())
			expectFailure(t, h, "actors.do", supervision.Stop)
		})
	}
}

func expectFailure(t *testing.T, h *harness, message string, d supervision.Directive) {
	t.Helper()
	if f := h.failure(); f.Message != message || f.Directive != d {
		t.Errorf("failure of %q, %v; want %q, %v", f.Message, f.Directive, message, d)
	}
}

type failing struct{ fail func() }

func (f failing) Fail(error) { f.fail() }

func TestContainedPanicsAreReported(t *testing.T) {
	h := newHarness(t)
	r := h.spawn(resumed, script{stopped: func() { panic("in Stopped") }})
	release := h.block(r)
	h.tell(r, failing{func() { panic("in Fail") }})
	r.Stop()
	release()
	expectFailure(t, h, "actors.failing", supervision.Resume)
	expectFailure(t, h, "Stopped", supervision.Stop)
}

func TestOwnerPanics(t *testing.T) {
	s := NewSystem(Options{
		Logger:    slog.New(slog.DiscardHandler),
		OnFailure: func(supervision.Failure) { panic("in OnFailure") },
	})
	defer shutDown(t, s)
	r, err := Spawn(s, "test", Spec[any]{Kind: stopped, New: func() Actor[any] { return &script{} }})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Tell(do(func(*Context[any]) { panic("boom") })); err != nil {
		t.Fatal(err)
	}
	receive(t, r.body.finished())
}

func TestNamesAreNeverReused(t *testing.T) {
	h := newHarness(t)
	a, b := h.spawn(resumed, script{}), h.spawn(resumed, script{})
	h.end(a)
	c := h.spawn(resumed, script{})
	names := []string{a.Name(), b.Name(), c.Name()}
	if want := []string{"test#1", "test#2", "test#3"}; !slices.Equal(names, want) {
		t.Errorf("names = %q, want %q", names, want)
	}
	if same := (Ref[any]{a.body}); a == c || a != same {
		t.Error("Refs do not compare by actor")
	}
}

func TestZeroRef(t *testing.T) {
	var r Ref[any]
	r.Stop()
	if err := r.StopAndWait(t.Context()); err != nil {
		t.Error(err)
	}
	if err := r.Tell("x"); !errors.Is(err, ErrStopped) || !r.IsZero() || r.Name() != "" || r.Waiting() != 0 || r.Mailbox() != (MailboxStats{}) {
		t.Errorf("tell: %v", err)
	}
}

func TestSpawnWithoutNew(t *testing.T) {
	if _, err := Spawn(newHarness(t).System, "test", Spec[any]{}); err == nil {
		t.Error("no error")
	}
}

func TestShutdownNamesWhoHangs(t *testing.T) {
	h := newHarness(t)
	r := h.spawn(resumed, script{})
	release := h.block(r)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{h.Shutdown(ctx), r.StopAndWait(ctx)} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
	}
}
