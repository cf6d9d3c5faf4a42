package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"
)

// maxCards is how many a board may have: it is read as a whole.
const maxCards = 1_000

// A Card is one of the board's.
type Card struct {
	ID        string    `json:"id"`
	Title     string    `json:"title"`
	Text      string    `json:"text"`
	Assignee  *string   `json:"assignee"` // nil: nobody
	Column    string    `json:"column"`
	Rev       int64     `json:"rev"`
	UpdatedBy string    `json:"updatedBy"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// A NewCard is to be made. Who makes it chooses its id, and may send it again.
type NewCard struct {
	ID     string `json:"id"`
	Column string `json:"column"`
	Title  string `json:"title"`
	Text   string `json:"text"`
}

const selectCard = `SELECT id, title, text, assignee, column_id, rev, updated_by, updated_at FROM cards`

func scanCard(r row) (c Card, err error) {
	var at int64
	err = r.Scan(&c.ID, &c.Title, &c.Text, &c.Assignee, &c.Column, &c.Rev, &c.UpdatedBy, &at)
	c.UpdatedAt = time.UnixMilli(at).UTC()
	return c, err
}

func isNone(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// card finds one, or says what has become of it.
func (t *tx) card(id string) (Card, error) {
	c, err := scanCard(t.get(selectCard+` WHERE id = ?`, id))
	if !isNone(err) {
		return c, err
	}
	switch _, err := t.made(id); {
	case isNone(err):
		return Card{}, ErrNotFound
	case err != nil:
		return Card{}, err
	}
	return Card{}, ErrGone
}

// made is the hash of how a card was made, which may have been deleted since.
func (t *tx) made(id string) (sum []byte, err error) {
	err = t.get(`SELECT made FROM made_cards WHERE id = ?`, id).Scan(&sum)
	return sum, err
}

// making is that hash: a create that comes again, and no other, has the same.
func making(by string, n NewCard) ([]byte, error) {
	text, err := json.Marshal([]any{by, n})
	return hash(string(text)), err
}

// put writes a changed card and announces it.
func (t *tx) put(c *Card, by, kind string) error {
	c.Rev, c.UpdatedBy, c.UpdatedAt = c.Rev+1, by, t.now
	err := t.do(`INSERT INTO cards (id, title, text, assignee, column_id, rev, updated_by, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET title = excluded.title, text = excluded.text, assignee = excluded.assignee,
			column_id = excluded.column_id, rev = excluded.rev, updated_by = excluded.updated_by, updated_at = excluded.updated_at`,
		c.ID, c.Title, c.Text, c.Assignee, c.Column, c.Rev, by, t.now.UnixMilli())
	if err != nil {
		return err
	}
	return t.announce(boardTopic, kind, c.ID, c)
}

// CreateCard puts a card at the end of a column. One that the same user made of the
// same words is returned as it is now, and made is false.
func (s *Store) CreateCard(ctx context.Context, by string, n NewCard) (c Card, made bool, err error) {
	if err := errors.Join(checkID(n.ID), checkText("title", n.Title, maxTitle), checkLength("text", n.Text, 0, maxText)); err != nil {
		return Card{}, false, err
	}
	err = s.change(ctx, func(t *tx) (err error) {
		if c, err = t.card(n.ID); errors.Is(err, ErrNotFound) {
			made = true
			return t.create(&c, by, n)
		} else if err != nil {
			return err
		}
		return t.isAgain(by, n)
	})
	return c, made, err
}

// isAgain refuses the id of another card.
func (t *tx) isAgain(by string, n NewCard) error {
	was, err := t.made(n.ID)
	if err != nil {
		return err
	}
	is, err := making(by, n)
	if err == nil && !bytes.Equal(was, is) {
		return invalid("id: %s is another card's", n.ID)
	}
	return err
}

func (t *tx) create(c *Card, by string, n NewCard) error {
	column, err := t.column(n.Column)
	if err != nil {
		return err
	}
	var cards int
	if err := t.get(`SELECT count(*) FROM cards`).Scan(&cards); err != nil {
		return err
	}
	if cards >= maxCards {
		return invalid("the board has %d cards, as many as it may: delete some", cards)
	}
	made, err := making(by, n)
	if err != nil {
		return err
	}
	if err := t.do(`INSERT INTO made_cards VALUES (?, ?)`, n.ID, made); err != nil {
		return err
	}
	*c = Card{ID: n.ID, Title: n.Title, Text: n.Text, Column: n.Column}
	if err := t.put(c, by, "card.created"); err != nil {
		return err
	}
	return t.arrange(&column, append(column.Cards, c.ID))
}

// CardChanges are those fields of a card that are to have another value.
type CardChanges struct {
	Title    *string         `json:"title"`
	Text     *string         `json:"text"`
	Assignee Change[*string] `json:"assignee"`
}

// An Edit changes a card.
type Edit struct {
	// ID, if not empty, is the edit's own: it happens once, however often it is sent.
	ID string `json:"id"`
	// Rev is the card's that was edited.
	Rev     int64       `json:"rev"`
	Changes CardChanges `json:"changes"`
}

// UpdateCard changes a card. If it has another rev, that is a [ConflictError], unless
// it is as it is to be, or was made so by this very edit before.
func (s *Store) UpdateCard(ctx context.Context, by, id string, e Edit) (c Card, err error) {
	err = s.change(ctx, func(t *tx) (err error) {
		if c, err = t.card(id); err != nil {
			return err
		}
		if again, err := t.note(e.ID); err != nil || again {
			return err
		}
		wanted, err := e.Changes.applied(t, c)
		if err != nil || wanted.same(c) {
			return err
		}
		if c.Rev != e.Rev {
			return &ConflictError{c}
		}
		c = wanted
		return t.put(&c, by, "card.updated")
	})
	return c, err
}

func (to CardChanges) applied(t *tx, c Card) (Card, error) {
	if to.Title != nil {
		c.Title = *to.Title
	}
	if to.Text != nil {
		c.Text = *to.Text
	}
	if to.Assignee.Given {
		c.Assignee = to.Assignee.Value
	}
	if c.Assignee != nil {
		if _, err := t.user(*c.Assignee); err != nil {
			return c, invalid("assignee: nobody is called %q", *c.Assignee)
		}
	}
	return c, errors.Join(checkText("title", c.Title, maxTitle), checkLength("text", c.Text, 0, maxText))
}

func (c Card) same(other Card) bool {
	assigned := c.Assignee == other.Assignee ||
		c.Assignee != nil && other.Assignee != nil && *c.Assignee == *other.Assignee
	return c.Title == other.Title && c.Text == other.Text && assigned
}

// DeleteCard deletes a card of that rev; one that has been deleted stays so.
func (s *Store) DeleteCard(ctx context.Context, id string, rev int64) error {
	return s.change(ctx, func(t *tx) error {
		c, err := t.card(id)
		switch {
		case errors.Is(err, ErrGone):
			return nil
		case err != nil:
			return err
		case c.Rev != rev:
			return &ConflictError{c}
		}
		return t.delete(c)
	})
}

func (t *tx) delete(c Card) error {
	if err := t.do(`DELETE FROM cards WHERE id = ?`, c.ID); err != nil {
		return err
	}
	if err := t.announce(boardTopic, "card.deleted", c.ID, nil); err != nil {
		return err
	}
	column, err := t.column(c.Column)
	if err != nil {
		return err
	}
	return t.arrange(&column, without(column.Cards, c.ID))
}

func without(cards []string, id string) []string {
	return slices.DeleteFunc(slices.Clone(cards), func(other string) bool { return other == id })
}
