package store

import (
	"context"
	"encoding/json"
)

// boardTopic is where changes of the only board are announced.
const boardTopic = "cards/main"

// A Column holds cards.
type Column struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Cards []string `json:"cards"` // from top to bottom
	Rev   int64    `json:"rev"`
}

// A Board is all of it.
type Board struct {
	Columns []Column `json:"columns"`
	Cards   []Card   `json:"cards"`
}

// Board is how the board is.
func (s *Store) Board(ctx context.Context) (board Board, err error) {
	err = s.look(ctx, func(q querier) (err error) {
		board, err = readBoard(ctx, q)
		return err
	})
	return board, err
}

func readBoard(ctx context.Context, q querier) (b Board, err error) {
	if b.Columns, err = all(ctx, q, scanColumn, selectColumn+` ORDER BY place`); err == nil {
		b.Cards, err = all(ctx, q, scanCard, selectCard+` ORDER BY id`)
	}
	return b, err
}

const selectColumn = `SELECT id, title, cards, rev FROM columns`

func scanColumn(r row) (c Column, err error) {
	var cards []byte
	if err := r.Scan(&c.ID, &c.Title, &cards, &c.Rev); err != nil {
		return Column{}, err
	}
	return c, json.Unmarshal(cards, &c.Cards)
}

// column finds one that must be there.
func (t *tx) column(id string) (Column, error) {
	c, err := scanColumn(t.get(selectColumn+` WHERE id = ?`, id))
	if isNone(err) {
		return Column{}, invalid("column: there is no %q", id)
	}
	return c, err
}

// arrange gives a column other cards, and announces it.
func (t *tx) arrange(c *Column, cards []string) error {
	text, err := json.Marshal(cards)
	if err != nil {
		return err
	}
	c.Cards, c.Rev = cards, c.Rev+1
	if err := t.do(`UPDATE columns SET cards = ?, rev = ? WHERE id = ?`, string(text), c.Rev, c.ID); err != nil {
		return err
	}
	return t.announce(boardTopic, "column.changed", "column:"+c.ID, c)
}
