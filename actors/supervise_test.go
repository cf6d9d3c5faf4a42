package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/supervision"
)

var boom = do(func(*Context[any]) { panic("boom") })

func TestRestartWaitsAndKeepsTheBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var d diary
		r := h.spawnWith(numberedIncarnations(&d, supervision.Journal))
		h.tell(r, boom)
		h.tell(r, "a")
		synctest.Wait()
		f := h.failure()
		h.tell(r, urgent(func(*Context[any]) { d.write("urgent") }))
		time.Sleep(f.Delay - 1)
		synctest.Wait()
		d.expect(t, "new 1", "started 1")
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		d.expect(t, "new 1", "started 1", "stopped 1", "new 2", "started 2", "urgent", "a 2")
	})
}

func TestPastIntensity(t *testing.T) {
	for _, kind := range []supervision.Kind{
		supervision.Hub, supervision.Journal, supervision.Dispatcher,
		supervision.Topic, supervision.Client, "somebody's own",
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t)
				r := h.spawn(kind, script{})
				p := supervision.PolicyOf(kind)
				for range p.Max {
					h.tell(r, boom)
					f := h.failure()
					time.Sleep(f.Delay)
					synctest.Wait()
					if f.Directive != p.On {
						t.Fatalf("directive = %v, want %v", f.Directive, p.On)
					}
				}
				h.settle(r)
				h.tell(r, boom)
				if f := h.failure(); f.Directive != p.Then || f.Failures != p.Max+1 {
					t.Errorf("directive = %v, want %v", f.Directive, p.Then)
				}
				receive(t, r.body.finished())
				if err := r.Tell(boom); !errors.Is(err, ErrStopped) {
					t.Errorf("tell: %v", err)
				}
			})
		})
	}
}

// A failing Started must neither spin nor go on for ever.
func TestStartedFailsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		begin := time.Now()
		r := h.spawn(supervision.Hub, script{started: func(*Context[any]) { panic("no disk") }})
		receive(t, r.body.finished())
		if d := time.Since(begin); d < time.Second {
			t.Errorf("gave up after %v", d)
		}
		if n, want := len(h.failures), supervision.PolicyOf(supervision.Hub).Max+1; n != want {
			t.Errorf("%d failures, want %d", n, want)
		}
	})
}

func TestStopWhileARestartWaits(t *testing.T) {
	stops := map[string]func(*harness, Ref[any]) error{
		"by Stop":     func(_ *harness, r Ref[any]) error { return r.StopAndWait(context.Background()) },
		"by Shutdown": func(h *harness, _ Ref[any]) error { return h.Shutdown(context.Background()) },
	}
	for name, stop := range stops {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHarness(t)
				var d diary
				r := h.spawnWith(numberedIncarnations(&d, supervision.Extension))
				h.tell(r, boom)
				p := asked{NewReply[int](), func(*Context[any]) {}}
				h.tell(r, p)
				synctest.Wait()
				begin := time.Now()
				if err := stop(h, r); err != nil {
					t.Fatal(err)
				}
				if _, err := p.Wait(t.Context()); !errors.Is(err, ErrStopped) {
					t.Errorf("backlog: %v", err)
				}
				if time.Since(begin) != 0 {
					t.Error("the stop waited for the restart")
				}
				time.Sleep(time.Hour)
				d.expect(t, "new 1", "started 1", "stopped 1")
			})
		})
	}
}

// The stop of a parent must not be undone by a restart that was decided before.
func TestRestartComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		r := h.spawn(supervision.Journal, script{})
		var child Ref[any]
		h.tell(r, do(func(c *Context[any]) {
			child, _ = Spawn(c, "child", Spec[any]{New: func() Actor[any] { return &script{} }})
		}))
		h.settle(r)
		release := h.block(child) // keeps its parent from ending
		h.tell(r, boom)
		f := h.failure()
		r.Stop()
		time.Sleep(f.Delay)
		synctest.Wait()
		release()
		receive(t, r.body.finished())
	})
}

func TestAParentThatWaitsStillSupervises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var d diary
		r := h.spawn(resumed, script{})
		var child Ref[any]
		h.tell(r, do(func(c *Context[any]) {
			child, _ = Spawn(c, "child", numberedIncarnations(&d, restarted))
			c.Hold()
		}))
		synctest.Wait()
		h.tell(child, boom)
		h.tell(child, "a")
		time.Sleep(time.Second)
		synctest.Wait()
		d.expect(t, "new 1", "started 1", "stopped 1", "new 2", "started 2", "a 2")
	})
}
