//go:build linux

package load_test

import (
	"context"
	"math"
	"net"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/navehub/nave/bench/baseline"
	"github.com/navehub/nave/bench/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// servers runs a test against each baseline, over real sockets.
func servers(t *testing.T, test func(t *testing.T, addr string)) {
	const keep = 1000
	serve := map[string]func(context.Context, net.Listener) error{
		"raw":   func(ctx context.Context, l net.Listener) error { return baseline.Raw(ctx, l.(*net.TCPListener), keep) },
		"naive": func(ctx context.Context, l net.Listener) error { return baseline.Naive(ctx, l, keep) },
	}
	for name, run := range serve {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			ctx, end := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- run(ctx, l) }() // ends with ctx
			test(t, l.Addr().String())
			end()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

type site struct {
	*testing.T
	loop   *load.Loop
	topics load.Topics
	crowd  *load.Crowd
	pubs   *load.Publishers
	ledger *load.Ledger
	addr   string
}

func newSite(t *testing.T, addr string) *site {
	s := &site{T: t, topics: load.Topics{Prefix: "board/", N: 4}, addr: addr}
	var err error
	if s.loop, err = load.NewLoop(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.loop.Close() })
	s.ledger = load.NewLedger(s.topics)
	if s.crowd, err = load.NewCrowd(s.loop, load.Target{Addr: addr}, s.ledger); err != nil {
		t.Fatal(err)
	}
	if s.pubs, err = load.NewPublishers(s.loop, load.Target{Addr: addr}, s.topics, s.ledger); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *site) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// publish publishes so many events, over all topics in turn.
func (s *site) publish(n int) {
	s.Helper()
	s.must(s.tryToPublish(n))
}

func (s *site) tryToPublish(n int) error {
	begun := 0
	s.pubs.Next = func(r *load.Request) bool {
		r.Topic, r.Due = begun%s.topics.N, load.Now()
		begun++
		return begun <= n
	}
	s.pubs.Work()
	_, err := s.loop.Run(s.Context(), 10*time.Second, func() bool { return begun >= n && s.pubs.Unanswered() == 0 })
	return err
}

func TestEverybodyReceivesExactlyWhatItFollows(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		s := newSite(t, addr)
		for i := range 20 {
			s.crowd.Add(s.topics.Only(i % 4))
		}
		s.crowd.Add(s.topics.Only(1, 2, 3))
		s.crowd.Add(s.topics.All("board/**"))
		s.crowd.Add(s.topics.All("board/*"))
		s.must(s.crowd.Connect(t.Context()))
		s.must(s.pubs.Open(3))
		always := load.Window{Until: math.MaxInt64}
		latency, acks := always, always
		s.crowd.Latency, s.pubs.Acks = &latency, &acks
		s.publish(400)
		s.must(s.crowd.Settle(t.Context(), 10*time.Second))
		if want := int64(20*100 + 300 + 400 + 400); s.crowd.Events != want || s.crowd.Latency.N() != want {
			t.Errorf("%d events received, %d with a latency; want %d", s.crowd.Events, s.crowd.Latency.N(), want)
		}
		if s.pubs.Accepted != 400 || s.pubs.Acks.N() != 400 {
			t.Errorf("%d accepted, %d answered in time", s.pubs.Accepted, s.pubs.Acks.N())
		}
	})
}

func TestWhoReturnsGetsWhatItMissed(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		s := newSite(t, addr)
		one := s.crowd.Add(s.topics.Only(0))
		s.must(s.crowd.Connect(t.Context()))
		s.must(s.pubs.Open(2))
		beginning := one.Cursor()
		s.publish(40)
		s.must(s.crowd.Settle(t.Context(), 10*time.Second))
		one.Leave()
		s.publish(80)
		one.Return()
		for i := range 4 {
			s.crowd.AddFrom(s.topics.Only(i), beginning)
		}
		s.must(s.crowd.Connect(t.Context()))
		s.publish(4)
		s.must(s.crowd.Settle(t.Context(), 10*time.Second))
	})
}

func TestDueTimesAreKept(t *testing.T) {
	servers(t, func(t *testing.T, addr string) {
		s := newSite(t, addr)
		s.must(s.pubs.Open(1))
		var due []int64
		s.pubs.Next = func(r *load.Request) bool {
			if len(due) == 0 {
				return false
			}
			r.Due, due = due[0], due[1:]
			return true
		}
		plan := s.loop.Every(1000, func(at int64) {
			if load.Now() < at {
				t.Error("an event is early")
			}
			due = append(due, at)
			s.pubs.Work()
		})
		begin := time.Now()
		_, err := s.loop.Run(t.Context(), 100*time.Millisecond, nil)
		s.must(err)
		plan.Stop()
		took := time.Since(begin)
		s.must(s.pubs.Drain(t.Context()))
		if n := s.pubs.Accepted + int64(len(due)); n < 99 || n > took.Milliseconds()+2 {
			t.Errorf("%d events became due in %v at 1,000 a second", n, took)
		}
	})
}
