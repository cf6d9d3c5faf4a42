package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/tests/history"
)

// Event is what a publisher sends.
type Event struct {
	Topic     string  `json:"topic"`
	Type      string  `json:"type"`
	Key       string  `json:"key,omitempty"`
	ID        string  `json:"id,omitempty"`
	Source    string  `json:"source,omitempty"`
	Data      any     `json:"data,omitempty"`
	IfVersion *uint64 `json:"ifVersion,omitempty"`
}

// Answer is what a publisher is told.
type Answer struct {
	Status int  `json:"-"`
	Repeat bool `json:"-"` // it is the answer of an earlier time

	Cursor string `json:"cursor"`
	Events []struct {
		ID              string
		Offset, Version uint64
	} `json:"events"`

	// Of a problem document.
	Type   string `json:"type"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// RetryAfter is the header's text.
	RetryAfter string `json:"-"`
	Conflicts  []struct {
		Topic, Key         string
		IfVersion, Version uint64
		Event              json.RawMessage
	} `json:"conflicts"`
}

// Offsets are where the events went.
func (a Answer) Offsets() []uint64 {
	offsets := make([]uint64, len(a.Events))
	for i, e := range a.Events {
		offsets[i] = e.Offset
	}
	return offsets
}

// publishers keep as many connections as there are publishers.
var publishers = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, IdleConnTimeout: 10 * time.Second}}

// Publish sends one event, or several as a batch, once. An error means that the
// outcome is unknown.
func Publish(ctx context.Context, url string, events ...Event) (Answer, error) {
	var body any = events
	if len(events) == 1 {
		body = events[0]
	}
	b, err := json.Marshal(body)
	if err != nil {
		return Answer{}, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(b))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := publishers.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{
		Status: resp.StatusCode, Repeat: resp.Header.Get("Nave-Repeat") == "true", RetryAfter: resp.Header.Get("Retry-After"),
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("answer %s %q: %w", resp.Status, text, err)
	}
	return a, nil
}

// Get asks for a text.
func Get(ctx context.Context, url string) (status int, text string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// PublishSurely sends the events, under the ids that they have, until the hub
// says yes or refuses for good. It reports how often it tried.
func PublishSurely(ctx context.Context, url string, events ...Event) (Answer, int, error) {
	for tries := 1; ; tries++ {
		a, err := Publish(ctx, url, events...)
		if err == nil && a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests {
			return a, tries, nil
		}
		select {
		case <-ctx.Done():
			return a, tries, ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// PublishNoted sends a batch surely and writes down what it is told.
func PublishNoted(ctx context.Context, url string, record *history.Record, events ...Event) (Answer, int, error) {
	p := record.Begin(Sent(events...)...)
	a, tries, err := PublishSurely(ctx, url, events...)
	if err == nil {
		a.Note(p)
	}
	return a, tries, err
}

// Sent is what is written down of the events before they are sent.
func Sent(events ...Event) []history.Event {
	all := make([]history.Event, len(events))
	for i, e := range events {
		all[i] = history.Event{Topic: nave.Topic(e.Topic), Key: e.Key, ID: e.ID, IfVersion: e.IfVersion}
	}
	return all
}

// Note writes the answer down. An answer that the hub is overloaded or broken says
// nothing of what became of the batch when it was tried before.
func (a Answer) Note(p *history.Publish) {
	switch {
	case a.Status == http.StatusOK:
		p.Acked(a.Offsets())
	case a.Status == http.StatusConflict && len(a.Conflicts) == 1:
		p.Conflicted(a.Conflicts[0].Version)
	case a.Status >= http.StatusBadRequest && a.Status < http.StatusInternalServerError && a.Status != http.StatusTooManyRequests:
		p.Refused()
	}
}
