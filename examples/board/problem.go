package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
)

// A problem is a refusal, as a document (RFC 9457).
type problem struct {
	Type    string      `json:"type"`
	Title   string      `json:"title"`
	Status  int         `json:"status"`
	Detail  string      `json:"detail"`
	Current *store.Card `json:"current,omitempty"` // of a conflict

	after time.Duration // when to try again; 0 if that is of no use
}

func (p *problem) Error() string { return p.Detail }

func newProblem(status int, detail string) *problem {
	title := http.StatusText(status)
	return &problem{
		Type: "/problems/" + strings.ReplaceAll(strings.ToLower(title), " ", "-"), Title: title, Status: status, Detail: detail,
	}
}

func (p *problem) again(after time.Duration) *problem {
	p.after = after
	return p
}

// problemOf finds what to answer. What is nobody's fault but ours is logged.
func problemOf(err error) *problem {
	var known *problem
	var conflict *store.ConflictError
	var invalid *store.InvalidError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &conflict):
		p := newProblem(http.StatusConflict, err.Error())
		p.Current = &conflict.Current
		return p
	case errors.As(err, &invalid):
		return newProblem(http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, store.ErrNotFound):
		return newProblem(http.StatusNotFound, err.Error())
	case errors.Is(err, store.ErrGone):
		return newProblem(http.StatusGone, err.Error())
	case errors.Is(err, store.ErrFull):
		return newProblem(http.StatusServiceUnavailable, err.Error()).again(5 * time.Second)
	case errors.As(err, &large):
		return newProblem(http.StatusRequestEntityTooLarge, "the body may have "+strconv.FormatInt(large.Limit, 10)+" bytes")
	case nave.CodeOf(err) == nave.CodeInvalid:
		return newProblem(http.StatusUnprocessableEntity, err.Error())
	case isPassing(err):
		return newProblem(http.StatusServiceUnavailable, err.Error()).again(time.Second)
	case errors.Is(err, context.Canceled):
		return newProblem(http.StatusServiceUnavailable, "who asked has gone, or the board ends")
	case store.IsDisk(err):
		slog.Error("the database cannot be written", "error", err)
		return newProblem(http.StatusServiceUnavailable, "the database cannot be written: is the disk full?").again(5 * time.Second)
	}
	slog.Error("a request fails", "error", err)
	return newProblem(http.StatusInternalServerError, "this is a defect of the board")
}

// isPassing reports whether the hub says that it would work later.
func isPassing(err error) bool {
	var refusal *nave.Error
	var degraded *nave.DegradedError
	if errors.As(err, &degraded) {
		return true
	}
	if !errors.As(err, &refusal) {
		return false
	}
	switch refusal.Code {
	case nave.CodeUnavailable, nave.CodeOverloaded, nave.CodeBusy, nave.CodeDraining, nave.CodeDegraded:
		return true
	}
	return false
}

func refuse(w http.ResponseWriter, err error) {
	p := problemOf(err)
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(p.after/time.Second)))
	}
	answer(w, p.Status, "application/problem+json", p)
}

// answer writes a JSON document.
func answer(w http.ResponseWriter, status int, kind string, document any) {
	text, err := json.Marshal(document)
	if err != nil {
		slog.Error("an answer cannot be written", "error", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_, _ = w.Write(text) // who asked has gone, if that fails
}

const (
	// maxBody is how large a request may be, in bytes.
	maxBody = 64 << 10
	// maxArrival is how long it may take to arrive.
	maxArrival = 10 * time.Second
)

// read reads a request's body, and refuses what it does not know.
func read[T any](w http.ResponseWriter, r *http.Request) (body T, err error) {
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return body, newProblem(http.StatusUnsupportedMediaType, "the body is to be application/json")
	}
	arrival := http.NewResponseController(w)
	_ = arrival.SetReadDeadline(time.Now().Add(maxArrival)) // of what does not arrive nobody reads the rest either
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err = d.Decode(&body); err == nil {
		if _, more := d.Token(); more == io.EOF {
			_ = arrival.SetReadDeadline(time.Time{})
			return body, nil
		}
		err = errors.New("something follows after the JSON")
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return body, err
	}
	return body, newProblem(http.StatusBadRequest, "the body cannot be read: "+err.Error())
}
