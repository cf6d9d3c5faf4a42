package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
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
	Status int    `json:"-"`
	Cursor string `json:"cursor"`
	Events []struct {
		ID              string
		Offset, Version uint64
	} `json:"events"`

	// Of a problem document.
	Type      string `json:"type"`
	Code      string `json:"code"`
	Detail    string `json:"detail"`
	Conflicts []struct {
		Topic, Key         string
		IfVersion, Version uint64
		Event              json.RawMessage
	} `json:"conflicts"`
}

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
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Status: resp.StatusCode}
	if err := json.Unmarshal(text, &a); err != nil {
		return Answer{}, fmt.Errorf("answer %s %q: %w", resp.Status, text, err)
	}
	return a, nil
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
