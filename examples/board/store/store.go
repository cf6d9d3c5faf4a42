// Package store keeps the board in a SQLite file: columns, cards, people and
// conversations, and an outbox of what is to be announced.
//
// Whoever changes something writes its announcement in the same transaction, so
// that no change can happen unannounced, and nothing be announced that has not
// happened. There is one writer at a time; a transaction is on the disk when it
// has been answered. Everything may be used by several goroutines.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver
)

//go:embed schema.sql
var schema string

// readers is how many reads run at a time.
const readers = 4

// A Store is an open database.
type Store struct {
	write, read *sql.DB
	name        string
	changed     chan struct{}
}

// Open opens the file, and makes a board to begin with if there is none.
func Open(ctx context.Context, file string) (*Store, error) {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	s := &Store{changed: make(chan struct{}, 1)}
	if s.write, err = connect(file, 1, "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"); err != nil {
		return nil, err
	}
	if s.read, err = connect(file, readers, "query_only(1)"); err != nil {
		return nil, errors.Join(err, s.write.Close())
	}
	if err := s.begin(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", file, err), s.Close())
	}
	return s, nil
}

func connect(file string, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_txlock": {"immediate"}, "_pragma": append(pragmas, "busy_timeout(5000)")}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: file, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// begin makes the tables and what they begin with, or finds them.
func (s *Store) begin(ctx context.Context) error {
	return s.change(ctx, func(t *tx) error {
		var tables int
		if err := t.get(`SELECT count(*) FROM sqlite_schema WHERE name = 'about'`).Scan(&tables); err != nil {
			return err
		}
		if tables == 0 {
			s.name = rand.Text()
			if err := t.do(schema); err != nil {
				return err
			}
			if err := t.do(`INSERT INTO about VALUES ('name', ?)`, s.name); err != nil {
				return err
			}
			return seed(t)
		}
		return t.get(`SELECT value FROM about WHERE name = 'name'`).Scan(&s.name)
	})
}

// Close closes the file.
func (s *Store) Close() error { return errors.Join(s.read.Close(), s.write.Close()) }

// Name is the database's own. With an id of the outbox it is unique everywhere.
func (s *Store) Name() string { return s.name }

// Changed yields after changes: once for several if nobody was waiting.
func (s *Store) Changed() <-chan struct{} { return s.changed }

// A tx is a transaction that changes something, and gathers what to announce.
type tx struct {
	*sql.Tx
	ctx    context.Context
	now    time.Time
	events []Event
}

// change commits what do does and what it announces, or nothing.
func (s *Store) change(ctx context.Context, do func(*tx) error) error {
	began, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = began.Rollback() }() // nothing once it is committed
	t := &tx{Tx: began, ctx: ctx, now: time.Now().UTC().Truncate(time.Millisecond)}
	if err := do(t); err != nil {
		return err
	}
	if len(t.events) == 0 {
		return t.Commit()
	}
	if err := t.putOutbox(); err != nil {
		return err
	}
	if err := t.Commit(); err != nil {
		return err
	}
	select {
	case s.changed <- struct{}{}:
	default: // whoever looks next sees this too
	}
	return nil
}

func (t *tx) do(statement string, values ...any) error {
	_, err := t.ExecContext(t.ctx, statement, values...)
	return err
}

func (t *tx) get(query string, values ...any) *sql.Row {
	return t.QueryRowContext(t.ctx, query, values...)
}

// A querier is a transaction, or the database itself.
type querier interface {
	QueryContext(ctx context.Context, query string, values ...any) (*sql.Rows, error)
}

// look has do see one state of everything.
func (s *Store) look(ctx context.Context, do func(querier) error) error {
	t, err := s.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // it has only read
	return do(t)
}

// A row is one of several, or the only one.
type row interface{ Scan(into ...any) error }

// all reads every row of a query; never nil, so that JSON has a list.
func all[T any](ctx context.Context, q querier, scan func(row) (T, error), query string, values ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, values...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := []T{}
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, one)
	}
	return found, rows.Err()
}
