package actors

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/supervision"
)

// A tally is what became of messages.
type tally struct {
	accepted, refused, handled, panicked, abandoned atomic.Int64
}

type load struct {
	*tally
	sender, n int
	panics    bool
}

func (l *load) MessageSize() int { return l.n % 100 }

func (l *load) Fail(err error) {
	switch {
	case errors.As(err, new(*PanicError)):
		l.panicked.Add(1)
	case errors.Is(err, ErrStopped):
		l.abandoned.Add(1)
	}
}

type urgentLoad struct{ *load }

func (urgentLoad) ControlMessage() {}

// A worker checks that each sender's messages come in order.
type worker struct {
	t    *testing.T
	last map[int]int // of each sender, and each sender's control messages
}

func (w *worker) Receive(_ *Context[any], m any) {
	l, lane := (*load)(nil), 0
	switch m := m.(type) {
	case *load:
		l = m
	case urgentLoad:
		l, lane = m.load, -1
	}
	if last := w.last[2*l.sender+lane]; l.n <= last {
		w.t.Errorf("sender %d: %d after %d", l.sender, l.n, last)
	}
	w.last[2*l.sender+lane] = l.n
	if l.panics {
		panic("as told")
	}
	l.handled.Add(1)
}

// TestStress has many senders, few and small mailboxes, panics, restarts, stops
// by intensity and stops by hand. Nothing may be lost, nor counted twice.
func TestStress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var sum tally
		budget := NewBudget(4000)
		spec := Spec[any]{
			Kind:    supervision.Topic,
			Mailbox: Limits{Count: 50, Control: 5, Bytes: 2000, Budget: budget},
			New:     func() Actor[any] { return &worker{t, map[int]int{}} },
		}
		var refs [3]atomic.Pointer[Ref[any]]
		renew := func(i int) {
			r := h.spawnWith(spec)
			refs[i].Store(&r)
		}
		for i := range refs {
			renew(i)
		}
		var senders sync.WaitGroup
		for sender := range 8 {
			senders.Go(func() {
				for n := 1; n <= 4000; n++ {
					i := rand.IntN(len(refs))
					r := *refs[i].Load()
					l := &load{&sum, sender, n, rand.IntN(500) == 0}
					var m any = l
					if rand.IntN(5) == 0 {
						m = urgentLoad{l}
					}
					switch err := r.Tell(m); {
					case err == nil:
						sum.accepted.Add(1)
					case errors.Is(err, ErrFull):
						sum.refused.Add(1)
						time.Sleep(time.Millisecond)
					case errors.Is(err, ErrStopped):
						renew(i)
					}
					if rand.IntN(2000) == 0 {
						r.Stop()
					}
					if used := budget.Used(); used < 0 || used > budget.max {
						t.Errorf("budget: %d used of %d", used, budget.max)
					}
				}
			})
		}
		senders.Wait()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, want := sum.handled.Load()+sum.panicked.Load()+sum.abandoned.Load(), sum.accepted.Load(); got != want {
			t.Errorf("accepted %d; handled %d + panicked %d + abandoned %d = %d",
				want, sum.handled.Load(), sum.panicked.Load(), sum.abandoned.Load(), got)
		}
		for what, n := range map[string]*atomic.Int64{"refused": &sum.refused, "panicked": &sum.panicked, "abandoned": &sum.abandoned} {
			if n.Load() == 0 {
				t.Errorf("no message was %s: the test does not stress", what)
			}
		}
		if used := budget.Used(); used != 0 {
			t.Errorf("budget: %d bytes used in the end", used)
		}
		if st := h.Stats()[0]; int64(st.Refused) != sum.refused.Load() {
			t.Errorf("refused %d, want %d", st.Refused, sum.refused.Load())
		}
	})
}

var crowd = 100_000

func TestCrowd(t *testing.T) {
	n := crowd
	h := newHarness(t)
	var handled, ended atomic.Int64
	spec := Spec[any]{Kind: "many", New: func() Actor[any] {
		return &script{other: func(any) { handled.Add(1) }, stopped: func() { ended.Add(1) }}
	}}
	parent := h.spawn(resumed, script{})
	refs := make([]Ref[any], n)
	h.tell(parent, do(func(c *Context[any]) {
		for i := range refs {
			r, err := Spawn(c, "client", spec)
			if err != nil {
				t.Error(err)
			}
			refs[i] = r
		}
	}))
	done := make(chan struct{})
	h.tell(parent, do(func(*Context[any]) { close(done) }))
	<-done
	for _, r := range refs {
		h.tell(r, "x")
	}
	if st := h.Stats()[1]; st.Kind != "many" || st.Active != n || st.Started != uint64(n) {
		t.Errorf("stats: %+v", st)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ended.Load() != int64(n) {
		t.Errorf("%d ended of %d", ended.Load(), n)
	}
}

func TestTellAllocatesNothing(t *testing.T) {
	h := newHarness(t)
	handled := make(chan struct{})
	r := h.spawn(resumed, script{other: func(any) { handled <- struct{}{} }})
	var m any = "message"
	h.settle(r)
	if n := testing.AllocsPerRun(1000, func() {
		_ = r.Tell(m)
		<-handled
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}
