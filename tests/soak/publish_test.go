package soak

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/navehub/nave/tests/harness"
)

// cards are the topics that readers that stay have to see all of.
func cards(topic string) bool { return strings.HasPrefix(topic, "cards/") }

// post sends a body once. An error means that there was no answer.
func (s *soak) post(ctx context.Context, contentType string, body []byte) (harness.Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url("/v1/events"), bytes.NewReader(body))
	if err != nil {
		return harness.Answer{}, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := s.client.Do(req)
	if err != nil {
		return harness.Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return harness.Answer{}, err
	}
	a := harness.Answer{Status: resp.StatusCode, Repeat: resp.Header.Get("Nave-Repeat") == "true"}
	return a, json.Unmarshal(text, &a)
}

// publish publishes a batch, and keeps account of what readers that stay have to
// see of it.
func (s *soak) publish(events ...harness.Event) harness.Answer {
	a := s.send(events)
	if a.Status != http.StatusOK {
		return a
	}
	for i, e := range events {
		if cards(e.Topic) {
			s.acked.add(a.Events[i].Offset)
		}
	}
	s.ids.Add(int64(len(events)))
	return a
}

// send sends a batch until it is accepted, or refused for good.
func (s *soak) send(events []harness.Event) harness.Answer {
	var body any = events
	if len(events) == 1 {
		body = events[0]
	}
	b, _ := json.Marshal(body)
	for tries := 0; ; tries++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		a, err := s.post(ctx, "application/json", b)
		cancel()
		switch {
		case err == nil && a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests:
			return a
		case tries > 100:
			s.mistake("%s is never answered: %d %s %v", events[0].ID, a.Status, a.Detail, err)
			return a
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *soak) id() string { return strconv.FormatUint(s.turn.Add(1), 36) }

func (s *soak) event(rng *rand.Rand, segment string, topics int) harness.Event {
	return harness.Event{
		Topic: fmt.Sprintf("%s/%d", segment, rng.IntN(topics)), Type: "tick", Key: "key-" + strconv.Itoa(rng.IntN(50)),
		ID: s.id(), Source: "soak", Data: strings.Repeat("x", 200+rng.IntN(3000)),
	}
}

// steadily publishes single events to the topics of a segment.
func (s *soak) steadily(what, segment string, topics int, pace time.Duration) worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			if a := s.publish(s.event(rng, segment, topics)); a.Status != http.StatusOK {
				s.mistake("%s: %d %s", what, a.Status, a.Detail)
			}
			s.did(what, 1)
			pause(ctx, rng, pace/2, 3*pace/2)
		}
	}
}

func (s *soak) publishCards() worker {
	return s.steadily("durable events", "cards", 20, 20*time.Millisecond)
}

func (s *soak) publishMemory() worker {
	return s.steadily("memory events", "session", 10, 20*time.Millisecond)
}

func (s *soak) publishTransient() worker {
	return s.steadily("transient events", "ui", 5, 20*time.Millisecond)
}

func (s *soak) publishBatches() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			var batch []harness.Event
			for range 2 + rng.IntN(20) {
				batch = append(batch, s.event(rng, []string{"cards", "cards", "session", "ui"}[rng.IntN(4)], 5))
			}
			batch[0].Topic = "cards/0" // so that all of it is durable
			if a := s.publish(batch...); a.Status != http.StatusOK {
				s.mistake("batches: %d %s", a.Status, a.Detail)
			}
			s.did("batches", 1)
			pause(ctx, rng, 50*time.Millisecond, 250*time.Millisecond)
		}
	}
}

// publishConditional changes a few keys that others change too.
func (s *soak) publishConditional() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		versions := make(map[string]uint64)
		for ctx.Err() == nil {
			e := s.event(rng, "cards", 1)
			e.Topic, e.Key = "cards/conditional", "key-"+strconv.Itoa(rng.IntN(3))
			known := versions[e.Key]
			e.IfVersion = &known
			switch a := s.publish(e); {
			case a.Status == http.StatusOK:
				versions[e.Key] = a.Events[0].Version
			case a.Status == http.StatusConflict && len(a.Conflicts) == 1:
				versions[e.Key] = a.Conflicts[0].Version
			default:
				s.mistake("conditions: %d %s", a.Status, a.Detail)
			}
			s.did("events with conditions", 1)
			pause(ctx, rng, 20*time.Millisecond, 60*time.Millisecond)
		}
	}
}

func (s *soak) publishTwice() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			e := s.event(rng, []string{"cards", "session"}[rng.IntN(2)], 5)
			first := s.publish(e)
			pause(ctx, rng, 0, 500*time.Millisecond)
			again := s.send([]harness.Event{e})
			if first.Status != http.StatusOK || again.Status != http.StatusOK || !again.Repeat || again.Events[0] != first.Events[0] {
				s.mistake("repeats: %+v and then %+v", first, again)
			}
			s.did("repeats", 1)
		}
	}
}

// publishLines publishes a stream of lines, and now and then breaks off: nobody
// has to see these.
func (s *soak) publishLines() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			n := 5 + rng.IntN(40)
			s.did("lines", s.sendLines(ctx, rng, n, rng.IntN(4) == 0))
			pause(ctx, rng, 100*time.Millisecond, 400*time.Millisecond)
		}
	}
}

func (s *soak) sendLines(ctx context.Context, rng *rand.Rand, n int, breaksOff bool) (answered int) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	from, to := io.Pipe()
	defer from.Close()
	sending := make(chan struct{})
	go func() { // ends with the body
		defer close(sending)
		defer to.Close()
		for range n {
			b, _ := json.Marshal(s.event(rng, "lines", 5))
			if _, err := to.Write(append(b, '\n')); err != nil {
				return
			}
		}
	}()
	defer func() { from.Close(); <-sending }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url("/v1/events"), from)
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := s.client.Do(req)
	if err != nil {
		s.mistake("lines: %v", err)
		return 0
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for ; lines.Scan(); answered++ {
		if !bytes.Contains(lines.Bytes(), []byte(`"offset"`)) {
			s.mistake("lines: %s", lines.Text())
		}
		if breaksOff && answered > n/2 {
			return answered
		}
	}
	if answered != n {
		s.mistake("lines: %d of %d are answered, status %d, %v", answered, n, resp.StatusCode, lines.Err())
	}
	s.ids.Add(int64(answered))
	return answered
}

// passingTopics uses topics for a moment, and removes the keys that it has made:
// nothing of them may be there for ever.
func (s *soak) passingTopics() worker {
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			topic := "passing/" + s.id()
			var made, removed []harness.Event
			for k := range 3 {
				e := s.event(rng, "passing", 1)
				e.Topic, e.Key = topic, strconv.Itoa(k)
				made = append(made, e)
				removed = append(removed, harness.Event{Topic: topic, Type: "gone", Key: e.Key, ID: s.id(), Source: "soak"})
			}
			s.publish(made...)
			s.publish(removed...)
			s.did("topics that came and went", 1)
			pause(ctx, rng, 100*time.Millisecond, 300*time.Millisecond)
		}
	}
}

// askForRefusals publishes what cannot be accepted.
func (s *soak) askForRefusals() worker {
	large, _ := json.Marshal(harness.Event{Topic: "cards/0", Type: "tick", Data: strings.Repeat("x", 20<<10)})
	refusals := []struct {
		status int
		body   string
	}{
		{http.StatusBadRequest, `{"topic":"cards//0","type":"tick"}`},
		{http.StatusBadRequest, `{"topic":"cards/0","type":"hub.tick"}`},
		{http.StatusBadRequest, `{"topic":"cards/0",`},
		{http.StatusBadRequest, `[]`},
		{http.StatusBadRequest, `{"topic":"ui/0","type":"tick","key":"k","ifVersion":1}`},
		{http.StatusRequestEntityTooLarge, string(large)},
		{http.StatusConflict, `{"topic":"cards/never","type":"tick","key":"k","ifVersion":1}`},
		{http.StatusTooManyRequests, `[{"topic":"limited/0","type":"tick"},{"topic":"limited/0","type":"tick"},{"topic":"limited/0","type":"tick"}]`},
	}
	return func(ctx context.Context, rng *rand.Rand) {
		for ctx.Err() == nil {
			r := refusals[rng.IntN(len(refusals))]
			try, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			a, err := s.post(try, "application/json", []byte(r.body))
			cancel()
			within := r.status == http.StatusTooManyRequests && a.Status == http.StatusOK // its rate allows some
			if err != nil || a.Status != r.status && !within {
				s.mistake("refusals: %.60s is answered with %d %v, want %d", r.body, a.Status, err, r.status)
			}
			s.did("refusals", 1)
			pause(ctx, rng, 10*time.Millisecond, 60*time.Millisecond)
		}
	}
}
