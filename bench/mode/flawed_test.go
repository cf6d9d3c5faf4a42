//go:build linux

package mode

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/navehub/nave/bench/server"
	"github.com/navehub/nave/tests/harness"
)

// A flawed is a server that stands for a hub, in this process, and has one defect
// or none.
type flawed struct {
	defect    string
	transient bool
	wait      func(n int) time.Duration // of an event, if set
	usage     func() harness.Usage      // of the process, if set
	listener  net.Listener              // until it is started
	addr      string
	server    *http.Server

	mu     sync.Mutex
	offset uint64
	events *[]stored // survive its end
	ears   map[chan stored]bool
}

type stored struct {
	topic  string
	offset uint64
	data   json.RawMessage
}

// flawedKit is what such servers are started from.
func flawedKit(defect string) *server.Kit {
	disks := make(map[string]*[]stored)
	return &server.Kit{Program: os.Args[0], Stand: func(name, data string) (string, server.Process, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return "", nil, err
		}
		if disks[data] == nil {
			disks[data] = new([]stored)
		}
		f := &flawed{defect: defect, transient: name == server.Transient, listener: l, addr: l.Addr().String(), events: disks[data], ears: make(map[chan stored]bool)}
		f.offset = uint64(len(*f.events))
		return f.addr, f, nil
	}}
}

func (f *flawed) Start(context.Context) error {
	l, err := f.listen()
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/events", f.subscribe)
	mux.HandleFunc("POST /v1/events", f.publish)
	f.server = &http.Server{Handler: mux}
	go f.server.Serve(l) // ends when it is closed
	return nil
}

// listen waits for the port when it was given back: a client of another test may
// come from there.
func (f *flawed) listen() (l net.Listener, err error) {
	if l, f.listener = f.listener, nil; l != nil {
		return l, nil
	}
	for range 500 {
		if l, err = net.Listen("tcp", f.addr); err == nil {
			return l, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, err
}

func (f *flawed) Terminate() error { return f.server.Close() }

func (f *flawed) Kill() error {
	err := f.server.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.defect == "unsynced" {
		*f.events = (*f.events)[:max(0, len(*f.events)-3)]
	}
	return err
}

func (f *flawed) Output() string { return "" }

func (f *flawed) Usage() (harness.Usage, error) {
	if f.usage != nil {
		return f.usage(), nil
	}
	return harness.UsageOf(os.Getpid())
}

// hit reports whether it has this defect, and the event is one of those concerned.
func (f *flawed) hit(e stored, defect string) bool {
	return f.defect == defect && numberOf(e.data)%5 == 3
}

// numberOf is the event's.
func numberOf(data []byte) int {
	var n int
	fmt.Sscanf(string(data), `{"n":%d`, &n)
	return n
}

func (f *flawed) publish(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != "application/x-ndjson" {
		body, _ := io.ReadAll(r.Body)
		answer := f.accept(body)
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		w.Write(answer)
		return
	}
	c := http.NewResponseController(w)
	c.EnableFullDuplex()
	for lines := bufio.NewScanner(r.Body); lines.Scan(); c.Flush() {
		w.Write(append(f.accept(lines.Bytes()), '\n'))
	}
}

// accept stores one event or an array of them, and returns the answer.
func (f *flawed) accept(body []byte) []byte {
	if body[0] != '[' {
		body = append(append([]byte{'['}, body...), ']')
	}
	var events []struct {
		Topic string
		Data  json.RawMessage
	}
	if err := json.Unmarshal(body, &events); err != nil {
		return []byte(err.Error())
	}
	if f.wait != nil {
		time.Sleep(f.wait(numberOf(events[0].Data)))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var told []string
	for _, one := range events {
		e := stored{topic: one.Topic, data: one.Data}
		told = append(told, "{}")
		if !f.transient {
			f.offset++
			e.offset = f.offset
			told[len(told)-1] = fmt.Sprintf(`{"offset":%d}`, e.offset)
		}
		if !f.hit(e, "unstored") {
			f.store(e)
		}
	}
	return []byte(`{"events":[` + strings.Join(told, ",") + `]}`)
}

func (f *flawed) store(e stored) {
	if !f.transient && !f.hit(e, "unkept") {
		*f.events = append(*f.events, e)
	}
	for ear := range f.ears {
		ear <- e
	}
}

func (f *flawed) subscribe(w http.ResponseWriter, r *http.Request) {
	const enough = 5000 // that nothing waits while the lock is held
	ear := make(chan stored, enough)
	var missed []stored
	var after uint64
	f.mu.Lock()
	if n, _ := fmt.Sscanf(r.Header.Get("Last-Event-ID"), "e-%d", &after); n == 0 {
		after = f.offset
	}
	for _, e := range *f.events {
		if e.offset > after {
			missed = append(missed, e)
		}
	}
	f.ears[ear] = true
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.ears, ear)
	}()
	fmt.Fprintf(w, "id: e-%d\nevent: hub.sync\ndata: {\"status\":\"live\"}\n\n", after)
	f.stream(w, r, missed, ear)
}

func (f *flawed) stream(w http.ResponseWriter, r *http.Request, missed []stored, ear chan stored) {
	var held *stored // until the next, to be exchanged with it
	var late <-chan time.Time
	filters := r.URL.Query()["topic"]
	for {
		var e stored
		if len(missed) > 0 {
			e, missed = missed[0], missed[1:]
		} else {
			w.(http.Flusher).Flush()
			select {
			case e = <-ear:
			case <-late:
				w.Write(held.block())
				held, late = nil, nil
				continue
			case <-r.Context().Done():
				return
			}
		}
		switch {
		case !follows(filters, e.topic) || f.hit(e, "lost"):
		case held != nil:
			held.data, e.data = e.data, held.data
			w.Write(append(held.block(), e.block()...))
			held, late = nil, nil
		case f.hit(e, "exchanged"):
			held, late = &e, time.After(50*time.Millisecond)
		case f.hit(e, "doubled"):
			w.Write(bytes.Repeat(e.block(), 2))
		default:
			w.Write(e.block())
		}
	}
}

func follows(filters []string, topic string) bool {
	for _, filter := range filters {
		if prefix, some := strings.CutSuffix(strings.TrimSuffix(filter, "*"), "*"); filter == topic || some && strings.HasPrefix(topic, prefix) {
			return true
		}
		if prefix, one := strings.CutSuffix(filter, "*"); one && strings.HasPrefix(topic, prefix) {
			return true
		}
	}
	return false
}

func (e stored) block() []byte {
	if e.offset == 0 {
		return fmt.Appendf(nil, "event: x\ndata: {\"topic\":%q,\"data\":%s}\n\n", e.topic, e.data)
	}
	return fmt.Appendf(nil, "event: x\ndata: {\"topic\":%q,\"offset\":%d,\"data\":%s}\nid: e-%[2]d\n\n", e.topic, e.offset, e.data)
}
