package baseline

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
)

// buffered is how many events may wait for a subscriber. A publisher waits for
// room, so that nothing is lost.
const buffered = 256

// Naive serves by net/http until the context ends. It keeps the last events, so
// many of them, for those who come with a cursor.
func Naive(ctx context.Context, l net.Listener, keep int) error {
	n := &naive{keep: keep, topics: make(map[string]map[*listener]struct{}), patterns: make(map[*listener][]string)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/events", n.subscribe)
	mux.HandleFunc("POST /v1/events", n.publish)
	server := &http.Server{Handler: mux} //nolint:gosec // no timeouts, as people do
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

type naive struct {
	keep int

	mu       sync.Mutex
	offset   uint64
	topics   map[string]map[*listener]struct{}
	patterns map[*listener][]string
	kept     []stored
}

type stored struct {
	topic  string
	offset uint64
	block  []byte
}

type listener struct {
	blocks chan []byte
	gone   <-chan struct{}
}

func (n *naive) publish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, "one event is wanted: "+err.Error(), http.StatusBadRequest)
		return
	}
	offset := n.send(&e)
	w.Header().Set("Content-Type", "application/json")
	w.Write(appendAnswer(nil, offset))
}

// send holds the lock for all of it, so that everybody gets events in one order.
func (n *naive) send(e *event) uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.offset++
	block := appendBlock(nil, e.Type, e.Topic, n.offset, e.Data)
	for l := range n.topics[e.Topic] {
		l.send(block)
	}
	for l, patterns := range n.patterns {
		if matchesAny(patterns, e.Topic) {
			l.send(block)
		}
	}
	if n.keep > 0 {
		n.kept = append(n.kept, stored{e.Topic, n.offset, block})
		if len(n.kept) >= 2*n.keep {
			n.kept = append(n.kept[:0], n.kept[n.keep:]...)
		}
	}
	return n.offset
}

func (l *listener) send(block []byte) {
	select {
	case l.blocks <- block:
	case <-l.gone:
	}
}

func matchesAny(filters []string, topic string) bool {
	for _, f := range filters {
		if matches(f, topic) {
			return true
		}
	}
	return false
}

func (n *naive) subscribe(w http.ResponseWriter, r *http.Request) {
	filters := r.URL.Query()["topic"]
	l := &listener{blocks: make(chan []byte, buffered), gone: r.Context().Done()}
	status, missed, offset := n.join(l, filters, cursorOf(r))
	defer n.leave(l, filters)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	flusher := w.(http.Flusher)
	w.Write(appendSync(nil, status, offset))
	for _, block := range missed {
		w.Write(block)
	}
	flusher.Flush()
	for {
		select {
		case block := <-l.blocks:
			w.Write(block)
			flusher.Flush()
		case <-l.gone:
			return
		}
	}
}

func cursorOf(r *http.Request) string {
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		return id
	}
	return r.URL.Query().Get("cursor")
}

// join returns what the subscriber has missed, and where it stands before that.
func (n *naive) join(l *listener, filters []string, cursor string) (status string, missed [][]byte, offset uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var patterns []string
	for _, f := range filters {
		if isPattern(f) {
			patterns = append(patterns, f)
			continue
		}
		if n.topics[f] == nil {
			n.topics[f] = make(map[*listener]struct{})
		}
		n.topics[f][l] = struct{}{}
	}
	if patterns != nil {
		n.patterns[l] = patterns
	}
	after, ok := parseCursor(cursor)
	if !ok {
		return "live", nil, n.offset
	}
	for i := range n.kept {
		if k := &n.kept[i]; k.offset > after && matchesAny(filters, k.topic) {
			missed = append(missed, k.block)
		}
	}
	return "recovered", missed, after
}

func (n *naive) leave(l *listener, filters []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.patterns, l)
	for _, f := range filters {
		if delete(n.topics[f], l); len(n.topics[f]) == 0 {
			delete(n.topics, f)
		}
	}
}
