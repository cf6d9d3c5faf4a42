package actors

import (
	"bytes"
	"runtime"
	"testing"
)

// quick is a do that is prompt.
type quick func(c *Context[any])

func (quick) PromptMessage() {}

// goroutine is the number of the goroutine that runs.
func goroutine() string {
	stack := make([]byte, 64)
	return string(bytes.Fields(stack[:runtime.Stack(stack, false)])[1])
}

func promptly(t *testing.T) (*harness, Ref[any]) {
	h := newHarness(t)
	r := h.spawnWith(Spec[any]{Kind: restarted, New: func() Actor[any] {
		return &script{other: func(m any) { m.(quick)(nil) }}
	}})
	h.settle(r)
	for resting := false; !resting; runtime.Gosched() { // or its messages wait for their turn
		r.body.mu.Lock()
		resting = !r.body.running
		r.body.mu.Unlock()
	}
	return h, r
}

func TestAPromptMessageIsHandledBeforeTellReturns(t *testing.T) {
	h, r := promptly(t)
	var on string
	h.tell(r, quick(func(*Context[any]) { on = goroutine() }))
	if on != goroutine() {
		t.Errorf("handled on goroutine %q, told on %q", on, goroutine())
	}
}

func TestATellerIsNotLentForWhatIsNotPrompt(t *testing.T) {
	h, r := promptly(t)
	gate, on := make(chan struct{}), make(chan string, 1)
	h.tell(r, quick(func(*Context[any]) {
		h.tell(r, do(func(*Context[any]) { <-gate; on <- goroutine() }))
	}))
	close(gate) // that we are here shows that nobody waits for it on this goroutine
	if other := <-on; other == goroutine() {
		t.Error("a message that is not prompt was handled by the teller")
	}
}

func TestATellerIsNotLentForLong(t *testing.T) {
	h, r := promptly(t)
	own, others := goroutine(), make(chan string, 1)
	var again quick
	again = func(*Context[any]) {
		if on := goroutine(); on != own {
			others <- on
			return
		}
		h.tell(r, again)
	}
	h.tell(r, again)
	<-others
}

func TestAPromptMessageThatFailsIsContained(t *testing.T) {
	h, r := promptly(t)
	h.tell(r, quick(func(*Context[any]) { panic("boom") }))
	h.settle(r)
	if f := h.failure(); f.Reason != "boom" {
		t.Errorf("failure is %v", f.Reason)
	}
	handled := false
	h.tell(r, quick(func(*Context[any]) { handled = true }))
	h.settle(r)
	if !handled {
		t.Error("the actor handles nothing after its restart")
	}
}
