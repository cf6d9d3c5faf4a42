package actors

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestReply(t *testing.T) {
	ctx := t.Context()
	r := NewReply[int]()
	r.Send(1)
	r.Send(2)
	r.Fail(errors.New("late"))
	for range 2 {
		if v, err := r.Wait(ctx); v != 1 || err != nil {
			t.Errorf("wait = %d, %v", v, err)
		}
	}
	failed := NewReply[int]()
	failed.Fail(ErrStopped)
	failed.Send(1)
	if v, err := failed.Wait(ctx); v != 0 || !errors.Is(err, ErrStopped) {
		t.Errorf("wait = %d, %v", v, err)
	}
	var zero Reply[int]
	zero.Send(1)
	if _, err := zero.Wait(ctx); err == nil {
		t.Error("wait for the zero Reply: no error")
	}
	over, cancel := context.WithCancel(ctx)
	cancel()
	if v, err := r.Wait(over); v != 1 || err != nil {
		t.Errorf("an answer that is there, and a context that is over: %d, %v", v, err)
	}
	if _, err := NewReply[int]().Wait(over); !errors.Is(err, context.Canceled) {
		t.Errorf("wait = %v", err)
	}
}

func TestAnswered(t *testing.T) {
	var kept int
	r := NewReplyThen[int](func() { kept++ })
	if r.Answered() || kept > 0 {
		t.Error("answered before it is")
	}
	r.Send(1)
	r.Fail(ErrStopped)
	if !r.Answered() || kept != 1 {
		t.Errorf("answered = %v, told %d times", r.Answered(), kept)
	}
	if v, err := r.Wait(t.Context()); v != 1 || err != nil {
		t.Errorf("wait = %d, %v", v, err)
	}
	var zero Reply[int]
	if !zero.Answered() {
		t.Error("to wait for the zero Reply would block")
	}
}

func TestAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		ctx := t.Context()
		r := h.spawnWith(Spec[any]{Kind: stopped, Mailbox: Limits{Count: 1}, New: func() Actor[any] { return &script{} }})
		ask := func(ctx context.Context, do do) (int, error) {
			return Ask(ctx, r, func(p Reply[int]) any { return asked{p, do} })
		}
		begin := time.Now()

		v, err := Ask(ctx, r, func(p Reply[int]) any { return do(func(*Context[any]) { p.Send(42) }) })
		if v != 42 || err != nil {
			t.Errorf("ask = %d, %v", v, err)
		}

		over, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := ask(over, func(*Context[any]) { t.Error("asked for nobody") }); !errors.Is(err, context.Canceled) {
			t.Errorf("ask when it is too late: %v", err)
		}

		release := h.block(r)
		h.tell(r, "fill")
		if _, err := ask(ctx, nil); !errors.Is(err, ErrFull) {
			t.Errorf("ask a full mailbox: %v", err)
		}
		release()
		synctest.Wait()

		if _, err := ask(ctx, boom); !errors.As(err, new(*PanicError)) {
			t.Errorf("ask for a panic: %v", err)
		}
		receive(t, r.body.finished())
		if _, err := ask(ctx, nil); !errors.Is(err, ErrStopped) {
			t.Errorf("ask an actor that has ended: %v", err)
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("somebody waited for %v", d)
		}

		silent := h.spawn(resumed, script{})
		brief, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_, err = Ask(brief, silent, func(Reply[int]) any { return "no answer" })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("ask an actor that does not answer: %v after %v", err, time.Since(begin))
		}
	})
}

func TestAskIsAnsweredWhenTheActorStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		r := h.spawn(resumed, script{})
		release := h.block(r)
		answer := make(chan error)
		go func() {
			_, err := Ask(t.Context(), r, func(p Reply[int]) any { return asked{p, nil} })
			answer <- err
		}()
		synctest.Wait()
		r.Stop()
		release()
		if err := receive(t, answer); !errors.Is(err, ErrStopped) {
			t.Errorf("ask = %v", err)
		}
	})
}

func TestPanicErrorUnwraps(t *testing.T) {
	cause := errors.New("no disk")
	if err := error(&PanicError{Reason: cause}); !errors.Is(err, cause) || err.Error() != "actor panicked: no disk" {
		t.Errorf("err = %v", err)
	}
	if errors.Unwrap(&PanicError{Reason: "x"}) != nil {
		t.Error("unwrapped a string")
	}
}
