package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/spoke"
	"github.com/navehub/nave/sse"
)

// A printer shows a subscription to a person: events on out, and everything
// about the connection on notes.
type printer struct {
	out, notes               io.Writer
	outPalette, notesPalette palette
	zone                     *time.Location

	topic, kind, key column
}

func newPrinter(out, notes io.Writer, zone *time.Location) *printer {
	return &printer{
		out: out, notes: notes, zone: zone,
		outPalette: paletteFor(out), notesPalette: paletteFor(notes),
		topic: 16, kind: 14, key: 8,
	}
}

// A column grows with what it has held, within reason.
type column int

const widest = 32

func (c *column) pad(text string) string {
	n := utf8.RuneCountInString(text)
	*c = max(*c, column(min(n, widest)))
	return text + strings.Repeat(" ", max(0, int(*c)-n))
}

// events prints a line an event. A bracket holds together what was published
// together.
func (p *printer) events(events []spoke.Event, _ string) error {
	var lines bytes.Buffer
	for i, e := range events {
		lines.WriteString(p.line(e, bracket(i, events)))
	}
	return p.write(lines.Bytes())
}

// write fails if the text can go nowhere. A closed pipe ends the program by itself.
func (p *printer) write(text []byte) error {
	if _, err := p.out.Write(text); err != nil {
		return fmt.Errorf("the events cannot be written: %w", err)
	}
	return nil
}

func bracket(i int, events []spoke.Event) string {
	n := len(events)
	switch {
	case n == 1 || events[i].Batch.N < 2:
		return " "
	case i == 0:
		return "┌"
	case i == n-1:
		return "└"
	default:
		return "│"
	}
}

func (p *printer) line(e spoke.Event, bracket string) string {
	c := p.outPalette
	place, data := "-", harmless(string(e.Data))
	if e.Offset > 0 {
		place = "#" + strconv.FormatUint(e.Offset, 10)
	}
	if e.Key != "" && len(e.Data) == 0 {
		data = c.paint(dim, "(removed)")
	}
	clock := strings.Repeat(" ", len("15:04:05.000"))
	if !e.Time.IsZero() {
		clock = e.Time.In(p.zone).Format("15:04:05.000")
	}
	line := fmt.Sprintf("%s %s %s  %s  %s  %s  %s",
		c.paint(dim, clock), c.paint(dim, bracket),
		c.paint(cyan, p.topic.pad(harmless(string(e.Topic)))), c.paint(bold, p.kind.pad(harmless(e.Type))),
		c.paint(yellow, p.key.pad(cmp.Or(harmless(e.Key), "-"))),
		c.paint(dim, fmt.Sprintf("%4s", place)), data)
	return strings.TrimRight(line, " ") + "\n"
}

func (p *printer) notice(e sse.Event) {
	text, loud := describe(e)
	if text == "" {
		return
	}
	p.note(text, loud)
}

// status says what has become of the connection. That it is live the hub says itself.
func (p *printer) status(s spoke.Status) {
	switch s.State {
	case spoke.Live:
	case spoke.Polling:
		p.note(fmt.Sprintf("polling, since %v", shortly(s.Cause)), false)
	case spoke.Waiting:
		p.note(fmt.Sprintf("reconnecting in %v: %v", s.Wait.Round(100*time.Millisecond), shortly(s.Cause)), false)
	}
}

// note says something about the connection, loudly if events may be missing.
func (p *printer) note(text string, loud bool) {
	colour := dim
	if loud {
		colour = yellow
	}
	fmt.Fprintln(p.notes, p.notesPalette.paint(colour, "· "+harmless(text)))
}

var whatBecameOfTokens = map[frame.AuthStatus]string{
	frame.AuthRenewed: "has been renewed", frame.AuthExpired: "has expired", frame.AuthRevoked: "has been revoked",
}

func describeAuth(e sse.Event) (text string, loud bool) {
	var said frame.Auth
	_ = json.Unmarshal(e.Data, &said) // it is shown as it came then
	if said.Status == frame.AuthExpiring {
		return "the token expires at " + said.Expires.Local().Format(time.TimeOnly), true
	}
	if what, ok := whatBecameOfTokens[said.Status]; ok {
		return "the token " + what, said.Status != frame.AuthRenewed
	}
	return e.Name + " " + string(e.Data), false
}

func describeLevel(e sse.Event) (text string, loud bool) {
	var said frame.Level
	_ = json.Unmarshal(e.Data, &said) // it is shown as it came then
	if said.Level == "" {
		return e.Name + " " + string(e.Data), false
	}
	text = fmt.Sprintf("the hub's level is %s", said.Level)
	if said.Reason != "" {
		text += ": " + said.Reason
	}
	return text, said.Level != nave.LevelNormal
}

// describe says what one of the hub's own events means. Heartbeats mean nothing
// to a person.
func describe(e sse.Event) (text string, loud bool) {
	switch e.Name {
	case frame.HeartbeatName:
		return "", false
	case frame.SyncName:
		var verdict frame.Sync
		_ = json.Unmarshal(e.Data, &verdict) // it is shown as it came then
		return describeSync(verdict)
	case frame.AuthName:
		return describeAuth(e)
	case frame.LevelName:
		return describeLevel(e)
	case frame.ByeName:
		var bye frame.Bye
		_ = json.Unmarshal(e.Data, &bye) // then there is no reason to tell
		return fmt.Sprintf("the hub says goodbye (%s)", cmp.Or(bye.Reason, "no reason given")), false
	default:
		return e.Name + " " + string(e.Data), false
	}
}

func describeSync(s frame.Sync) (text string, loud bool) {
	switch {
	case s.Snapshot == "end":
		return "that was the snapshot; live from " + s.Cursor, false
	case s.Status == frame.Reset && s.Snapshot == "begin":
		return fmt.Sprintf("the cursor cannot be resumed from (%s): a new snapshot follows", s.Reason), true
	case s.Status == frame.Reset:
		return fmt.Sprintf("the cursor cannot be resumed from (%s): events are missing; live from %s", s.Reason, s.Cursor), true
	case s.Snapshot == "begin":
		return "a snapshot follows", false
	case s.Status == frame.Recovered:
		return "resumed: what was missed follows", false
	default:
		return "live from " + s.Cursor, false
	}
}

// A jsonPrinter prints events for programs, and the rest for people.
type jsonPrinter struct{ *printer }

// events prints one JSON object a line, with the type and the cursor in it, as
// the hub does when it is asked for application/x-ndjson.
func (p jsonPrinter) events(events []spoke.Event, cursor string) error {
	var lines bytes.Buffer
	for i, e := range events {
		at := ""
		if i == len(events)-1 {
			at = cursor
		}
		lines.WriteString(harmless(string(appendJSON(nil, e, at))) + "\n")
	}
	return p.write(lines.Bytes())
}

func appendJSON(b []byte, e spoke.Event, cursor string) []byte {
	b = append(b, `{"type":`...)
	b = append(b, quoted(e.Type)...)
	if cursor != "" {
		b = append(b, `,"cursor":`...)
		b = append(b, quoted(cursor)...)
	}
	members, ok := bytes.CutPrefix(e.JSON, []byte("{"))
	if !ok || !json.Valid(e.JSON) {
		b = append(b, `,"data":`...)
		return append(append(b, quoted(string(e.JSON))...), '}')
	}
	if len(bytes.TrimSpace(members)) > 1 {
		b = append(b, ',')
	}
	return append(b, members...)
}

func quoted(text string) []byte {
	b, _ := json.Marshal(text) // a string always marshals
	return b
}
