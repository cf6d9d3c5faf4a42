package actors

import (
	"bytes"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/navehub/nave/supervision"
)

// The tests of this file show what protoactor does wrong, or without having
// promised it, that this package works around or relies on. One that fails after
// an upgrade says: look again at the code that it names.

// protoactor runs f in a bubble with a system of protoactor's own, which logs to
// the buffer.
func protoactor(t *testing.T, f func(*testing.T, *actor.ActorSystem, *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f(t, actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
			return slog.New(slog.NewTextHandler(&log, nil))
		})), &log)
		time.Sleep(time.Minute) // for its throttle of dead letters, and for late restarts
	})
}

// watch spawns an actor of protoactor's own that hands on every message, then
// does as told.
func watch(s *actor.ActorSystem, then func(actor.Context), opts ...actor.PropsOption) (*actor.PID, <-chan any) {
	saw := make(chan any, 100)
	pid := s.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
		saw <- c.Message()
		if then != nil {
			then(c)
		}
	}, opts...))
	return pid, saw
}

func order(s *actor.ActorSystem, pid *actor.PID, msg any) {
	p, _ := s.ProcessRegistry.Get(pid)
	p.SendSystemMessage(pid, msg)
}

// next is the type of the next message, "" if there is none.
func next(saw <-chan any) string {
	synctest.Wait()
	select {
	case m := <-saw:
		return strings.TrimPrefix(typeName(m), "*actor.")
	default:
		return ""
	}
}

func expectMessages(t *testing.T, saw <-chan any, want ...string) {
	t.Helper()
	for _, w := range append(want, "") {
		if got := next(saw); got != w {
			t.Errorf("saw %q, want %q", got, w)
		}
	}
}

// mailbox.absorb
func TestCanaryRestartRevivesAStoppedActor(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		gate := make(chan struct{})
		pid, saw := watch(s, func(c actor.Context) {
			if c.Message() == "block" {
				<-gate
			}
		})
		s.Root.Send(pid, "block")
		synctest.Wait()
		order(s, pid, new(actor.Stop))
		order(s, pid, new(actor.Restart))
		close(gate)
		expectMessages(t, saw, "Started", "string", "Stopping", "Stopped", "Restarting", "Started")
	})
}

// cell.finish must not fail, nor body.end
func TestCanaryPanicInStoppedHidesTheEnd(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		pid, _ := watch(s, func(c actor.Context) {
			if _, ok := c.Message().(*actor.Stopped); ok {
				panic("boom")
			}
		})
		_, saw := watch(s, func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); ok {
				c.Watch(pid)
			}
		})
		synctest.Wait()
		s.Root.Stop(pid)
		expectMessages(t, saw, "Started") // and no Terminated
	})
}

// body.begin, which ends the incarnation before
func TestCanaryRestartingComesBeforeTheChildrenEnd(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		saw := make(chan any, 100)
		child := actor.PropsFromFunc(func(c actor.Context) {
			if _, ok := c.Message().(*actor.Stopped); ok {
				saw <- 0
			}
		})
		pid := s.Root.Spawn(actor.PropsFromFunc(func(c actor.Context) {
			saw <- c.Message()
			if c.Message() == "spawn" {
				c.Spawn(child)
			}
		}))
		s.Root.Send(pid, "spawn")
		synctest.Wait()
		order(s, pid, new(actor.Restart))
		expectMessages(t, saw, "Started", "string", "Restarting", "int", "Terminated", "Started")
	})
}

// Spawn, which makes one mailbox an actor, and binds it in OnInit
func TestCanarySpawnOrder(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		var d diary
		pid, saw := watch(s, nil,
			actor.WithOnInit(func(c actor.Context) { d.write("init %t", c.Self() != nil) }),
			actor.WithMailbox(func() actor.Mailbox { d.write("mailbox"); return &recording{actor.Unbounded()(), &d} }))
		synctest.Wait()
		order(s, pid, new(actor.Restart))
		expectMessages(t, saw, "Started", "Restarting", "Started")
		d.expect(t, "mailbox", "init true", "handlers", "*actor.Started", "*actor.Restart", "*actor.ResumeMailbox")
	})
}

type recording struct {
	actor.Mailbox
	d *diary
}

func (r *recording) RegisterHandlers(i actor.MessageInvoker, d actor.Dispatcher) {
	r.d.write("handlers")
	r.Mailbox.RegisterHandlers(i, d)
}

func (r *recording) PostSystemMessage(m any) {
	r.d.write("%s", typeName(m))
	r.Mailbox.PostSystemMessage(m)
}

// cell.failed, after which the mailbox must be suspended; and cell.starting: a
// Resume is on its way when Started of a restart fails
func TestCanaryFailureSuspends(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		var d diary
		n := 0
		pid, _ := watch(s, func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); ok {
				if n++; n == 2 {
					panic("boom")
				}
			}
		},
			actor.WithGuardian(supervision.NewStrategy(func(supervision.Failure) {})),
			actor.WithMailbox(func() actor.Mailbox { return &recording{actor.Unbounded()(), &d} }))
		synctest.Wait()
		order(s, pid, new(actor.Restart))
		synctest.Wait()
		d.expect(t, "handlers", "*actor.Started", "*actor.Restart", "*actor.ResumeMailbox", "*actor.SuspendMailbox")
		s.Root.Stop(pid)
	})
}

// cell.goOn
func TestCanaryGoexitEndsAMailbox(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		pid, saw := watch(s, func(c actor.Context) {
			if c.Message() == "exit" {
				runtime.Goexit()
			}
		})
		s.Root.Send(pid, "exit")
		synctest.Wait()
		s.Root.Send(pid, "more")
		s.Root.Stop(pid)
		expectMessages(t, saw, "Started", "string")
	})
}

// Ref, which holds the mailbox and no PID; System.unique
func TestCanaryStalePIDReachesANamesake(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		saw := make(chan any, 10)
		props := actor.PropsFromFunc(func(c actor.Context) {
			if m, ok := c.Message().(string); ok {
				saw <- m
			}
		})
		old, _ := s.Root.SpawnNamed(props, "name")
		s.Root.Stop(old)
		synctest.Wait()
		if _, err := s.Root.SpawnNamed(props, "name"); err != nil {
			t.Fatal(err)
		}
		s.Root.Send(old, "for the old one")
		expectMessages(t, saw, "string")
	})
}

// System.Shutdown
func TestCanaryShutdownStopsNobody(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		pid, saw := watch(s, nil)
		s.Shutdown()
		s.Root.Send(pid, "still here")
		expectMessages(t, saw, "Started", "string")
		if contain(s.Shutdown) == nil {
			t.Error("a second Shutdown does not panic")
		}
	})
}

// NewSystem, which discards protoactor's log and sets its throttle
func TestCanaryDeadLettersPrintMessagesAndSleep(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, out *bytes.Buffer) {
		goroutines := runtime.NumGoroutine()
		s.Root.Send(s.NewLocalPID("nobody"), struct{ Secret string }{"hunter2"})
		if !strings.Contains(out.String(), "hunter2") {
			t.Errorf("dead letters do not print: %q", out.String())
		}
		if runtime.NumGoroutine() == goroutines {
			t.Error("a dead letter starts no goroutine")
		}
	})
}

// System.strategy, of which there is one
func TestCanaryEachStrategyIsAGuardianForEver(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		one, other := supervision.NewStrategy(nil), supervision.NewStrategy(nil)
		guardian := func(x *supervision.Strategy) *actor.PID { return s.Root.Copy().WithGuardian(x).Self() }
		if guardian(one).Equal(guardian(other)) {
			t.Error("strategies share a guardian")
		}
		if !guardian(one).Equal(guardian(one)) {
			t.Error("one strategy has two guardians")
		}
	})
}

// Strategy.HandleFailure, which never escalates to protoactor
func TestCanaryGuardianPanicsOnEscalation(t *testing.T) {
	protoactor(t, func(t *testing.T, s *actor.ActorSystem, _ *bytes.Buffer) {
		escalated := make(chan *PanicError, 1)
		strategy := strategyFunc(func(sup actor.Supervisor, child *actor.PID) {
			escalated <- contain(func() { sup.EscalateFailure("boom", nil) })
			sup.StopChildren(child)
		})
		watch(s, func(c actor.Context) {
			if _, ok := c.Message().(*actor.Started); ok {
				panic("boom")
			}
		}, actor.WithGuardian(&strategy)) // a pointer, because it has to be a map key
		if receive(t, escalated) == nil {
			t.Error("the guardian has escalated")
		}
	})
}

type strategyFunc func(actor.Supervisor, *actor.PID)

func (f *strategyFunc) HandleFailure(_ *actor.ActorSystem, sup actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	(*f)(sup, child)
}

// supervision.Record
func TestCanaryRestartStatisticsOnlyGrow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rs := actor.NewRestartStatistics()
		for range 300 {
			rs.Fail()
			time.Sleep(time.Minute)
			rs.NumberOfFailures(time.Second)
		}
		if n := rs.NumberOfFailures(0); n != 300 {
			t.Errorf("it has kept %d of 300 failures", n)
		}
	})
}
