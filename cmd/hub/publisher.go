package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/spoke"
)

// A publisher publishes until it knows what came of it.
type publisher struct {
	hub        *spoke.Client
	timeout    time.Duration
	out, notes io.Writer
	json       bool
}

// publish publishes one event and prints what came of it.
func (p *publisher) publish(ctx context.Context, e nave.Event) error {
	var o spoke.Published
	err := p.persist(ctx, func(ctx context.Context) (err error) {
		o, err = p.hub.PublishOnce(ctx, e)
		return err
	})
	if err != nil {
		return p.refused(err)
	}
	return p.print(o)
}

// persist tries, and tries again while that may help, until the time is up, and says so
// once.
func (p *publisher) persist(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	said := false
	return spoke.Retry(ctx, try, func(err error, _ time.Duration) {
		if !said {
			said = true
			fmt.Fprintf(p.notes, "hub: trying again for %v: %v\n", p.timeout, shortly(err))
		}
	})
}

// shortly leaves out the address.
func shortly(err error) error {
	var away *spoke.UnreachableError
	if errors.As(err, &away) {
		return away.Err
	}
	return err
}

func (p *publisher) print(o spoke.Published) error {
	text := describePublished(o)
	if p.json {
		text = string(o.JSON)
	}
	_, err := fmt.Fprintln(p.out, text)
	return err
}

func describePublished(o spoke.Published) string {
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
	var refused *spoke.Refusal
	if !errors.As(err, &refused) {
		return err
	}
	if p.json {
		fmt.Fprintln(p.out, strings.TrimSpace(string(refused.Body)))
	}
	if len(refused.Conflicts) == 0 {
		return err
	}
	var lines []string
	for _, c := range refused.Conflicts {
		lines = append(lines, describeConflict(c))
	}
	return &exitError{exitFailure, errors.New(strings.Join(lines, "\n"))}
}

func describeConflict(c spoke.Conflict) string {
	if c.Version == 0 {
		return fmt.Sprintf("conflict: %s in %s does not exist, and so does not have version %d", c.Key, c.Topic, c.IfVersion)
	}
	line := fmt.Sprintf("conflict: %s in %s has version %d, not %d", c.Key, c.Topic, c.Version, c.IfVersion)
	if c.Event != nil {
		line += "\nIt is now: " + harmless(string(c.Event.JSON))
	}
	return line
}
