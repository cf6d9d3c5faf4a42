package store

import (
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, file string) *Store {
	t.Helper()
	s, err := Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What has been answered is there after a restart, with its announcement, and the
// board is not made twice.
func TestReopen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a board?.sqlite")
	s := open(t, file)
	name := s.Name()
	if _, _, err := s.CreateCard(t.Context(), "ada", NewCard{ID: "c", Column: "todo", Title: "C"}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Audit(t.Context())
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	s = open(t, file)
	defer s.Close()
	after, err := s.Audit(t.Context())
	if err != nil || len(after.Cards) != len(before.Cards) || after.Outbox != 2 || s.Name() != name {
		t.Errorf("after a restart %s has %d cards, and %d transactions wait: %v", s.Name(), len(after.Cards), after.Outbox, err)
	}
}

// A transaction announces all that it changes, in order, and what is announced
// leaves the outbox.
func TestOutbox(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	<-s.Changed()
	seeded, err := s.Waiting(t.Context(), 0, 10)
	if err != nil || len(seeded) != 1 {
		t.Fatalf("%d transactions make a board: %v", len(seeded), err)
	}
	if err := s.Announced(t.Context(), seeded[0].ID); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"done", "done", "todo"} { // the second moves nothing
		if _, _, err := s.MoveCard(t.Context(), "ben", "card-1", Move{To: to}); err != nil {
			t.Fatal(err)
		}
	}
	waiting, err := s.Waiting(t.Context(), 0, 10)
	if err != nil || len(waiting) != 2 || waiting[0].ID <= seeded[0].ID || waiting[1].ID <= waiting[0].ID {
		t.Fatalf("waiting are %v: %v", waiting, err)
	}
	for i, want := range []string{"card-1", "column:todo", "column:done"} {
		if e := waiting[0].Events[i]; e.Key != want || e.Topic != boardTopic {
			t.Errorf("event %d is %s of %s", i, e.Type, e.Key)
		}
	}
	select {
	case <-s.Changed():
	default:
		t.Error("nobody is told of changes")
	}
}

// A change that the outbox has no room for does not happen.
func TestOutboxIsBounded(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	err := s.change(t.Context(), func(t *tx) error {
		return t.do(`WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			INSERT INTO outbox (at, events) SELECT 0, '[]' FROM n`, maxOutbox)
	})
	if err != nil {
		t.Fatal(err)
	}
	status := "away"
	if _, err := s.UpdateUser(t.Context(), "ada", UserChanges{Status: &status}); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if users, err := s.Users(t.Context()); err != nil || users[0].Status != "" {
		t.Errorf("ada is %v: %v", users[0], err)
	}
}

func TestSessions(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	first, _, err := s.SignIn(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	if u, err := s.Session(t.Context(), first); err != nil || u.ID != "ada" {
		t.Errorf("the session is %v's: %v", u, err)
	}
	err = s.change(t.Context(), func(t *tx) error {
		return t.do(`UPDATE sessions SET expires = ?`, time.Now().Add(-time.Minute).UnixMilli())
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(t.Context(), first); !errors.Is(err, ErrNotFound) {
		t.Errorf("an expired session: %v", err)
	}
	err = s.change(t.Context(), func(t *tx) error {
		return t.do(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
			INSERT INTO sessions SELECT CAST(i AS BLOB), 'ben', ?2 + i FROM n`, maxSessions+5, time.Now().UnixMilli()+60_000)
	})
	if err != nil {
		t.Fatal(err)
	}
	last, _, err := s.SignIn(t.Context(), "ben")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Session(t.Context(), last); err != nil {
		t.Errorf("the newest session: %v", err)
	}
	var n int
	if err := s.read.QueryRow(`SELECT count(*) FROM sessions`).Scan(&n); err != nil || n != maxSessions {
		t.Errorf("there are %d sessions: %v", n, err)
	}
}

// What only reads cannot write.
func TestReaders(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	if _, err := s.read.ExecContext(t.Context(), `DELETE FROM cards`); err == nil {
		t.Error("a reader deletes cards")
	}
}

// A board has so many cards, and no more until some are deleted.
func TestBoardIsBounded(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	err := s.change(t.Context(), func(t *tx) error {
		return t.do(`WITH RECURSIVE n (i) AS (SELECT 9 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
			INSERT INTO cards SELECT i, 'T', '', NULL, 'todo', 1, 'ada', 0 FROM n`)
	})
	if err != nil {
		t.Fatal(err)
	}
	create := func(id string) error {
		_, _, err := s.CreateCard(t.Context(), "ada", NewCard{ID: id, Column: "todo", Title: "T"})
		return err
	}
	if err := create("last"); err != nil {
		t.Error(err)
	}
	var invalid *InvalidError
	if err := create("more"); !errors.As(err, &invalid) {
		t.Errorf("one more: %v", err)
	}
	if err := s.DeleteCard(t.Context(), "last", 1); err != nil {
		t.Error(err)
	}
	if err := create("more"); err != nil {
		t.Errorf("after a delete: %v", err)
	}
}

// Writers take turns, and none is refused for another.
func TestWriters(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	ended := make(chan error)
	for i := range 8 {
		go func() { // ends below
			for n := range 20 {
				to := []string{"todo", "done"}[(i+n)%2]
				if _, _, err := s.MoveCard(t.Context(), "ada", "card-1", Move{To: to}); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range 8 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A disk that is full is known as such, and what was there before stays.
func TestFullDisk(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "board.sqlite"))
	defer s.Close()
	if _, err := s.write.ExecContext(t.Context(), "PRAGMA max_page_count = 1"); err != nil { // no more than there are
		t.Fatal(err)
	}
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		_, _, err = s.CreateCard(t.Context(), "ada", NewCard{ID: "c" + strconv.Itoa(i), Column: "todo", Title: strings.Repeat("C", maxTitle)})
	}
	if !IsDisk(err) || IsDisk(ErrFull) {
		t.Errorf("refused with %v", err)
	}
	if _, err := s.Audit(t.Context()); err != nil {
		t.Error(err)
	}
}
