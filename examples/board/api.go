package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/navehub/nave/examples/board/store"
)

// An api is what the page asks and tells. Everything is in the store; the hub hears
// of it by the outbox.
type api struct {
	store   *store.Store
	hub     *embedded
	counter *counter
	key     []byte // that tokens are signed with
	alone   bool   // without the hub
	trouble bool   // whether it may be made
}

// A task answers a request, unless it returns an error.
type task func(w http.ResponseWriter, r *http.Request) error

// A personal task is for those who have signed in.
type personal func(w http.ResponseWriter, r *http.Request, user store.User) error

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	anyone := func(pattern string, do task) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				refuse(w, err)
			}
		})
	}
	users := func(pattern string, do personal) { anyone(pattern, a.signedIn(do)) }

	anyone("POST /api/sign-in", a.signIn)
	anyone("POST /api/sign-out", a.signOut)
	anyone("GET /api/users", a.users) // among whom one chooses
	anyone("GET /api/me", a.me)
	users("GET /api/token", a.token)

	users("GET /api/boards/main", a.board)
	users("POST /api/cards", a.createCard)
	users("PATCH /api/cards/{id}", a.updateCard)
	users("POST /api/cards/{id}/move", a.moveCard)
	users("DELETE /api/cards/{id}", a.deleteCard)
	users("PATCH /api/users/me", a.updateUser)
	users("GET /api/conversations", a.conversations)
	users("GET /api/conversations/{id}/messages", a.messages)
	users("POST /api/conversations/{id}/messages", a.postMessage)

	users("POST /api/sessions/heartbeat", a.heartbeat)
	users("POST /api/analytics", a.analyse)
	users("GET /api/analytics", func(w http.ResponseWriter, r *http.Request, _ store.User) error {
		return show(w, r, a.counter.all())
	})
	if a.trouble {
		a.troubles(anyone)
	}
	anyone("/api/", func(_ http.ResponseWriter, r *http.Request) error {
		return newProblem(http.StatusNotFound, "there is no "+r.Method+" "+r.URL.Path)
	})

	// A page of another origin must not act with the cookie.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, newProblem(http.StatusForbidden, "this is for pages of this origin"))
	}))
	return guard.Handler(mux)
}

func (a *api) board(w http.ResponseWriter, r *http.Request, _ store.User) error {
	board, err := a.store.Board(r.Context())
	if err != nil {
		return err
	}
	return show(w, r, board)
}

func (a *api) createCard(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[store.NewCard](w, r)
	if err != nil {
		return err
	}
	card, made, err := a.store.CreateCard(r.Context(), u.ID, body)
	return answered(w, created(made), card, err)
}

func (a *api) updateCard(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[store.Edit](w, r)
	if err != nil {
		return err
	}
	card, err := a.store.UpdateCard(r.Context(), u.ID, r.PathValue("id"), body)
	return answered(w, http.StatusOK, card, err)
}

func (a *api) moveCard(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[store.Move](w, r)
	if err != nil {
		return err
	}
	card, columns, err := a.store.MoveCard(r.Context(), u.ID, r.PathValue("id"), body)
	return answered(w, http.StatusOK, map[string]any{"card": card, "columns": columns}, err)
}

func (a *api) deleteCard(w http.ResponseWriter, r *http.Request, _ store.User) error {
	rev, err := strconv.ParseInt(r.URL.Query().Get("rev"), 10, 64)
	if err != nil {
		return newProblem(http.StatusUnprocessableEntity, "rev: it is to be the number of the card's rev, as in ?rev=3")
	}
	if err := a.store.DeleteCard(r.Context(), r.PathValue("id"), rev); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *api) users(w http.ResponseWriter, r *http.Request) error {
	users, err := a.store.Users(r.Context())
	if err != nil {
		return err
	}
	return show(w, r, users)
}

func (a *api) updateUser(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[store.UserChanges](w, r)
	if err != nil {
		return err
	}
	user, err := a.store.UpdateUser(r.Context(), u.ID, body)
	return answered(w, http.StatusOK, user, err)
}

func (a *api) conversations(w http.ResponseWriter, r *http.Request, _ store.User) error {
	conversations, err := a.store.Conversations(r.Context())
	if err != nil {
		return err
	}
	return show(w, r, conversations)
}

func (a *api) messages(w http.ResponseWriter, r *http.Request, _ store.User) error {
	messages, err := a.store.Messages(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return show(w, r, messages)
}

func (a *api) postMessage(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[store.NewMessage](w, r)
	if err != nil {
		return err
	}
	message, made, err := a.store.PostMessage(r.Context(), u.ID, r.PathValue("id"), body)
	return answered(w, created(made), message, err)
}

func created(made bool) int {
	if made {
		return http.StatusCreated
	}
	return http.StatusOK
}

func answered(w http.ResponseWriter, status int, document any, err error) error {
	if err == nil {
		answer(w, status, "application/json", document)
	}
	return err
}

// show answers with a document, or that it is as it was.
func show(w http.ResponseWriter, r *http.Request, document any) error {
	text, err := json.Marshal(document)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(text)
	tag := `"` + hex.EncodeToString(sum[:12]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Vary", "Cookie")
	if known(r.Header.Get("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	answer(w, http.StatusOK, "application/json", json.RawMessage(text))
	return nil
}

func known(tags, tag string) bool {
	for one := range strings.SplitSeq(tags, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}
