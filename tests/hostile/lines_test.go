package hostile

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/navehub/nave/tests/trial"
)

// tryLines sends streams of lines, of which every one has its answer.
func tryLines(t *testing.T, g *ground) {
	r := g.begin("lines")
	const large = 1 << 20
	padded := func(n int) string { return event + strings.Repeat(" ", n-len(event)-1) + "\n" }
	for name, s := range map[string]struct {
		line  string
		times int
		code  string
	}{
		"100,000 that are no event":   {"[]\n", 100_000, "invalid"},
		"events, and many":            {`{"topic":"memory/1","type":"t"}` + "\n", trial.Pick(10_000, 100_000), ""},
		"of 1 MiB":                    {padded(large), 3, ""},
		"a byte more":                 {padded(large + 1), 3, "too-large"},
		"of 10 MB":                    {strings.Repeat("x", 10<<20) + "\n", 1, "too-large"},
		"that are not UTF-8":          {"\xff\xfe\n", 10, "invalid"},
		"with a NUL":                  {event + "\x00\n", 10, "invalid"},
		"that end in CRLF":            {event + "\r\n", 10, ""},
		"batches of 1,001":            {"[" + strings.Repeat(event+",", 1000) + event + "]\n", 3, "too-many"},
		"of another line's rest":      {"{\"topic\":\"hostile/1\",\n", 10, "invalid"},
		"that are nearly nothing":     {"\x00\n", 10, "invalid"},
		"with an answer of their own": {`{"cursor":"a-1","events":[]}` + "\n", 10, "invalid"},
	} {
		wrong, err := sendLines(t, g.hub.URL("/v1/events"), s.line, s.times, s.code)
		r.attacks += s.times
		if r.wrong += wrong; s.code == "" {
			r.accepted += s.times - wrong
		} else {
			r.problems += s.times - wrong
		}
		if err != nil {
			t.Errorf("lines %s: %d answered wrongly: %v", name, wrong, err)
		}
		g.after(t, r, "lines "+name)
	}
	g.finish(t, r)
}

// sendLines sends a line so many times on one request, and counts answers that are
// not what they must be.
func sendLines(t *testing.T, url, line string, times int, code string) (wrong int, err error) {
	body, feed := io.Pipe()
	fed := make(chan struct{})
	go func() {
		defer close(fed)
		w := bufio.NewWriterSize(feed, 64<<10)
		for range times {
			_, _ = w.WriteString(line) // a pipe that is closed needs no more
		}
		_ = w.Flush()
		_ = feed.Close()
	}()
	defer func() { body.Close(); <-fed }()
	request, err := http.NewRequestWithContext(trial.Soon(t), http.MethodPost, url, body)
	if err != nil {
		return times, err
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return times, err
	}
	defer response.Body.Close()
	answers := json.NewDecoder(response.Body)
	for i := range times {
		var a struct {
			Code   string
			Events []struct{ Offset uint64 }
		}
		if err := answers.Decode(&a); err != nil {
			return wrong + times - i, fmt.Errorf("after %d answers: %w", i, err)
		}
		if a.Code != code || code == "" && (len(a.Events) != 1 || a.Events[0].Offset == 0) {
			wrong++
			err = fmt.Errorf("answer %d is %+v, want code %q", i, a, code)
		}
	}
	if answers.More() {
		return wrong + 1, fmt.Errorf("there are more answers than lines")
	}
	return wrong, err
}
