package store

import (
	"cmp"
	"fmt"
	"strings"
)

// seed makes what a new board begins with. It is announced as well, so that the
// hub's log holds all that the database does.
func seed(t *tx) error {
	for _, name := range []string{"Ada", "Ben", "Chloe", "Dan", "Eva"} {
		if err := t.putUser(User{ID: strings.ToLower(name), Name: name, Rev: 1}); err != nil {
			return err
		}
	}
	for place, title := range []string{"To do", "Doing", "Review", "Done"} {
		id := strings.ReplaceAll(strings.ToLower(title), " ", "")
		if err := t.do(`INSERT INTO columns (id, title, place, cards, rev) VALUES (?, ?, ?, '[]', 0)`, id, title, place); err != nil {
			return err
		}
	}
	for _, title := range []string{"General", "Design", "Release"} {
		c := Conversation{ID: strings.ToLower(title), Title: title}
		if err := t.do(`INSERT INTO conversations (id, title, rev) VALUES (?, ?, 0)`, c.ID, c.Title); err != nil {
			return err
		}
		m := Message{ID: "hello-" + c.ID, Conversation: c.ID, Author: "ada", Text: "This is about: " + strings.ToLower(title) + ".", At: t.now}
		if err := t.post(m, c); err != nil {
			return err
		}
	}
	return seedCards(t)
}

func seedCards(t *tx) error {
	for i, card := range []struct{ column, title, text, assignee string }{
		{"todo", "Draw the new start page", "Two drafts, one of them bold.", ""},
		{"todo", "Ask five people what they miss", "", "chloe"},
		{"todo", "Write down what a conflict looks like", "With pictures.", ""},
		{"doing", "Move cards with the keyboard", "Arrows, and a word to the screen reader.", "ada"},
		{"doing", "Work without a network", "On the train to Basel there is none.", "ben"},
		{"review", "Show who is here", "", "dan"},
		{"done", "Sign in", "", "eva"},
		{"done", "Choose the colours", "Green won.", ""},
	} {
		c := Card{}
		if err := t.create(&c, cmp.Or(card.assignee, "ada"), NewCard{
			ID: fmt.Sprintf("card-%d", i+1), Column: card.column, Title: card.title, Text: card.text,
		}); err != nil {
			return err
		}
		if card.assignee == "" {
			continue
		}
		c.Assignee = &card.assignee
		if err := t.put(&c, card.assignee, "card.updated"); err != nil {
			return err
		}
	}
	return nil
}
