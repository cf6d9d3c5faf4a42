package spoke

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave"
)

// An UnreachableError says that nobody answered, or that an answer broke off.
type UnreachableError struct {
	// Address is the hub's, without its password.
	Address string
	Err     error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("no hub answers at %s: %v", e.Address, e.Err)
}

// Unwrap is what happened to the connection.
func (e *UnreachableError) Unwrap() error { return e.Err }

// A Refusal is the hub's no: a problem document (RFC 9457), or what a proxy says in its
// place. It wraps a [*nave.ConflictError], or a [*nave.Error] with its code.
type Refusal struct {
	Status    int        `json:"status"`
	Code      nave.Code  `json:"code"`
	Title     string     `json:"title"`
	Detail    string     `json:"detail"`
	Conflicts []Conflict `json:"conflicts"`
	// Level is the hub's, if that is why.
	Level nave.Level `json:"level"`

	// RetryAfter is how long the hub wants to be left in peace; 0 if it does not say.
	RetryAfter time.Duration `json:"-"`
	// Body is all that was answered.
	Body []byte `json:"-"`

	token string // that it refuses
}

// A Conflict is one condition that did not hold.
type Conflict struct {
	Topic     nave.Topic `json:"topic"`
	Key       string     `json:"key"`
	IfVersion uint64     `json:"ifVersion"`
	// Version is the key's version now, 0 if it has none, and Event what made it: nil
	// if there is none, or if it may not be read.
	Version uint64 `json:"version"`
	Event   *Event `json:"event"`
}

// ParseRefusal reads a problem document; nil if the text is none.
func ParseRefusal(text []byte) *Refusal {
	r := Refusal{Body: text}
	if err := json.Unmarshal(text, &r); err != nil || r.Status < http.StatusBadRequest {
		return nil
	}
	return &r
}

// readRefusal makes the best of an answer that is no success, whoever gave it: a proxy
// may stand between us and the hub.
func readRefusal(answer *http.Response) *Refusal {
	const enough = 1 << 20
	text, _ := io.ReadAll(io.LimitReader(answer.Body, enough)) // the status says most of it
	r := new(Refusal)
	if kind, _, _ := mime.ParseMediaType(answer.Header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		if json.Unmarshal(text, r) != nil {
			*r = Refusal{}
		}
	}
	r.Body, r.Status = text, answer.StatusCode
	r.Title = cmp.Or(r.Title, http.StatusText(answer.StatusCode))
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil {
		r.RetryAfter = max(0, time.Duration(seconds)*time.Second)
	}
	return r
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("refused: %s (%d)", cmp.Or(r.Detail, r.Title), r.Status)
}

// Unwrap is the refusal as the hub has it, so that nave.CodeOf and errors.As tell
// refusals apart. Of somebody else's it is nil.
func (r *Refusal) Unwrap() error {
	switch {
	case r.Code == "":
		return nil
	case r.Code == nave.CodeConflict && len(r.Conflicts) > 0:
		e := new(nave.ConflictError)
		for _, c := range r.Conflicts {
			conflict := nave.Conflict{Topic: c.Topic, Key: c.Key, IfVersion: c.IfVersion, Version: c.Version}
			if c.Event != nil {
				conflict.Event = &c.Event.Event
			}
			e.Conflicts = append(e.Conflicts, conflict)
		}
		return e
	}
	return nave.Errorf(r.Code, "%s", cmp.Or(r.Detail, r.Title)).After(r.RetryAfter)
}

// Anonymous reports whether it refuses somebody who did not say who it is.
func (r *Refusal) Anonymous() bool { return r.Status == http.StatusUnauthorized && r.token == "" }

// Temporary reports whether the same request may succeed later.
func (r *Refusal) Temporary() bool {
	switch r.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return r.Status >= http.StatusInternalServerError // proxies have numbers of their own
}

// Temporary reports whether it makes sense to try again after err, and how long the hub
// wants to be left in peace before.
func Temporary(err error) (after time.Duration, ok bool) {
	var away *UnreachableError
	var refused *Refusal
	switch {
	case errors.As(err, &away):
		return 0, true
	case errors.As(err, &refused):
		return refused.RetryAfter, refused.Temporary()
	}
	return 0, false
}
