package actors

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/supervision"
)

func TestControlOvertakesData(t *testing.T) {
	h := newHarness(t)
	r := h.spawnWith(Spec[any]{Kind: resumed, Mailbox: Limits{Count: 2, Control: 1}, New: func() Actor[any] { return &script{} }})
	release := h.block(r)
	var d diary
	h.tell(r, do(func(*Context[any]) { d.write("data 1") }))
	done := make(chan struct{})
	h.tell(r, do(func(*Context[any]) { d.write("data 2"); close(done) }))
	if err := r.Tell("data 3"); !errors.Is(err, ErrFull) {
		t.Errorf("third data message: %v", err)
	}
	h.tell(r, urgent(func(c *Context[any]) { d.write("control, before %d", c.Waiting()) }))
	if err := r.Tell(urgent(nil)); !errors.Is(err, ErrFull) {
		t.Errorf("second control message: %v", err)
	}
	if n := r.Waiting(); n != 2 {
		t.Errorf("waiting = %d", n)
	}
	if got, want := r.Mailbox(), (MailboxStats{Data: 2, Control: 1, Bytes: 2 * defaultSize, Refused: 2}); got != want {
		t.Errorf("mailbox: %+v, want %+v", got, want)
	}
	st := h.Stats()[0]
	if st.Refused != 2 || st.Depth != 3 || st.MaxDepth != 3 || st.Bytes != 2*defaultSize || st.Active != 1 || st.Started != 1 {
		t.Errorf("stats: %+v", st)
	}
	release()
	receive(t, done)
	d.expect(t, "control, before 2", "data 1", "data 2")
	if st := h.Peek()[0]; st.MaxDepth != 3 || st.Depth != 0 {
		t.Errorf("a peek: %+v", st)
	}
	if st := h.Stats()[0]; st.MaxDepth != 3 {
		t.Errorf("MaxDepth = %d, after a peek", st.MaxDepth)
	}
	if st := h.Stats()[0]; st.MaxDepth != 0 {
		t.Errorf("MaxDepth = %d, after it was read", st.MaxDepth)
	}
}

func TestHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var d diary
		r := h.spawnWith(Spec[any]{Kind: restarted, Mailbox: Limits{Count: 3}, New: func() Actor[any] {
			return &script{other: func(m any) { d.write("%v", m) }}
		}})
		hold := urgent(func(c *Context[any]) { c.Hold() })
		h.tell(r, hold)
		synctest.Wait()
		for _, m := range []string{"a", "b", "c"} {
			h.tell(r, m)
		}
		if err := r.Tell("d"); !errors.Is(err, ErrFull) {
			t.Errorf("tell a held and full mailbox: %v", err)
		}
		h.tell(r, urgent(func(*Context[any]) { d.write("control") }))
		synctest.Wait()
		d.expect(t, "control")
		h.tell(r, urgent(func(c *Context[any]) { c.Release() }))
		synctest.Wait()
		d.expect(t, "control", "a", "b", "c")

		h.tell(r, hold)
		h.tell(r, urgent(func(*Context[any]) { panic("a restart releases") }))
		h.tell(r, "d")
		time.Sleep(time.Second)
		synctest.Wait()
		d.expect(t, "control", "a", "b", "c", "d")

		h.tell(r, hold)
		synctest.Wait()
		h.tell(r, "never")
		h.end(r)
	})
}

func TestAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var d diary
		begin := time.Now()
		r := h.spawnWith(Spec[any]{Kind: restarted, Mailbox: Limits{Control: 1}, New: func() Actor[any] {
			return &script{other: func(m any) { d.write("%v at %v", m, time.Since(begin)) }}
		}})
		h.tell(r, do(func(c *Context[any]) {
			c.After(3*time.Second, "c")
			c.After(time.Second, "a")
			cancel := c.After(2*time.Second, "b")
			cancel()
			cancel()
			c.After(5*time.Second, "of another incarnation")
		}))
		time.Sleep(4 * time.Second)
		h.tell(r, boom)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		d.expect(t, "a at 1s", "c at 3s")
		h.tell(r, do(func(c *Context[any]) {
			for range 10 { // more than control messages may wait
				c.After(0, "e")
			}
			late := c.After(0, "cancelled")
			time.Sleep(time.Second) // it is in the mailbox by now
			late()
			if n := c.Self().Mailbox().Control; n != 11 {
				t.Errorf("%d control messages", n)
			}
			d.entries = nil
		}))
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(d.entries) != 10 {
			t.Errorf("timers at once: %q", d.entries)
		}
		h.tell(r, do(func(c *Context[any]) { c.After(time.Second, "after the end") }))
		h.settle(r)
		h.end(r)
		time.Sleep(2 * time.Second)
		if len(d.entries) != 10 {
			t.Errorf("after the end: %q", d.entries)
		}
	})
}

// A message that had expired when its incarnation failed is not for the next one.
func TestAfterDoesNotSurviveARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var d diary
		r := h.spawn(restarted, script{other: func(m any) { d.write("%v", m) }})
		h.tell(r, do(func(c *Context[any]) {
			c.After(0, "stale")
			time.Sleep(time.Second)
			panic("boom")
		}))
		time.Sleep(time.Minute)
		h.settle(r)
		d.expect(t)
	})
}

func TestAfterFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		r := h.spawn(resumed, script{})
		h.tell(r, do(func(c *Context[any]) { c.After(time.Second, boom) }))
		expectFailure(t, h, "actors.do", supervision.Resume)
	})
}

func TestAfterOutOfItsTime(t *testing.T) {
	h := newHarness(t)
	var kept *Context[any]
	r := h.spawn(resumed, script{started: func(c *Context[any]) { kept = c }, stopped: func() { kept.After(0, "late")() }})
	h.settle(r)
	h.end(r)
	if kept.timers != nil {
		t.Error("a timer after the end")
	}
}

func TestLogger(t *testing.T) {
	var out bytes.Buffer
	s := NewSystem(Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	defer shutDown(t, s)
	r, err := Spawn(s, "test", Spec[any]{Kind: stopped, New: func() Actor[any] { return &script{} }})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []do{func(c *Context[any]) { c.Logger().Info("hello") }, func(c *Context[any]) { c.Self().Stop() }} {
		if err := r.Tell(m); err != nil {
			t.Fatal(err)
		}
	}
	receive(t, r.body.finished())
	s.report(supervision.Failure{Actor: "test#2", Kind: stopped, Reason: "boom", Directive: supervision.Stop})
	for _, want := range []string{`msg=hello actor=test#1`, `actor=test#2 kind=client message="" reason=boom directive=stop`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("log = %q, want %q in it", out.String(), want)
		}
	}
}
