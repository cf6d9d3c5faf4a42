package httpapi

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/frame"
)

// snapshotWhole marks a page that holds a snapshot, all of it.
const snapshotWhole = "whole"

// An item is the latest event of a key.
type item struct {
	Topic   nave.Topic      `json:"topic"`
	Key     string          `json:"key"`
	Version uint64          `json:"version"`
	Type    string          `json:"type"`
	Time    time.Time       `json:"time"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// state answers GET /v1/state, item by item as the log yields them.
func (x *exchange) state() error {
	x.trace("GET /v1/state")
	q, err := x.parseQuery(stateParameters)
	if err != nil {
		return err
	}
	snapshot, err := x.Hub.State(x.r.Context(), q.filters)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	at := nave.Cursor{Epoch: x.Hub.Epoch(), Offset: snapshot.Offset()}
	tag := tagOf(at.String(), nave.LevelNormal)
	x.revalidate(tag)
	if matches(x.r.Header, tag) {
		x.WriteHeader(http.StatusNotModified)
		return nil
	}
	return x.stream(func(w *bufio.Writer) error {
		_, _ = w.WriteString(`{"cursor":"` + at.String() + `","items":[`)
		items := json.NewEncoder(w)
		items.SetEscapeHTML(false) // data goes out as it came
		err := eachOf(snapshot, w, func(e nave.Event) error {
			return items.Encode(item{Topic: e.Topic, Key: e.Key, Version: e.Version(), Type: e.Type, Time: e.Time.UTC(), Data: e.Data})
		})
		_, _ = w.WriteString("]}\n")
		return err
	})
}

// snapshotPage answers a poll that asks for the state first, with the verdict
// that it would have had without.
func (x *exchange) snapshotPage(q query, sync frame.Sync) error {
	snapshot, err := x.Hub.State(x.r.Context(), q.filters)
	if err != nil {
		return err
	}
	defer snapshot.Close()
	at := nave.Cursor{Epoch: x.Hub.Epoch(), Offset: snapshot.Offset()}
	sync.Cursor, sync.Snapshot = at.String(), snapshotWhole
	x.revalidate(tagOf(at.String(), x.Hub.Level()))
	return x.stream(func(w *bufio.Writer) error {
		beginPage(w, at, sync, x.Hub.Level())
		err := eachOf(snapshot, w, func(e nave.Event) error {
			e.Batch = nave.Position{} // the rest of the batch may be no state any more
			_, err := w.Write(frame.New(at.Epoch, e, time.Time{}).JSON())
			return err
		})
		endPage(w)
		return err
	})
}

// beginPage writes all of a page but its events.
func beginPage(w io.StringWriter, at nave.Cursor, sync frame.Sync, level nave.Level) {
	verdict, err := json.Marshal(sync)
	if err != nil {
		panic(err) // our own types always marshal
	}
	_, _ = w.WriteString(`{"cursor":"` + at.String() + `","sync":` + string(verdict) + `,"level":"` + string(level) + `","events":[`)
}

func endPage(w io.StringWriter) { _, _ = w.WriteString("]}\n") }

// eachOf writes the events of a snapshot, a comma between them.
func eachOf(snapshot eventlog.Snapshot, w *bufio.Writer, write func(nave.Event) error) error {
	first := true
	for e, err := range snapshot.Events() {
		if err != nil {
			return err
		}
		if !first {
			_ = w.WriteByte(',') // a bufio.Writer's errors last
		}
		first = false
		if err := write(e); err != nil {
			return err
		}
	}
	return nil
}

// stream answers with a body that is written while it is made. The reader has
// WriteTimeout for each piece of it.
func (x *exchange) stream(write func(*bufio.Writer) error) error {
	x.Header().Set("Content-Type", jsonType)
	x.WriteHeader(http.StatusOK)
	if x.r.Method == http.MethodHead {
		return nil
	}
	defer func() { _ = x.rc.SetWriteDeadline(time.Time{}) }()
	w := bufio.NewWriterSize(pieces{x}, 32<<10)
	err := write(w)
	if gone := w.Flush(); gone != nil { // which is why writing failed
		return nave.Errorf(codeTimeout, "the reader takes no more: %w", gone)
	}
	return err
}

// pieces gives each write its time.
type pieces struct{ x *exchange }

func (p pieces) Write(b []byte) (int, error) {
	if err := p.x.authority.Check(p.x.who); err != nil { // it may have taken long
		return 0, err
	}
	_ = p.x.rc.SetWriteDeadline(time.Now().Add(p.x.WriteTimeout))
	return p.x.Write(b)
}
