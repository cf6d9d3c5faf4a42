//go:build linux

package load_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A server that gives a wrong stream must not pass.
func TestWrongStreamsAreFound(t *testing.T) {
	const sync = "id: e-5\nevent: hub.sync\ndata: {\"status\":\"live\"}\n\n"
	event := func(offset string) string {
		return "event: x\ndata: {\"topic\":\"board/0\",\"offset\":" + offset + ",\"data\":{\"n\":0,\"t\":1,\"p\":0,\"f\":0,\"x\":\"\"}}\nid: e-" + offset + "\n\n"
	}
	bare := func(n, publisher, floor int) string {
		return fmt.Sprintf("event: x\ndata: {\"topic\":\"board/0\",\"data\":{\"n\":%d,\"t\":1,\"p\":%d,\"f\":%d,\"x\":\"\"}}\n\n", n, publisher, floor)
	}
	for want, stream := range map[string]string{
		"6 after 6: it must rise": sync + event("6") + event("6"),
		"5 after 5: it must rise": sync + event("5"),
		"6 after 7: it must rise": sync + event("7") + strings.Replace(event("6"), "\nid: e-6", "", 1),
		"must be the same":        sync + strings.Replace(event("6"), "id: e-6", "id: e-7", 1),
		"3 came after event 4":    sync + bare(4, 7, 0) + bare(3, 7, 0),
		"4 came after event 4":    sync + bare(4, 7, 0) + bare(4, 7, 0),
		"all before event 4 had":  sync + bare(6, 7, 4) + bare(3, 8, 0),
		"it must be 0":            sync + event("6"),
		"other data":              sync + "event: x\ndata: {}\n\n",
		"not good any more":       "event: hub.sync\ndata: {\"status\":\"reset\"}\n\n",
		"ended the stream":        sync + "event: hub.bye\ndata: {\"reason\":\"shutdown\"}\n\n",
		"must not fall":           sync + "id: e-4\nevent: hub.heartbeat\ndata: {}\n\n",
		"closed the connection":   sync,
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte(stream))
			w.(http.Flusher).Flush()
			if !strings.HasPrefix(want, "closed") {
				<-r.Context().Done()
			}
		}))
		s := newSite(t, server.Listener.Addr().String())
		s.crowd.Add(s.topics.Only(0))
		err := s.crowd.Connect(t.Context())
		if err == nil {
			_, err = s.loop.Run(t.Context(), 50*time.Millisecond, nil)
		}
		if err == nil {
			err = s.crowd.Settle(t.Context(), 50*time.Millisecond)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one that says %q", err, want)
		}
		s.crowd.Leave()
		server.Close()
	}
}

// A server that tells publishers something wrong must not pass.
func TestWrongAnswersAreFound(t *testing.T) {
	one := func(offset int) string {
		return fmt.Sprintf(`{"cursor":"e-%d","events":[{"offset":%[1]d}]}`, offset)
	}
	for want, answers := range map[string][]string{
		"offset 1 after one at 1":                  {one(1), one(1)},
		"offset 2 after one at 7":                  {one(7), one(2)},
		"the answer to 1 events names 0":           {`{"events":[]}`},
		"the answer to 1 events names 2":           {`{"events":[{},{}]}`},
		"a publish was refused with 429: too busy": {""},
	} {
		n := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			if answers[0] == "" {
				http.Error(w, "too busy", http.StatusTooManyRequests)
				return
			}
			n++
			io.WriteString(w, answers[min(n, len(answers))-1])
		}))
		s := newSite(t, server.Listener.Addr().String())
		s.must(s.pubs.Open(1))
		if err := s.tryToPublish(len(answers)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want one that says %q", err, want)
		}
		s.pubs.Close()
		server.Close()
	}
}

// Offsets rise, every event comes once, and each has the other's.
func TestWhoExchangesEventsIsFound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, `{"cursor":"e-%d","events":[{"offset":%[1]d}]}`, 1+strings.Count(string(body), `"n":1,`))
			return
		}
		io.WriteString(w, "id: e-0\nevent: hub.sync\ndata: {\"status\":\"live\"}\n\n")
		for i := range 2 {
			fmt.Fprintf(w, "event: x\ndata: {\"topic\":\"board/0\",\"offset\":%d,\"data\":{\"n\":%d,\"t\":1,\"p\":0,\"f\":0,\"x\":\"\"}}\n\n", 1+i, 1-i)
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	s := newSite(t, server.Listener.Addr().String())
	s.crowd.Add(s.topics.All("**"))
	s.must(s.crowd.Connect(t.Context()))
	s.must(s.pubs.Open(1))
	s.publish(2)
	const want = "not those that were accepted at these offsets"
	if err := s.crowd.Settle(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want one that says %q", err, want)
	}
	s.crowd.Leave()
	s.pubs.Close()
}

func TestSubscribersThatAreRefusedAreFound(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "come later", http.StatusTooManyRequests)
	}))
	defer server.Close()
	s := newSite(t, server.Listener.Addr().String())
	s.crowd.Add(s.topics.Only(0))
	if err := s.crowd.Connect(t.Context()); err == nil || !strings.Contains(err.Error(), "refused with 429") {
		t.Errorf("a subscriber that was refused: %v", err)
	}
}
