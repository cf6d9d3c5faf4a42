package store

import (
	"context"
	"slices"
)

// A Move says where a card is wanted.
type Move struct {
	// ID, if not empty, is the move's own: it happens once, however often it is sent.
	ID string `json:"id"`
	To string `json:"to"`
	// Before is the card that it is wanted before. Nil is the end of the column, and so
	// is a card that has left it since.
	Before *string `json:"before"`
}

// MoveCard moves a card, and returns those columns that have changed by it: none if
// it is there already, or was moved by this very move before.
func (s *Store) MoveCard(ctx context.Context, by, id string, m Move) (c Card, changed []Column, err error) {
	if m.Before != nil && *m.Before == id {
		return Card{}, nil, invalid("before: a card cannot be before itself")
	}
	changed = []Column{}
	err = s.change(ctx, func(t *tx) (err error) {
		if c, err = t.card(id); err != nil {
			return err
		}
		to, err := t.column(m.To)
		if err != nil {
			return err
		}
		if again, err := t.note(m.ID); err != nil || again {
			return err
		}
		cards := inserted(without(to.Cards, id), id, m.Before)
		if slices.Equal(cards, to.Cards) {
			return nil
		}
		changed, err = t.move(&c, by, to, cards)
		return err
	})
	return c, changed, err
}

// move is one transaction, and so one batch: the card, and the columns that it
// leaves and comes to.
func (t *tx) move(c *Card, by string, to Column, cards []string) (changed []Column, err error) {
	from := c.Column
	c.Column = to.ID
	if err := t.put(c, by, "card.moved"); err != nil {
		return nil, err
	}
	if from != to.ID {
		left, err := t.column(from)
		if err != nil {
			return nil, err
		}
		if err := t.arrange(&left, without(left.Cards, c.ID)); err != nil {
			return nil, err
		}
		changed = append(changed, left)
	}
	if err := t.arrange(&to, cards); err != nil {
		return nil, err
	}
	return append(changed, to), nil
}

func inserted(cards []string, id string, before *string) []string {
	at := len(cards)
	if before != nil {
		if i := slices.Index(cards, *before); i >= 0 {
			at = i
		}
	}
	return slices.Insert(cards, at, id)
}
