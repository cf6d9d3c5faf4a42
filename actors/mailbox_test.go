package actors

import (
	"errors"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"pgregory.net/rapid"
)

type numbered struct{ n, size int }

func (m numbered) MessageSize() int { return m.size }

type numberedControl int

func (numberedControl) ControlMessage() {}

// TestMailboxModel compares two mailboxes that share a budget with plain slices.
func TestMailboxModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{
			Count:   rapid.IntRange(1, 40).Draw(t, "count"),
			Control: rapid.IntRange(1, 5).Draw(t, "control"),
			Bytes:   rapid.Int64Range(0, 300).Draw(t, "bytes"),
			Budget:  NewBudget(rapid.Int64Range(1, 500).Draw(t, "budget")),
		}
		boxes := []*modelled{newModelled(limits), newModelled(limits)}
		serial := 0
		box := func(t *rapid.T) *modelled { return rapid.SampledFrom(boxes).Draw(t, "box") }
		t.Repeat(map[string]func(*rapid.T){
			"data": func(t *rapid.T) {
				serial++
				box(t).tell(t, numbered{serial, rapid.IntRange(0, 100).Draw(t, "size")})
			},
			"control": func(t *rapid.T) {
				serial++
				box(t).tellControl(t, numberedControl(serial))
			},
			"pick":     func(t *rapid.T) { box(t).pick(t) },
			"hold":     func(t *rapid.T) { b := box(t); b.held = true; b.real.hold(true) },
			"release":  func(t *rapid.T) { b := box(t); b.held = false; b.real.hold(false) },
			"suspend":  func(t *rapid.T) { b := box(t); b.suspended = true; b.real.pushSystem(new(actor.SuspendMailbox)) },
			"resume":   func(t *rapid.T) { b := box(t); b.suspended = false; b.real.pushSystem(new(actor.ResumeMailbox)) },
			"restart":  func(t *rapid.T) { box(t).restart() },
			"stop":     func(t *rapid.T) { box(t).stop() },
			"leftover": func(t *rapid.T) { box(t).leftover(t) },
			"": func(t *rapid.T) {
				var used int64
				for _, b := range boxes {
					used += b.check(t)
				}
				if got := limits.Budget.Used(); got != used || got > limits.Budget.max {
					t.Fatalf("budget: %d used, want %d of %d", got, used, limits.Budget.max)
				}
			},
		})
		for _, b := range boxes {
			b.stop()
			for b.leftover(t) {
			}
			if b.accepted != b.handled+b.failed {
				t.Fatalf("accepted %d, handled %d, failed %d", b.accepted, b.handled, b.failed)
			}
		}
		if used := limits.Budget.Used(); used != 0 {
			t.Fatalf("budget: %d used in the end", used)
		}
	})
}

type modelled struct {
	real                               *mailbox
	data                               []numbered
	control                            []numberedControl
	orders                             []any // restarts and stops
	held, suspended, closed            bool
	accepted, refused, handled, failed int
}

func newModelled(l Limits) *modelled {
	return &modelled{real: &mailbox{limits: &l, bound: true}}
}

func (m *modelled) bytes() (n int64) {
	for _, d := range m.data {
		n += int64(d.size)
	}
	return n
}

func (m *modelled) tell(t *rapid.T, msg numbered) {
	l, size := m.real.limits, int64(msg.size)
	var want error
	switch {
	case m.closed:
		want = ErrStopped
	case len(m.data) == l.Count:
		want = errCount
	case l.Bytes > 0 && m.bytes()+size > l.Bytes:
		want = errBytes
	case l.Budget.Used()+size > l.Budget.max:
		want = ErrBudget
	}
	if m.push(t, msg, want) {
		m.data = append(m.data, msg)
	}
}

func (m *modelled) tellControl(t *rapid.T, msg numberedControl) {
	var want error
	switch {
	case m.closed:
		want = ErrStopped
	case len(m.control) == m.real.limits.Control:
		want = errControl
	}
	if m.push(t, msg, want) {
		m.control = append(m.control, msg)
	}
}

func (m *modelled) push(t *rapid.T, msg any, want error) bool {
	_, err := m.real.push(msg)
	if err != want {
		t.Fatalf("push %v: %v, want %v", msg, err, want)
	}
	if err != nil {
		if errors.Is(err, ErrFull) {
			m.refused++
		}
		return false
	}
	m.accepted++
	return true
}

func (m *modelled) restart() {
	msg := new(actor.Restart)
	m.real.pushSystem(msg)
	m.orders = append(m.orders, msg)
}

func (m *modelled) stop() {
	msg := new(actor.Stop)
	m.real.pushSystem(msg)
	if !m.closed {
		m.closed = true
		m.orders = append(m.orders, msg)
	}
}

func (m *modelled) pick(t *rapid.T) {
	if m.closed { // a stop is the only order that still counts
		m.orders = slices.DeleteFunc(m.orders, func(o any) bool { _, r := o.(*actor.Restart); return r })
	}
	msg, from := m.real.pick(false)
	switch {
	case len(m.orders) > 0:
		m.expect(t, msg, m.orders[0])
		m.orders = m.orders[1:]
	case m.suspended:
		m.expect(t, from, noLane)
	case len(m.control) > 0:
		m.expect(t, msg, m.control[0])
		m.control = m.control[1:]
		m.handled++
	case len(m.data) > 0 && !m.held:
		m.expect(t, msg, m.data[0])
		m.data = m.data[1:]
		m.handled++
	default:
		m.expect(t, from, noLane)
	}
}

func (m *modelled) leftover(t *rapid.T) bool {
	if !m.closed {
		return false
	}
	msg, ok := m.real.leftover()
	switch {
	case len(m.control) > 0:
		m.expect(t, msg, m.control[0])
		m.control = m.control[1:]
	case len(m.data) > 0:
		m.expect(t, msg, m.data[0])
		m.data = m.data[1:]
	default:
		m.expect(t, ok, false)
		return false
	}
	m.failed++
	return true
}

func (*modelled) expect(t *rapid.T, got, want any) {
	if got != want {
		t.Fatalf("got %T %v, want %T %v", got, got, want, want)
	}
}

func (m *modelled) check(t *rapid.T) int64 {
	l := m.real.limits
	st, peak := m.real.measure(true)
	bytes := st.Bytes
	switch {
	case st.Data != len(m.data) || st.Control != len(m.control):
		t.Fatalf("%d and %d wait, want %d and %d", st.Data, st.Control, len(m.data), len(m.control))
	case peak < st.Data+st.Control:
		t.Fatalf("peak %d", peak)
	case st.Refused != uint64(m.refused):
		t.Fatalf("refused %d, want %d", st.Refused, m.refused)
	case bytes != m.bytes():
		t.Fatalf("bytes %d, want %d", bytes, m.bytes())
	case l.Bytes > 0 && bytes > l.Bytes:
		t.Fatalf("bytes %d over %d", bytes, l.Bytes)
	case len(m.data) > l.Count || len(m.control) > l.Control:
		t.Fatalf("%d data and %d control messages", len(m.data), len(m.control))
	case m.real.waiting() != len(m.data):
		t.Fatalf("waiting %d, want %d", m.real.waiting(), len(m.data))
	}
	return bytes
}

func TestMailboxGivesMemoryBack(t *testing.T) {
	m := &mailbox{limits: new(kind).limitsOf(Limits{}), bound: true}
	for range 1000 {
		if _, err := m.push("x"); err != nil {
			t.Fatal(err)
		}
		m.pushTimer("x")
		m.pushSystem("x")
	}
	for {
		if _, from := m.pick(false); from == noLane {
			break
		}
	}
	if n := len(m.data.buf) + len(m.control.buf) + len(m.system.buf); n != 0 {
		t.Errorf("an empty mailbox has room for %d messages", n)
	}
}

func TestErrors(t *testing.T) {
	for _, err := range []error{errCount, errBytes, errControl, ErrBudget} {
		if !errors.Is(err, ErrFull) {
			t.Errorf("%v is not ErrFull", err)
		}
	}
	if errors.Is(errBytes, ErrBudget) {
		t.Error("a mailbox's own bytes are not the budget's")
	}
}

func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r ring[int]
		var want []int
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) { v := rapid.Int().Draw(t, "v"); r.push(v); want = append(want, v) },
			"pop": func(t *rapid.T) {
				if len(want) == 0 {
					r.shrink()
					if len(r.buf) > keptCapacity {
						t.Fatalf("empty, and keeps %d", len(r.buf))
					}
					return
				}
				if v := r.pop(); v != want[0] {
					t.Fatalf("pop %d, want %d", v, want[0])
				}
				want = want[1:]
			},
			"": func(t *rapid.T) {
				if int(r.n) != len(want) {
					t.Fatalf("%d in it, want %d", r.n, len(want))
				}
			},
		})
	})
}

func TestRingForgets(t *testing.T) {
	var r ring[*int]
	for range 10 {
		r.push(new(int))
	}
	for range 10 {
		r.pop()
	}
	for i, p := range r.buf {
		if p != nil {
			t.Errorf("slot %d still holds its message", i)
		}
	}
}
