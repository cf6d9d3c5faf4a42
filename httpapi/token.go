package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave"
)

// needsToken refuses who is anonymous.
func (x *exchange) needsToken(what string) error {
	if x.who.Anonymous() {
		return nave.Errorf(nave.CodeUnauthorised, "%s takes a token: send one as Authorization: Bearer", what)
	}
	return nil
}

// renew answers POST /v1/token: the token that comes with it takes the place of the
// one that a living stream has.
func (h *handler) renew(x *exchange) error {
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
	if err := h.Hub.Renew(x.r.Context(), id, x.who); err != nil {
		return err
	}
	x.answer(http.StatusOK, struct {
		Connection string    `json:"connection"`
		Expires    time.Time `json:"expires"`
	}{asked.Connection, x.who.Expires.UTC()})
	return nil
}

// issueTicket answers POST /v1/tickets.
func (h *handler) issueTicket(x *exchange) error {
	x.trace("POST /v1/tickets")
	if err := x.needsToken("a ticket"); err != nil {
		return err
	}
	text, expires, err := h.tickets.Issue(x.who)
	if err != nil {
		return err
	}
	x.answer(http.StatusCreated, struct {
		Ticket  string    `json:"ticket"`
		Expires time.Time `json:"expires"`
	}{text, expires.UTC()})
	return nil
}

// answer sends what is nobody else's, and not to be kept.
func (x *exchange) answer(status int, v any) {
	x.Header().Set("Cache-Control", "no-store")
	x.send(status, jsonType, encode(v))
}

// wrongJSON says what is wrong without words of Go.
func wrongJSON(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return "it is empty"
	case errors.As(err, &wrong) && wrong.Field == "":
		return "it is not an object, but: " + wrong.Value
	case errors.As(err, &wrong):
		return wrong.Field + " cannot be: " + wrong.Value
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

// readJSON reads a small body. It may take its time to arrive, so the caller is looked
// at again.
func (x *exchange) readJSON(into any) error {
	return x.readJSONUpTo(into, x.MaxBody)
}

func (x *exchange) readJSONUpTo(into any, most int64) error {
	body := x.buffer()
	defer body.release()
	if err := x.readUpTo(body, most); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body.bytes))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return nave.Errorf(nave.CodeInvalid, "the body is not the JSON that is expected: %.200s", wrongJSON(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nave.Errorf(nave.CodeInvalid, "the body has more than the one JSON object that is expected")
	}
	return x.authority.Check(x.who)
}
