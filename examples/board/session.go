package main

import (
	"errors"
	"net/http"
	"time"

	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/examples/board/store"
)

const (
	sessionCookie = "board"
	// userHeader says whose page asks. A browser has one cookie, but may have a tab that
	// shows somebody who was signed in before.
	userHeader = "X-Board-User"
	// tokenLife is how long a token for the hub is valid. The spoke asks for the next
	// one before.
	tokenLife = 5 * time.Minute
)

func cookie(name, value string, life time.Duration) *http.Cookie {
	age := int(life.Seconds())
	if age == 0 {
		age = -1 // remove it
	}
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// signIn asks for no password: this is an example.
func (a *api) signIn(w http.ResponseWriter, r *http.Request) error {
	body, err := read[struct {
		User string `json:"user"`
	}](w, r)
	if err != nil {
		return err
	}
	secret, user, err := a.store.SignIn(r.Context(), body.User)
	if errors.Is(err, store.ErrNotFound) {
		return newProblem(http.StatusUnprocessableEntity, "user: nobody is called that")
	} else if err != nil {
		return err
	}
	http.SetCookie(w, cookie(sessionCookie, secret, store.SessionLife))
	answer(w, http.StatusOK, "application/json", user)
	return nil
}

func (a *api) signOut(w http.ResponseWriter, r *http.Request) error {
	if c, err := r.Cookie(sessionCookie); err == nil {
		if err := a.store.SignOut(r.Context(), c.Value); err != nil {
			return err
		}
	}
	http.SetCookie(w, cookie(sessionCookie, "", 0))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// me is who has signed in; null is nobody, which is no error to ask.
func (a *api) me(w http.ResponseWriter, r *http.Request) error {
	err := a.signedIn(func(w http.ResponseWriter, r *http.Request, u store.User) error { return show(w, r, u) })(w, r)
	if p := (*problem)(nil); errors.As(err, &p) && p.Status == http.StatusUnauthorized {
		return show(w, r, nil)
	}
	return err
}

func (a *api) signedIn(do personal) task {
	return func(w http.ResponseWriter, r *http.Request) error {
		c, err := r.Cookie(sessionCookie)
		if err != nil {
			return newProblem(http.StatusUnauthorized, "nobody has signed in: POST /api/sign-in")
		}
		user, err := a.store.Session(r.Context(), c.Value)
		if errors.Is(err, store.ErrNotFound) {
			return newProblem(http.StatusUnauthorized, "this session has ended: POST /api/sign-in")
		} else if err != nil {
			return err
		}
		if page := r.Header.Get(userHeader); page != "" && page != user.ID {
			return newProblem(http.StatusUnauthorized, "the page is "+page+"'s, and by now "+user.ID+" is signed in here")
		}
		return do(w, r, user)
	}
}

// token makes a token for the hub: to see everything, and to say only what one does
// oneself. What the database has, only the relay announces.
func (a *api) token(w http.ResponseWriter, _ *http.Request, u store.User) error {
	now := time.Now()
	expires := now.Add(tokenLife)
	token, err := auth.Sign(a.key, map[string]any{
		"sub": u.ID, "iat": now.Unix(), "exp": expires.Unix(),
		"nave": map[string]any{
			"subscribe": []string{"cards/**", "users/**", "conversations/**", "sessions/**", "boards/main"},
			"publish":   []string{"sessions/" + u.ID, "analytics/" + u.ID},
			"source":    u.ID,
		},
	})
	return answered(w, http.StatusOK, map[string]any{"token": token, "expires": expires.UTC().Truncate(time.Second)}, err)
}
