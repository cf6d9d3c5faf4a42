// Package tests tries the whole hub from the outside: real processes, real
// sockets, a real disk. Each promise of the design has a test of its name.
package tests

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
)

var hubBinary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "hub")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if hubBinary, err = harness.Build(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// figure reports what was measured: in the test's log, and in the file that
// FIGURES names, as go test keeps the log of a test that passes to itself.
func figure(t *testing.T, format string, args ...any) {
	t.Helper()
	line := fmt.Sprintf(format, args...)
	t.Log(line)
	name := os.Getenv("FIGURES")
	if name == "" {
		return
	}
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := fmt.Fprintln(file, line); err != nil {
		t.Fatal(err)
	}
}

// startHub runs a hub until the test ends.
func startHub(t *testing.T, env ...string) *harness.Process {
	t.Helper()
	p, err := harness.New(hubBinary, t.TempDir(), env...)
	if err != nil {
		t.Fatal(err)
	}
	begin(t, p)
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Errorf("end the hub: %v", err)
		}
		if t.Failed() {
			t.Logf("the hub printed:\n%s", p.Output())
		}
	})
	return p
}

// begin starts, or starts again.
func begin(t *testing.T, p *harness.Process) {
	t.Helper()
	if err := p.Start(soon(t)); err != nil {
		t.Fatal(err)
	}
}

// soon bounds what should take a moment.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// follow subscribes until the test ends, and waits for the first verdict.
func follow(t *testing.T, p *harness.Process, filters ...string) *harness.Subscriber {
	t.Helper()
	return resume(t, p, "", filters...)
}

// resume subscribes from a cursor.
func resume(t *testing.T, p *harness.Process, cursor string, filters ...string) *harness.Subscriber {
	t.Helper()
	s := &harness.Subscriber{URL: p.URL("/v1/events"), Filters: filters}
	s.Resume(cursor)
	keepFollowing(t, s)
	return s
}

func keepFollowing(t *testing.T, s *harness.Subscriber) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var ended sync.WaitGroup
	ended.Go(func() { s.Follow(ctx) })
	t.Cleanup(func() { cancel(); ended.Wait() })
	if err := s.Wait(soon(t), func(s *harness.Subscriber) bool { return len(s.Verdicts()) > 0 }); err != nil {
		t.Fatalf("waiting for the verdict: %v", err)
	}
}

// publish sends a batch that must be accepted.
func publish(t *testing.T, p *harness.Process, events ...harness.Event) harness.Answer {
	t.Helper()
	a, err := harness.Publish(soon(t), p.URL("/v1/events"), events...)
	if err != nil || a.Status != 200 {
		t.Fatalf("publish: %d %s %v", a.Status, a.Detail, err)
	}
	return a
}

// saw waits until the subscriber has n events.
func saw(t *testing.T, s *harness.Subscriber, n int) []harness.Seen {
	t.Helper()
	if err := s.Wait(soon(t), func(s *harness.Subscriber) bool { return s.Count() >= n }); err != nil {
		t.Fatalf("waiting for %d events, got %d: %v", n, s.Count(), err)
	}
	return s.Seen()
}
