package trial

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/navehub/nave/tests/harness"
)

// Hub runs a hub until the test ends. Each of env is like NAVE_LISTEN=:8080.
func Hub(t testing.TB, env ...string) *harness.Process {
	t.Helper()
	p := NewHub(t, Program(t), env...)
	Begin(t, p)
	return p
}

// CheckedHub runs one that looks for data races if the tests do.
func CheckedHub(t testing.TB, env ...string) *harness.Process {
	t.Helper()
	p := NewHub(t, CheckedProgram(t), env...)
	Begin(t, p)
	return p
}

// NewHub describes a hub that is killed when the test ends, but does not start it.
func NewHub(t testing.TB, program string, env ...string) *harness.Process {
	t.Helper()
	p, err := harness.New(program, t.TempDir(), env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Errorf("end the hub: %v", err)
		}
		if strings.Contains(p.Output(), "WARNING: DATA RACE") {
			t.Errorf("the hub has a data race")
		}
		if t.Failed() {
			t.Logf("the hub printed:\n%s", p.Output())
		}
	})
	return p
}

// Begin starts a hub, or starts it again.
func Begin(t testing.TB, p *harness.Process) {
	t.Helper()
	if err := p.Start(Soon(t)); err != nil {
		t.Fatal(err)
	}
}

// Usage is what the hub uses now.
func Usage(t testing.TB, p *harness.Process) harness.Usage {
	t.Helper()
	u, err := p.Usage()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// Follow subscribes until the test ends, and waits for the first verdict.
func Follow(t testing.TB, p *harness.Process, filters ...string) *harness.Subscriber {
	t.Helper()
	return Resume(t, p, "", filters...)
}

// Resume subscribes from a cursor.
func Resume(t testing.TB, p *harness.Process, cursor string, filters ...string) *harness.Subscriber {
	t.Helper()
	s := &harness.Subscriber{URL: p.URL("/v1/events"), Filters: filters}
	s.Resume(cursor)
	KeepFollowing(t, s)
	return s
}

// KeepFollowing lets the subscriber follow until the test ends, and waits for the
// first verdict.
func KeepFollowing(t testing.TB, s *harness.Subscriber) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { s.Follow(ctx) })
	t.Cleanup(func() { cancel(); ended.Wait() })
	if err := s.Wait(Soon(t), func(s *harness.Subscriber) bool { return len(s.Verdicts()) > 0 }); err != nil {
		t.Fatalf("waiting for the verdict: %v", err)
	}
}

// Publish sends a batch that must be accepted.
func Publish(t testing.TB, p *harness.Process, events ...harness.Event) harness.Answer {
	t.Helper()
	a, err := harness.Publish(Soon(t), p.URL("/v1/events"), events...)
	if err != nil || a.Status != 200 {
		t.Fatalf("publish: %d %s %v", a.Status, a.Detail, err)
	}
	return a
}

// Saw waits until the subscriber has n events.
func Saw(t testing.TB, s *harness.Subscriber, n int) []harness.Seen {
	t.Helper()
	if err := s.Wait(Soon(t), func(s *harness.Subscriber) bool { return s.Count() >= n }); err != nil {
		t.Fatalf("waiting for %d events, got %d: %v", n, s.Count(), err)
	}
	return s.Seen()
}

// Get asks the hub for a text: /metrics, /readyz.
func Get(t testing.TB, p *harness.Process, path string) (status int, text string) {
	t.Helper()
	status, text, err := harness.Get(Soon(t), p.URL(path))
	if err != nil {
		t.Fatal(err)
	}
	return status, text
}
