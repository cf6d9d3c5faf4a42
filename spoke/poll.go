package spoke

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/navehub/nave"
)

const (
	longPoll = 25 * time.Second
	// shortPoll is the pause between polls that are answered at once.
	shortPoll = 5 * time.Second
	// promptly is how soon an empty page comes that nobody has held back.
	promptly = time.Second
)

// page is an answer to a poll.
type page struct {
	Cursor string     `json:"cursor"`
	Sync   said       `json:"sync"`
	Level  nave.Level `json:"level"`
	Events []Event    `json:"events"`
}

// poll asks for pages until it is time to try again to stream, which is no error. cause
// is why it does not stream.
func (f *follower) poll(ctx context.Context, cause error) error {
	if cause == nil {
		cause = errLevel
	}
	told, until := f.told, time.Now().Add(f.probe)
	f.probe = min(2*f.probe, mostProbe)
	state, prompt := Waiting, 0 // how many empty pages in a row came at once
	for failures := 0; ; {
		asked := time.Now()
		p, err := f.page(ctx)
		if err != nil {
			failures++
			state = Waiting
			if err := f.missed(ctx, err, failures); err != nil {
				return err
			}
			continue
		}
		if prompt++; len(p.Events) > 0 || time.Since(asked) > promptly {
			prompt = 0
		}
		if failures = 0; state != Polling {
			state = Polling
			f.config.OnStatus(Status{State: Polling, Cause: cause})
		}
		if err := f.take(p); err != nil {
			return err
		}
		f.met = true
		f.told = told && !p.Level.Has(nave.Streams)
		switch {
		case told && !f.told:
			return rest(ctx, rand.N(spread))
		case !told && time.Now().After(until):
			return nil
		case f.short, prompt > 1:
			err = rest(ctx, shortPoll*4/5+rand.N(shortPoll*2/5))
		}
		if err != nil {
			return err
		}
	}
}

// missed waits after a poll that failed. Those that are held back may be cut off by
// what stands in between: then it is asked for the answer at once.
func (f *follower) missed(ctx context.Context, err error, failures int) error {
	after, again := f.mayPass(err)
	if !again {
		return err
	}
	var away *UnreachableError
	f.short = f.short || failures > 1 && errors.As(err, &away)
	if !f.wait(ctx, err, after+backoff(failures-1, f.config.Retry, mostRetry)) {
		return errStopped
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	if !pause(ctx, d) {
		return errStopped
	}
	return nil
}

// page asks for one. The hub holds back the answer while there is nothing to say.
func (f *follower) page(ctx context.Context) (*page, error) {
	query := url.Values{}
	if !f.short {
		query.Set("wait", longPoll.String())
	}
	within, cancel := context.WithTimeoutCause(ctx, longPoll+f.config.Proof, errSilent)
	defer cancel()
	answer, err := f.ask(within, http.Header{"Accept": {jsonType}}, query)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, f.hub.unreachable(within, err)
	}
	p := new(page)
	if err := json.Unmarshal(text, p); err != nil || p.Cursor == "" {
		return nil, f.hub.strange("with what is no page of events")
	}
	return p, nil
}

// take hands over what a page has, batch by batch.
func (f *follower) take(p *page) error {
	for i := range p.Events {
		p.Events[i].JSON = withoutType(p.Events[i].JSON)
	}
	switch {
	case p.Sync.Snapshot != "":
		return f.handOver(Batch{Events: p.Events, Cursor: p.Cursor, Snapshot: true}, nil)
	case p.Sync.Status == "reset":
		err := f.handOver(Batch{}, &nave.ResetError{Reason: nave.ResetReason(p.Sync.Reason)})
		if err != nil {
			return err
		}
	}
	at, err := nave.ParseCursor(p.Cursor)
	if err != nil {
		return f.hub.strange("with the cursor %.40q", p.Cursor)
	}
	for events := p.Events; len(events) > 0; {
		n := 1
		for n < len(events) && first(events[n]) == first(events[0]) {
			n++
		}
		end := nave.Cursor{Epoch: at.Epoch, Offset: events[n-1].Offset}
		if err := f.handOver(Batch{Events: events[:n:n], Cursor: end.String()}, nil); err != nil {
			return err
		}
		events = events[n:]
	}
	f.cursor = p.Cursor
	return nil
}

// first is the offset that the event's batch begins at.
func first(e Event) uint64 { return e.Offset - uint64(e.Batch.I) }
