package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/navehub/nave"
)

// renew answers POST /v1/token: the token that comes with it takes the place of the
// one that a living stream has.
func (x *exchange) renew() error {
	x.trace("POST /v1/token")
	if err := x.needsToken("to renew one"); err != nil {
		return err
	}
	var asked struct {
		Connection string `json:"connection"`
	}
	if err := x.readJSON(&asked); err != nil {
		return err
	}
	id, err := strconv.ParseUint(asked.Connection, 10, 64)
	if err != nil {
		return nave.Errorf(nave.CodeInvalid, "connection is %.40q: it is what the stream's hub.sync says, as {\"connection\":\"17\"}", asked.Connection)
	}
	if err := x.Hub.Renew(x.r.Context(), id, x.who); err != nil {
		return err
	}
	x.answer(http.StatusOK, struct {
		Connection string    `json:"connection"`
		Expires    time.Time `json:"expires"`
	}{asked.Connection, x.who.Expires.UTC()})
	return nil
}

// issueTicket answers POST /v1/tickets.
func (x *exchange) issueTicket() error {
	x.trace("POST /v1/tickets")
	if err := x.needsToken("a ticket"); err != nil {
		return err
	}
	text, expires, err := x.tickets.Issue(x.who)
	if err != nil {
		return err
	}
	x.answer(http.StatusCreated, struct {
		Ticket  string    `json:"ticket"`
		Expires time.Time `json:"expires"`
	}{text, expires.UTC()})
	return nil
}
