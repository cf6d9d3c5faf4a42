package supervision

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/go-cmp/cmp"
)

func TestTree(t *testing.T) {
	kinds := []Kind{Hub, Journal, Dispatcher, Retention, Topics, Topic, Clients, Client, Breakers, Breaker, Governor, Presence, Extensions, Extension}
	if len(tree) != len(kinds) {
		t.Errorf("%d kinds in the tree, want %d", len(tree), len(kinds))
	}
	for _, k := range kinds {
		p, ok := tree[k]
		if !ok {
			t.Errorf("%s has no policy", k)
		}
		if p.Then != Stop && p.Then != Escalate {
			t.Errorf("%s: past intensity it would %v, for ever", k, p.Then)
		}
		var delays time.Duration
		for n := range p.Max {
			delays += p.backoff(n + 1)
		}
		if p.On != Stop && delays >= p.Within {
			t.Errorf("%s: %d failures take %v, so there are never more within %v", k, p.Max, delays, p.Within)
		}
		if p.On != Stop && p.MinDelay <= 0 {
			t.Errorf("%s: a failing Started would spin", k)
		}
	}
	for _, parent := range []Kind{Hub, Topics, Clients, Breakers, Extensions} {
		if tree[parent].On != Resume {
			t.Errorf("%s would lose its children", parent)
		}
	}
	if PolicyOf("somebody's own") != tree[Extension] {
		t.Error("a foreign kind is not an extension")
	}
}

func TestBackoff(t *testing.T) {
	p := Policy{MinDelay: 100, MaxDelay: 1000}
	var got []time.Duration
	for n := 1; n <= 6; n++ {
		got = append(got, p.backoff(n))
	}
	if want := []time.Duration{100, 200, 400, 800, 1000, 1000}; !slices.Equal(got, want) {
		t.Errorf("backoff = %v, want %v", got, want)
	}
	if d := p.backoff(1 << 40); d != 1000 {
		t.Errorf("backoff = %v", d)
	}
	for range 1000 {
		if d := jitter(100); d <= 50 || d > 100 {
			t.Fatalf("jitter(100) = %v", d)
		}
	}
	if jitter(0) != 0 || jitter(1) != 1 {
		t.Error("jitter of nothing")
	}
}

func TestDirectiveString(t *testing.T) {
	for d, want := range map[Directive]string{Resume: "resume", Restart: "restart", Stop: "stop", Escalate: "escalate", 9: "directive(9)"} {
		if d.String() != want {
			t.Errorf("%q, want %q", d, want)
		}
	}
}

// A bench stands in for the supervisor and for the system's owner.
type bench struct {
	reports []Failure

	mu  sync.Mutex
	did []string
}

func (b *bench) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, what)
}

func (b *bench) done() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.did)
}

func (b *bench) Children() []*actor.PID        { panic("not at the root") }
func (b *bench) EscalateFailure(_, _ any)      { panic("ends the process at the root") }
func (b *bench) RestartChildren(...*actor.PID) { b.note("restart") }
func (b *bench) StopChildren(...*actor.PID)    { b.note("stop") }
func (b *bench) ResumeChildren(...*actor.PID)  { b.note("resume") }

func (b *bench) report(f Failure) { b.reports = append(b.reports, f) }

func (b *bench) fail(s *Strategy, reason any) {
	s.HandleFailure(nil, b, actor.NewPID("", "x"), nil, reason, nil)
}

func (b *bench) expect(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, b.done()); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
}

func crash(k Kind, r *Record) *Crash {
	return &Crash{Failure: Failure{Kind: k, Actor: "a#1", Message: "m", Reason: "boom"}, Record: r}
}

func TestJournalRestartsThenEscalates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bench)
		s := NewStrategy(b.report)
		r := new(Record)
		p := PolicyOf(Journal)
		for n := 1; n <= p.Max; n++ {
			b.fail(s, crash(Journal, r))
			f := b.reports[n-1]
			if f.Failures != n || f.Directive != Restart || f.Delay <= p.backoff(n)/2 || f.Delay > p.backoff(n) {
				t.Errorf("failure %d: %d, %v after %v", n, f.Failures, f.Directive, f.Delay)
			}
			time.Sleep(f.Delay - 1)
			synctest.Wait()
			if len(b.done()) != n-1 {
				t.Fatalf("restart %d came early", n)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if len(b.done()) != n {
				t.Fatalf("restart %d did not come", n)
			}
		}
		b.fail(s, crash(Journal, r))
		b.expect(t, "restart", "restart", "restart", "restart", "restart", "stop")
		if f := b.reports[p.Max]; f.Directive != Escalate || f.Failures != p.Max+1 || f.Delay != 0 {
			t.Errorf("past intensity: %+v", f)
		}
	})
}

func TestOldFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bench)
		s := NewStrategy(b.report)
		r := new(Record)
		for range 100 {
			b.fail(s, crash(Topic, r))
			time.Sleep(PolicyOf(Topic).Within + 1)
		}
		for _, f := range b.reports {
			if f.Failures != 1 || f.Directive != Restart {
				t.Fatalf("%d failures, %v", f.Failures, f.Directive)
			}
		}
		if n := cap(r.failures); n > 8 {
			t.Errorf("the record has grown to %d", n)
		}
	})
}

func TestDirectives(t *testing.T) {
	b := new(bench)
	s := NewStrategy(b.report)
	b.fail(s, crash(Client, new(Record)))
	b.fail(s, crash(Hub, new(Record)))
	b.expect(t, "stop", "resume")
}

func TestStartingIsNotResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bench)
		s := NewStrategy(b.report)
		c := crash(Hub, new(Record))
		c.Starting = true
		b.fail(s, c)
		time.Sleep(time.Second)
		b.expect(t, "restart")
	})
}

func TestForeignFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bench)
		b.fail(NewStrategy(b.report), "not a Crash")
		time.Sleep(time.Minute)
		b.expect(t, "restart")
		if f := b.reports[0]; f.Actor != "x" || f.Reason != "not a Crash" {
			t.Errorf("%+v", f)
		}
	})
}

func TestClosedRecordRestartsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bench)
		s := NewStrategy(b.report)
		r := new(Record)
		b.fail(s, crash(Journal, r))
		r.Close()
		b.fail(s, crash(Journal, r))
		time.Sleep(time.Hour)
		b.expect(t)
	})
}
