package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// A publication is an event as the hub takes it.
type publication struct {
	Topic     string          `json:"topic"`
	Type      string          `json:"type"`
	Key       string          `json:"key,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	ID        string          `json:"id"`
	Source    string          `json:"source,omitempty"`
	IfVersion *uint64         `json:"ifVersion,omitempty"`
}

// An outcome is what came of it.
type outcome struct {
	Cursor string `json:"cursor"`
	Repeat bool   `json:"repeat"`
	Events []struct {
		ID      string `json:"id"`
		Offset  uint64 `json:"offset"`
		Version uint64 `json:"version"`
	} `json:"events"`

	raw []byte
}

// A publisher publishes until it knows what came of it.
type publisher struct {
	hub        *api
	timeout    time.Duration
	out, notes io.Writer
	json       bool
}

// publish publishes one event and prints what came of it.
func (p *publisher) publish(ctx context.Context, e publication) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	var o outcome
	err = p.persist(ctx, func(ctx context.Context) (err error) {
		o, err = p.post(ctx, body)
		return err
	})
	if err != nil {
		return p.refused(err)
	}
	return p.print(o)
}

// post publishes once.
func (p *publisher) post(ctx context.Context, body []byte) (outcome, error) {
	const kind = "application/json"
	header := http.Header{"Content-Type": {kind}, "Accept": {kind}}
	answer, err := p.hub.request(ctx, http.MethodPost, "v1/events", nil, header, body)
	if err != nil {
		return outcome{}, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return outcome{}, p.hub.unreachable(ctx, err)
	}
	o, err := p.outcomeOf(text)
	o.Repeat = answer.Header.Get("Nave-Repeat") == "true"
	return o, err
}

// outcomeOf reads an answer.
func (p *publisher) outcomeOf(text []byte) (outcome, error) {
	text = bytes.TrimSpace(text)
	o := outcome{raw: text}
	if err := json.Unmarshal(text, &o); err != nil || len(o.Events) == 0 {
		return outcome{}, fmt.Errorf("%s is no hub: it answers %.80q", p.hub.base.Redacted(), text)
	}
	return o, nil
}

// persist tries, and tries again while that may help, until the time is up. What
// it tries must be harmless to do twice.
func (p *publisher) persist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	for attempt := 0; ; attempt++ {
		err := try(ctx)
		after, again := temporary(err)
		if err == nil || !again {
			return err
		}
		const first, most = 100 * time.Millisecond, 2 * time.Second
		wait := max(after, backoff(attempt, first, most))
		deadline, _ := ctx.Deadline()
		if time.Until(deadline) < wait {
			return err
		}
		if attempt == 0 {
			fmt.Fprintf(p.notes, "hub: trying again for %v: %v\n", p.timeout, shortly(err))
		}
		if !pause(ctx, wait) {
			return err
		}
	}
}

// shortly leaves out the advice.
func shortly(err error) error {
	var away *unreachableError
	if errors.As(err, &away) {
		return away.err
	}
	return err
}

func (p *publisher) print(o outcome) error {
	text := o.String()
	if p.json {
		text = string(o.raw)
	}
	_, err := fmt.Fprintln(p.out, text)
	return err
}

func (o outcome) String() string {
	first, n := o.Events[0], len(o.Events)
	if first.Offset == 0 {
		return "delivered to whoever is there: the topic is transient"
	}
	before := ""
	if o.Repeat {
		before = " before,"
	}
	if n > 1 {
		return fmt.Sprintf("published%s %d events at offsets %d to %d, cursor %s",
			before, n, first.Offset, o.Events[n-1].Offset, o.Cursor)
	}
	version := ""
	if first.Version > 0 {
		version = fmt.Sprintf(", version %d", first.Version)
	}
	return fmt.Sprintf("published%s at offset %d%s, cursor %s", before, first.Offset, version, o.Cursor)
}

// refused makes a sentence of a conflict; other errors are one already.
func (p *publisher) refused(err error) error {
	var refused *problem
	if !errors.As(err, &refused) {
		return err
	}
	if p.json {
		fmt.Fprintln(p.out, strings.TrimSpace(string(refused.raw)))
	}
	if len(refused.Conflicts) == 0 {
		return err
	}
	var lines []string
	for _, c := range refused.Conflicts {
		lines = append(lines, c.String())
	}
	return &exitError{exitFailure, errors.New(strings.Join(lines, "\n"))}
}

func (c conflict) String() string {
	if c.Version == 0 {
		return fmt.Sprintf("conflict: %s in %s does not exist, and so does not have version %d", c.Key, c.Topic, c.IfVersion)
	}
	line := fmt.Sprintf("conflict: %s in %s has version %d, not %d", c.Key, c.Topic, c.Version, c.IfVersion)
	if len(c.Event) > 0 {
		line += "\nIt is now: " + harmless(string(c.Event))
	}
	return line
}
