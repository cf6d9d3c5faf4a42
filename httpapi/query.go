package httpapi

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/navehub/nave"
)

// The parameters that there are.
var (
	eventParameters = []string{"topic", "cursor", "snapshot", "wait", presenceParameter, ticketParameter}
	stateParameters = []string{"topic", ticketParameter}
)

// A query is what a subscriber asks for, the same in all formats.
type query struct {
	filters  nave.Filters
	presence []nave.Topic
	cursor   string
	snapshot bool
	wait     time.Duration
}

// parseQuery reads what is asked for, and refuses what the caller may not read.
func (x *exchange) parseQuery(known []string) (query, error) {
	values, err := x.parseValues(known)
	if err != nil {
		return query{}, err
	}
	filters, err := nave.ParseFilters(values["topic"])
	if err != nil {
		return query{}, err
	}
	if err := x.who.CheckSubscribe(filters); err != nil {
		return query{}, err
	}
	q := query{filters: filters, cursor: cursorOf(x.r, values)}
	if q.snapshot, err = parseFlag("snapshot", values.Get("snapshot")); err != nil {
		return query{}, err
	}
	if q.wait, err = parseWait(values.Get("wait")); err != nil {
		return query{}, err
	}
	q.wait = min(q.wait, x.MaxWait)
	if q.presence, err = parseTopics(presenceParameter, values[presenceParameter]); err != nil {
		return query{}, err
	}
	return q, x.who.CheckPresence(q.presence)
}

// values is what the URL says, read once, and must not be changed.
func (x *exchange) values() (url.Values, error) {
	if x.asked == nil {
		x.asked, x.misread = url.ParseQuery(x.r.URL.RawQuery)
	}
	return x.asked, x.misread
}

// parseValues refuses what is not known: a mistyped parameter would be ignored
// otherwise, and ask for something else.
func (x *exchange) parseValues(known []string) (url.Values, error) {
	values, err := x.values()
	if err != nil {
		return nil, nave.Errorf(nave.CodeInvalid, "the query cannot be read: %.200s", err.Error())
	}
	for name, all := range values {
		switch {
		case !slices.Contains(known, name):
			return nil, nave.Errorf(nave.CodeInvalid, "unknown parameter %.40q: %s", name, meant(name, "there is", known))
		case len(all) > 1 && name != "topic" && name != presenceParameter:
			return nil, nave.Errorf(nave.CodeInvalid, "parameter %s is given %d times", name, len(all))
		}
	}
	return values, nil
}

// cursorOf is the cursor that the request came with. The header is the newer
// word: an EventSource that reconnects sends it along with the URL it began with.
func cursorOf(r *http.Request, values url.Values) string {
	cursor := r.Header.Get("Last-Event-ID")
	if cursor == "" {
		cursor = values.Get("cursor")
	}
	const long = 64 // longer than any cursor, and just as malformed when cut
	return strings.Clone(cursor[:min(len(cursor), long)])
}

func parseFlag(name, text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, nave.Errorf(nave.CodeInvalid, "%s is %.40q: it can be true or false", name, text)
}

func parseWait(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	wait, err := time.ParseDuration(text)
	if err != nil || wait < 0 {
		return 0, nave.Errorf(nave.CodeInvalid, "wait is %.40q: it is a time such as 25s", text)
	}
	return wait, nil
}
