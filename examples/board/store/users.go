package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"time"
)

// A User is one of those who may sign in.
type User struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Status string `json:"status"`
	Rev    int64  `json:"rev"`
}

const selectUser = `SELECT id, name, status, rev FROM users`

func scanUser(r row) (u User, err error) {
	err = r.Scan(&u.ID, &u.Name, &u.Status, &u.Rev)
	return u, err
}

// Users are all of them.
func (s *Store) Users(ctx context.Context) ([]User, error) {
	return all(ctx, s.read, scanUser, selectUser+` ORDER BY id`)
}

func (t *tx) user(id string) (User, error) {
	u, err := scanUser(t.get(selectUser+` WHERE id = ?`, id))
	if isNone(err) {
		return User{}, ErrNotFound
	}
	return u, err
}

// UserChanges are those fields that are to have another value.
type UserChanges struct {
	Status *string `json:"status"`
}

// UpdateUser changes a user. The last one wins: it is the user's own.
func (s *Store) UpdateUser(ctx context.Context, id string, to UserChanges) (u User, err error) {
	err = s.change(ctx, func(t *tx) (err error) {
		if u, err = t.user(id); err != nil {
			return err
		}
		was := u
		if to.Status != nil {
			if err := checkLength("status", *to.Status, 0, maxStatus); err != nil {
				return err
			}
			u.Status = *to.Status
		}
		if u == was {
			return nil
		}
		u.Rev++
		return t.putUser(u)
	})
	return u, err
}

func (t *tx) putUser(u User) error {
	err := t.do(`INSERT INTO users (id, name, status, rev) VALUES (?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, status = excluded.status, rev = excluded.rev`,
		u.ID, u.Name, u.Status, u.Rev)
	if err != nil {
		return err
	}
	return t.announce("users/all", "user.updated", u.ID, u)
}

// SessionLife is for how long somebody is signed in.
const SessionLife = 30 * 24 * time.Hour

// maxSessions is how many there may be; the oldest give way.
const maxSessions = 1_000

// SignIn begins a session, which its secret stands for.
func (s *Store) SignIn(ctx context.Context, user string) (secret string, u User, err error) {
	secret = rand.Text()
	err = s.change(ctx, func(t *tx) (err error) {
		if u, err = t.user(user); err != nil {
			return err
		}
		err = t.do(`DELETE FROM sessions WHERE expires < ?1 OR secret IN
			(SELECT secret FROM sessions ORDER BY expires DESC LIMIT -1 OFFSET ?2)`, t.now.UnixMilli(), maxSessions-1)
		if err != nil {
			return err
		}
		return t.do(`INSERT INTO sessions VALUES (?, ?, ?)`, hash(secret), user, t.now.Add(SessionLife).UnixMilli())
	})
	return secret, u, err
}

// Session is whose session the secret stands for, or [ErrNotFound].
func (s *Store) Session(ctx context.Context, secret string) (User, error) {
	u, err := scanUser(s.read.QueryRowContext(ctx, selectUser+
		` WHERE id = (SELECT user FROM sessions WHERE secret = ? AND expires >= ?)`, hash(secret), time.Now().UnixMilli()))
	if isNone(err) {
		return User{}, ErrNotFound
	}
	return u, err
}

// SignOut ends the session.
func (s *Store) SignOut(ctx context.Context, secret string) error {
	return s.change(ctx, func(t *tx) error { return t.do(`DELETE FROM sessions WHERE secret = ?`, hash(secret)) })
}

func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
