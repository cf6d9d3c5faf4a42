package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/fx/fxtest"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/examples/board/store"
)

// A publisher is a hub of which only the refusals matter here.
type publisher func(events []nave.Event) error

func (p publisher) Publish(_ context.Context, events ...nave.Event) (hub.Published, error) {
	return hub.Published{}, p(events)
}

func newStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "board.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func setStatus(t *testing.T, s *store.Store, status string) {
	t.Helper()
	if _, err := s.UpdateUser(t.Context(), "ada", store.UserChanges{Status: &status}); err != nil {
		t.Fatal(err)
	}
}

// The relay is woken at once by a change, and again and again while something waits.
func TestWake(t *testing.T) {
	s := newStore(t)
	woken := make(chan struct{}, 1)
	lc := fxtest.NewLifecycle(t)
	wake(lc, s, publisher(func([]nave.Event) error {
		select {
		case woken <- struct{}{}:
		default:
		}
		return errors.New("not now")
	}))
	lc.RequireStart()
	defer lc.RequireStop()
	wait := func() {
		t.Helper()
		select {
		case <-woken:
		case <-time.After(time.Minute):
			t.Fatal("it is not woken")
		}
	}
	for range 3 {
		wait() // nobody changes anything: what a board begins with waits
	}
	begun := time.Now()
	for i := range 10 {
		setStatus(t, s, strconv.Itoa(i))
		wait()
	}
	if took := time.Since(begun); took > 8*wakeAgain {
		t.Errorf("10 changes woke it within %v: that is the clock, not they", took)
	}
}

// Whatever had a yes leaves the outbox, and what had none stays, in its order; the
// hub is told in its own words why the event is to be handled again.
func TestRelayIsRefused(t *testing.T) {
	s := newStore(t)
	setStatus(t, s, "here")
	setStatus(t, s, "away")
	published := 0
	busy := nave.Errorf(nave.CodeBusy, "too fast")
	r := relay{store: s, out: publisher(func([]nave.Event) error {
		if published == 2 {
			return busy
		}
		published++
		return nil
	})}
	if err := r.Handle(t.Context(), nave.Event{}); nave.CodeOf(err) != nave.CodeBusy {
		t.Errorf("refused with %v", err)
	}
	waiting, err := s.Waiting(t.Context(), 0, 10)
	if err != nil || len(waiting) != 1 || waiting[0].ID != 3 {
		t.Fatalf("waiting are %v: %v", waiting, err)
	}
	first, second := eventsOf(s.Name(), waiting[0]), eventsOf(s.Name(), waiting[0])
	if !strings.HasPrefix(first[0].ID, s.Name()+"-3-") || first[0].ID != second[0].ID || first[0].Time.IsZero() || !first[0].Time.Equal(second[0].Time) {
		t.Errorf("the same transaction is published as %v, then as %v", first, second)
	}
	published = 0
	if err := r.Handle(t.Context(), nave.Event{}); err != nil || published != 1 {
		t.Errorf("then %d were published: %v", published, err)
	}
}

// Many changes are taken out of the outbox together, and the last ones without another.
func TestRelayTidies(t *testing.T) {
	s := newStore(t)
	var ids []string
	r := relay{store: s, out: publisher(func(events []nave.Event) error {
		ids = append(ids, events[0].ID)
		return nil
	})}
	handle := func() {
		t.Helper()
		if err := r.Handle(t.Context(), nave.Event{}); err != nil {
			t.Fatal(err)
		}
	}
	left := func() int {
		t.Helper()
		waiting, err := s.Waiting(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(waiting)
	}
	handle() // what a board begins with
	for i := range 3 {
		setStatus(t, s, strconv.Itoa(i))
		handle()
	}
	if n := left(); n != 3 {
		t.Errorf("%d are left just after they were published, want all 3", n)
	}
	r.tidied = time.Now().Add(-tidyAfter)
	handle()
	if n := left(); n != 0 {
		t.Errorf("%d are left later", n)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(slices.Clone(ids))); n != 4 || len(ids) != 4 {
		t.Errorf("published as %v, want each of 4 once", ids)
	}
}
