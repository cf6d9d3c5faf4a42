package store

import "context"

// An Audit is all that the database holds, at one moment.
type Audit struct {
	Board
	Users         []User         `json:"users"`
	Conversations []Conversation `json:"conversations"`
	Messages      []Message      `json:"messages"`
	// Outbox is how many transactions have not been announced.
	Outbox int `json:"outbox"`
}

// Audit is for tests, and for whoever wants to compare.
func (s *Store) Audit(ctx context.Context) (a Audit, err error) {
	err = s.look(ctx, func(q querier) (err error) {
		if a.Board, err = readBoard(ctx, q); err != nil {
			return err
		}
		if a.Users, err = all(ctx, q, scanUser, selectUser+` ORDER BY id`); err != nil {
			return err
		}
		if a.Conversations, err = readConversations(ctx, q); err != nil {
			return err
		}
		if a.Messages, err = all(ctx, q, scanMessage, selectMessage+` ORDER BY seq`); err != nil {
			return err
		}
		waiting, err := all(ctx, q, scanNumber, `SELECT count(*) FROM outbox`)
		if err == nil {
			a.Outbox = waiting[0]
		}
		return err
	})
	return a, err
}

func scanNumber(r row) (n int, err error) {
	err = r.Scan(&n)
	return n, err
}
