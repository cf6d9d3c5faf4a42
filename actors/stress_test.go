package actors

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave/supervision"
)

// A load is a message that writes down what becomes of it.
type load struct {
	sender, n                    int
	panics                       bool
	accepted                     bool // owned by its sender
	handled, panicked, abandoned atomic.Int32
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

// fates counts what became of it.
func (l *load) fates() int32 { return l.handled.Load() + l.panicked.Load() + l.abandoned.Load() }

type urgentLoad struct{ *load }

func (urgentLoad) ControlMessage() {}

// letGo ends a hold.
type letGo struct{}

func (letGo) ControlMessage() {}

// A sequence is what an actor has seen last of each sender, in each lane. It
// outlives a restart, as the backlog does.
type sequence map[[2]int]int

// A worker checks that each sender's messages come in order, and now and then
// takes no data for a moment.
type worker struct {
	t    *testing.T
	last sequence
}

func (w *worker) Receive(c *Context[any], m any) {
	l, lane := (*load)(nil), 0
	switch m := m.(type) {
	case letGo:
		c.Release()
		return
	case *load:
		l = m
	case urgentLoad:
		l, lane = m.load, 1
	}
	from := [2]int{l.sender, lane}
	if last := w.last[from]; l.n <= last {
		w.t.Errorf("sender %d, lane %d: %d after %d", l.sender, lane, l.n, last)
	}
	w.last[from] = l.n
	if l.panics {
		panic("as told")
	}
	if l.n%25 == 0 {
		runtime.Gosched() // so that others send meanwhile
		c.Hold()
		c.After(time.Millisecond, letGo{})
	}
	l.handled.Add(1)
}

// workers are a few actors that are replaced when they end.
type workers struct {
	*harness
	budget *Budget
	refs   [3]atomic.Pointer[Ref[any]]
}

func (w *workers) renew(i int) {
	last := make(sequence)
	r := w.spawnWith(Spec[any]{
		Kind:    supervision.Topic,
		Mailbox: Limits{Count: 50, Control: 5, Bytes: 2000, Budget: w.budget},
		New:     func() Actor[any] { return &worker{w.t, last} },
	})
	w.refs[i].Store(&r)
}

// send sends many messages to any of the workers, and stops some of these.
func (w *workers) send(sender, count int, refused *atomic.Int64) (sent []*load) {
	for n := 1; n <= count; n++ {
		i := rand.IntN(len(w.refs))
		r := *w.refs[i].Load()
		l := &load{sender: sender, n: n, panics: rand.IntN(500) == 0}
		sent = append(sent, l)
		var m any = l
		if rand.IntN(5) == 0 {
			m = urgentLoad{l}
		}
		switch err := r.Tell(m); {
		case err == nil:
			l.accepted = true
		case errors.Is(err, ErrFull):
			refused.Add(1)
			time.Sleep(time.Millisecond)
		case errors.Is(err, ErrStopped):
			w.renew(i)
		}
		if rand.IntN(2000) == 0 {
			r.Stop()
		}
		if used := w.budget.Used(); used < 0 || used > w.budget.max {
			w.t.Errorf("budget: %d used of %d", used, w.budget.max)
		}
	}
	return sent
}

// TestStressMailbox has many senders, few and small mailboxes, holds, panics,
// restarts, stops by intensity and stops by hand. Of each message that was
// accepted exactly one thing becomes, of the others nothing.
func TestStressMailbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const senders, messages = 8, 4000
		w := &workers{harness: newHarness(t), budget: NewBudget(4000)}
		for i := range w.refs {
			w.renew(i)
		}
		var refused atomic.Int64
		var sent [senders][]*load
		var sending sync.WaitGroup
		for s := range senders {
			sending.Go(func() { sent[s] = w.send(s, messages, &refused) })
		}
		sending.Wait()
		if err := w.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		sum := make(map[string]int32)
		for _, all := range sent {
			for _, l := range all {
				if n := l.fates(); l.accepted && n != 1 || !l.accepted && n != 0 {
					t.Errorf("message %d of sender %d, accepted: %v: handled %d, panicked %d, abandoned %d times",
						l.n, l.sender, l.accepted, l.handled.Load(), l.panicked.Load(), l.abandoned.Load())
				}
				sum["handled"] += l.handled.Load()
				sum["panicked"] += l.panicked.Load()
				sum["abandoned"] += l.abandoned.Load()
			}
		}
		sum["refused"] = int32(refused.Load())
		for _, what := range []string{"handled", "panicked", "abandoned", "refused"} {
			if sum[what] == 0 {
				t.Errorf("no message was %s: the test does not stress", what)
			}
		}
		if used := w.budget.Used(); used != 0 {
			t.Errorf("budget: %d bytes used in the end", used)
		}
		if st := w.Stats()[0]; int64(st.Refused) != refused.Load() {
			t.Errorf("refused %d, want %d", st.Refused, refused.Load())
		}
	})
}

// A relative is a parent or a child of TestStressTree. Its incarnations count
// themselves.
type relative struct {
	*family
	parent *relative
	live   atomic.Bool // its current incarnation has started, and not ended
}

type family struct {
	t              *testing.T
	started, ended atomic.Int64
}

func (r *relative) Started(*Context[any]) {
	r.started.Add(1)
	if r.parent != nil && !r.parent.live.Load() {
		r.t.Error("a child starts under a parent that has not")
	}
	r.live.Store(true)
}

func (r *relative) Stopped() {
	r.ended.Add(1)
	r.live.Store(false)
	if r.parent != nil && !r.parent.live.Load() {
		r.t.Error("a child ends after its parent")
	}
}

func (r *relative) Receive(c *Context[any], m any) {
	if m, ok := m.(do); ok {
		m(c)
	}
}

// TestStressTree has parents that start children, fail, restart and are stopped,
// while their children do the same. Whatever starts ends, once, and children
// before their parents.
func TestStressTree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		f := &family{t: t}
		var busy sync.WaitGroup
		for range 8 {
			busy.Go(func() {
				for range 30 {
					f.live(h)
				}
			})
		}
		busy.Wait()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		started, ended := f.started.Load(), f.ended.Load()
		if started != ended || started < 1000 {
			t.Errorf("%d incarnations have started, %d ended; want as many, and a thousand at least", started, ended)
		}
	})
}

// live is one parent's life.
func (f *family) live(h *harness) {
	p := &relative{family: f}
	parent := h.spawnWith(Spec[any]{Kind: restarted, New: func() Actor[any] { return p }})
	children := make(chan Ref[any], 100)
	for range 6 {
		_ = parent.Tell(do(func(c *Context[any]) {
			child := &relative{family: f, parent: p}
			ref, err := Spawn(c, "child", Spec[any]{Kind: restarted, New: func() Actor[any] { return child }})
			if err == nil {
				children <- ref
			} else if !errors.Is(err, ErrStopped) {
				f.t.Error(err)
			}
		}))
		select {
		case child := <-children:
			trouble(child)
		default:
		}
		trouble(parent)
		time.Sleep(time.Duration(rand.IntN(20)) * time.Millisecond)
	}
	if rand.IntN(2) == 0 {
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
		defer cancel()
		if err := parent.StopAndWait(ctx); err != nil {
			f.t.Error(err)
		}
	}
}

// trouble makes an actor fail, or stops it, or does neither.
func trouble(r Ref[any]) {
	switch rand.IntN(4) {
	case 0, 1:
		_ = r.Tell(do(func(*Context[any]) { panic("as told") }))
	case 2:
		if rand.IntN(4) == 0 {
			r.Stop()
		}
	}
}

// TestStressAsk has askers whose patience ends at any moment, and an actor that
// answers, fails, and is stopped. Each hears what became of its question, and
// nobody waits for ever.
func TestStressAsk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHarness(t)
		var current atomic.Pointer[Ref[any]]
		renew := func() {
			r := h.spawnWith(Spec[any]{Kind: supervision.Topic, Mailbox: Limits{Count: 10}, New: func() Actor[any] { return &script{} }})
			current.Store(&r)
		}
		renew()
		var heard [5]atomic.Int64
		var asking sync.WaitGroup
		for range 8 {
			asking.Go(func() {
				for n := range 1500 {
					heard[ask(t, *current.Load(), n)].Add(1)
					if rand.IntN(500) == 0 {
						current.Load().Stop()
						renew()
					}
				}
			})
		}
		asking.Wait()
		for i, what := range []string{"an answer", "a panic", "that the actor is stopped", "that its mailbox is full", "its own patience end"} {
			if heard[i].Load() == 0 {
				t.Errorf("nobody heard %s: the test does not stress", what)
			}
		}
	})
}

// ask asks once, and says what it hears.
func ask(t *testing.T, to Ref[any], n int) int {
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+rand.IntN(3))*time.Millisecond)
	defer cancel()
	got, err := Ask(ctx, to, func(r Reply[int]) any {
		return asked{r, func(*Context[any]) {
			switch rand.IntN(100) {
			case 0:
				panic("as told")
			case 1, 2, 3:
				time.Sleep(2 * time.Millisecond)
			}
			r.Send(n)
		}}
	})
	switch {
	case err == nil:
		if got != n {
			t.Errorf("asked for %d, got %d", n, got)
		}
		return 0
	case errors.As(err, new(*PanicError)):
		return 1
	case errors.Is(err, ErrStopped):
		return 2
	case errors.Is(err, ErrFull):
		return 3
	case !errors.Is(err, context.DeadlineExceeded):
		t.Error(err)
	}
	return 4
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
