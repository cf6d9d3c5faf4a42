package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/navehub/nave/spoke"
)

// chunkLines is how many lines go out in one request: enough that the hub can
// commit them together, and few enough to be sent again.
const chunkLines = 256

// A line of the input is an event, or a batch.
type line struct {
	number int
	text   []byte
}

// lineReader cuts the input into chunks of lines, of what is there: it does not
// wait for a chunk to fill.
type lineReader struct {
	in     *bufio.Reader
	number int
}

// next reads at least one line, unless the input ends.
func (r *lineReader) next() ([]line, error) {
	var chunk []line
	for len(chunk) < chunkLines && (len(chunk) == 0 || r.hasLine()) {
		text, err := r.in.ReadBytes('\n')
		if len(text) > 0 {
			r.number++
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			chunk = append(chunk, line{r.number, text})
		}
		if err != nil {
			return chunk, err
		}
	}
	return chunk, nil
}

func (r *lineReader) hasLine() bool {
	ahead, _ := r.in.Peek(r.in.Buffered()) // what is buffered can be had
	return bytes.IndexByte(ahead, '\n') >= 0
}

// withIDs gives every event that has no id one, so that the line can be sent
// again. A line is an event, or an array of them, which is a batch.
func (l line) withIDs() ([]byte, error) {
	if !bytes.HasPrefix(l.text, []byte("[")) {
		return withID(l.text)
	}
	var batch []json.RawMessage
	err := json.Unmarshal(l.text, &batch)
	for i := range batch {
		if err == nil {
			batch[i], err = withID(batch[i])
		}
	}
	if err != nil {
		return nil, notEvent(l.text)
	}
	return json.Marshal(batch)
}

func withID(event []byte) ([]byte, error) {
	var e struct {
		ID string `json:"id"`
	}
	rest, isObject := bytes.CutPrefix(event, []byte("{"))
	if err := json.Unmarshal(event, &e); err != nil || !isObject {
		return nil, notEvent(event)
	}
	if e.ID != "" {
		return event, nil
	}
	withID := fmt.Appendf(nil, `{"id":%q`, rand.Text())
	if !bytes.HasPrefix(bytes.TrimSpace(rest), []byte("}")) {
		withID = append(withID, ',')
	}
	return append(withID, rest...), nil
}

func notEvent(text []byte) error {
	return fmt.Errorf("it is no event: %.60q", text)
}

// publishLines publishes every line of the input on its own. One that is refused
// does not keep back the others.
func (p *publisher) publishLines(ctx context.Context, in io.Reader) error {
	r := lineReader{in: bufio.NewReaderSize(in, 64<<10)}
	refused := 0
	for {
		chunk, readErr := r.next()
		n, err := p.publishChunk(ctx, chunk)
		refused += n
		switch {
		case err != nil:
			return err
		case readErr == io.EOF && refused > 0:
			return fmt.Errorf("%d of %d lines were not published", refused, r.number)
		case readErr == io.EOF:
			return nil
		case readErr != nil:
			return fmt.Errorf("read standard input: %w", readErr)
		}
	}
}

// publishChunk publishes the lines in one request, or in several if some have to
// be tried again, and answers how many were refused.
func (p *publisher) publishChunk(ctx context.Context, chunk []line) (refused int, err error) {
	var waiting []line
	for _, l := range chunk {
		text, err := l.withIDs()
		if err != nil {
			refused += p.refuse(l, err)
			continue
		}
		waiting = append(waiting, line{l.number, text})
	}
	if len(waiting) == 0 {
		return refused, nil
	}
	err = p.persist(ctx, func(ctx context.Context) error {
		answered, n, err := p.postLines(ctx, waiting)
		waiting = waiting[answered:]
		refused += n
		return err
	})
	if err != nil {
		err = fmt.Errorf("line %d: %w", waiting[0].number, err)
	}
	return refused, err
}

// postLines sends the lines and prints the answers up to the first that asks to
// try again.
func (p *publisher) postLines(ctx context.Context, lines []line) (answered, refused int, err error) {
	const kind = "application/x-ndjson"
	var body bytes.Buffer
	for _, l := range lines {
		body.Write(append(l.text, '\n'))
	}
	header := http.Header{"Content-Type": {kind}, "Accept": {kind}}
	answer, err := p.hub.Do(ctx, http.MethodPost, "v1/events", nil, header, body.Bytes())
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close()
	answers := json.NewDecoder(answer.Body)
	for answered < len(lines) {
		var text json.RawMessage
		if err := answers.Decode(&text); err != nil {
			return answered, refused, &spoke.UnreachableError{Address: p.hub.Address(), Err: cmp.Or(context.Cause(ctx), err)}
		}
		n, err := p.answer(lines[answered], text)
		if err != nil {
			return answered, refused, err
		}
		answered, refused = answered+1, refused+n
	}
	return answered, refused, nil
}

// answer prints the answer to a line, unless it asks to try again.
func (p *publisher) answer(l line, text []byte) (refused int, err error) {
	problem := spoke.ParseRefusal(text)
	switch {
	case problem == nil:
		o, err := p.hub.ParsePublished(text)
		if err != nil {
			return 0, err
		}
		return 0, p.print(o)
	case problem.Temporary():
		return 0, problem
	default:
		return p.refuse(l, p.refused(problem)), nil
	}
}

// refuse reports a line that is not published.
func (p *publisher) refuse(l line, err error) int {
	var exit *exitError
	if errors.As(err, &exit) {
		err = exit.err
	}
	fmt.Fprintf(p.notes, "hub: line %d: %v\n", l.number, err)
	return 1
}
