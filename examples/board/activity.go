package main

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
)

// maxSession is how long the name of a session may be, in bytes.
const maxSession = 64

// heartbeat says for a page without streams that its session lives: to nobody, if
// there is no hub.
func (a *api) heartbeat(w http.ResponseWriter, r *http.Request, u store.User) error {
	body, err := read[struct {
		Session string `json:"session"`
		State   string `json:"state"`
	}](w, r)
	if err != nil {
		return err
	}
	kind, ok := map[string]string{
		"started": "session.started", "active": "session.heartbeat", "idle": "session.idle", "ended": "session.ended",
	}[body.State]
	if !ok {
		return newProblem(http.StatusUnprocessableEntity, "state: it is started, active, idle or ended")
	}
	if err := checkBytes("session", body.Session, maxSession); err != nil {
		return err
	}
	if a.alone {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	said := body.State
	if said == "started" {
		said = "active"
	}
	data, err := json.Marshal(map[string]string{"session": body.Session, "state": said, "user": u.ID})
	if err != nil {
		return err
	}
	if said == "ended" {
		data = nil // it is no part of the topic's state any more
	}
	if err := a.hub.publish(r.Context(), nave.Event{
		Topic: nave.Topic("sessions/" + u.ID), Type: kind, Key: body.Session, Data: data, Source: u.ID,
	}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// maxClicks is how many a page may tell of at a time.
const maxClicks = 100

// analyse counts what a page without streams could not publish: at such a level the
// hub refuses transient events.
func (a *api) analyse(w http.ResponseWriter, r *http.Request, _ store.User) error {
	body, err := read[[]struct {
		Name string          `json:"name"`
		Data json.RawMessage `json:"data"`
	}](w, r)
	if err != nil {
		return err
	}
	if len(body) > maxClicks {
		return newProblem(http.StatusUnprocessableEntity, fmt.Sprintf("there are too many: %d at a time", maxClicks))
	}
	for _, one := range body {
		if err := checkBytes("name", one.Name, nave.MaxTypeBytes); err != nil {
			return err
		}
	}
	for _, one := range body {
		a.counter.count(one.Name, one.Data)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func checkBytes(what, text string, most int) error {
	if text == "" || len(text) > most {
		return newProblem(http.StatusUnprocessableEntity, fmt.Sprintf("%s: it has 1 to %d bytes", what, most))
	}
	return nil
}
