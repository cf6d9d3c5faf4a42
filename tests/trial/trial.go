// Package trial is what the tests of the whole share: a real hub that lasts as
// long as the test, clients that follow it, and the table that says what was
// tried and found.
//
// A trial runs in a short form with the other tests, and in its long form with
// -long. With -record its table is written to docs/reliability.md.
package trial

import (
	"context"
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/tests/harness"
)

var (
	long   = flag.Bool("long", false, "run the trial in its long form")
	record = flag.Bool("record", false, "write what was found to docs/reliability.md")
)

// Long reports whether the trial is to run in its long form.
func Long() bool { return *long }

// Pick is how much to try: less with the other tests, more in the long form.
func Pick[T any](inShort, inLong T) T {
	if *long {
		return inLong
	}
	return inShort
}

// Need skips a trial that this machine has no means for. One that was asked for,
// in its long form, fails instead.
func Need(t testing.TB, met bool, what string) {
	t.Helper()
	switch {
	case met:
	case *long:
		t.Fatalf("this trial needs %s", what)
	default:
		t.Skipf("not tried: this needs %s", what)
	}
}

// Main runs the tests of a package, and removes what they have built.
func Main(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// built is the hub's program: one to measure, and one that looks for data races.
var built struct {
	mu    sync.Mutex
	dir   string
	paths map[bool]string // by whether it looks for races
}

// Program builds the hub, once for all tests of the package.
func Program(t testing.TB) string { return program(t, false) }

// CheckedProgram is one that looks for data races if the tests do.
func CheckedProgram(t testing.TB) string { return program(t, Race) }

func program(t testing.TB, race bool) string {
	t.Helper()
	built.mu.Lock()
	defer built.mu.Unlock()
	if path := built.paths[race]; path != "" {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "hub")
		if err != nil {
			t.Fatal(err)
		}
		built.dir, built.paths = dir, make(map[bool]string)
	}
	name := "hub"
	var flags []string
	if race {
		name, flags = "hub-race", []string{"-race"}
	}
	path, err := harness.Build(t.Context(), built.dir, name, flags...)
	if err != nil {
		t.Fatal(err)
	}
	built.paths[race] = path
	return path
}

// Soon bounds what should take a moment.
func Soon(t testing.TB) context.Context { return Within(t, 30*time.Second) }

// Within ends after d, or with the test.
func Within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, fmt.Errorf("not within %v", d))
	t.Cleanup(cancel)
	return ctx
}

// Eventually asks until the answer will do, and returns it.
func Eventually[T any](t testing.TB, ask func() (T, bool)) T {
	t.Helper()
	return EventuallyWithin(t, 30*time.Second, ask)
}

// EventuallyWithin asks for d at most.
func EventuallyWithin[T any](t testing.TB, d time.Duration, ask func() (T, bool)) T {
	t.Helper()
	for deadline := time.Now().Add(d); ; time.Sleep(10 * time.Millisecond) {
		answer, ok := ask()
		if ok {
			return answer
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %v after %v", answer, d)
		}
	}
}
