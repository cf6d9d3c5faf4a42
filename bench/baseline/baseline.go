// Package baseline has two servers to measure the hub against, with the paths and
// the answers of the hub as far as the load needs them.
//
// [Naive] is what people write by hand: net/http, and a goroutine and a channel
// for each subscriber. [Raw] is the least that a program in Go can do: one epoll
// loop that writes the same bytes to every socket. Neither promises anything.
package baseline

import (
	"encoding/json"
	"strconv"
	"strings"
)

const epoch = "e"

// appendBlock appends an event as a block of a stream.
func appendBlock(b []byte, kind, topic string, offset uint64, data []byte) []byte {
	b = append(b, "event: "...)
	b = append(b, kind...)
	b = append(b, "\ndata: {\"topic\":\""...)
	b = append(b, topic...)
	b = append(b, `","offset":`...)
	b = strconv.AppendUint(b, offset, 10)
	if len(data) > 0 {
		b = append(b, `,"data":`...)
		b = append(b, data...)
	}
	b = append(b, "}\nid: "...)
	b = appendCursor(b, offset)
	return append(b, "\n\n"...)
}

func appendCursor(b []byte, offset uint64) []byte {
	b = append(b, epoch+"-"...)
	return strconv.AppendUint(b, offset, 10)
}

// appendSync appends what a stream begins with.
func appendSync(b []byte, status string, offset uint64) []byte {
	b = append(b, "id: "...)
	b = appendCursor(b, offset)
	b = append(b, "\nevent: hub.sync\ndata: {\"status\":\""...)
	b = append(b, status...)
	return append(b, "\"}\n\n"...)
}

// parseCursor reads a cursor. ok is false if it is none of ours.
func parseCursor(text string) (offset uint64, ok bool) {
	digits, found := strings.CutPrefix(text, epoch+"-")
	offset, err := strconv.ParseUint(digits, 10, 64)
	return offset, found && err == nil
}

// appendAnswer appends the answer to a publish.
func appendAnswer(b []byte, offset uint64) []byte {
	b = append(b, `{"cursor":"`...)
	b = appendCursor(b, offset)
	b = append(b, `","events":[{"offset":`...)
	b = strconv.AppendUint(b, offset, 10)
	return append(b, "}]}\n"...)
}

// isPattern reports whether a filter may match several topics.
func isPattern(filter string) bool { return strings.HasSuffix(filter, "*") }

// matches knows topics, and patterns that end in * or **.
func matches(filter, topic string) bool {
	if prefix, ok := strings.CutSuffix(filter, "**"); ok {
		return strings.HasPrefix(topic, prefix) && len(topic) > len(prefix)
	}
	if prefix, ok := strings.CutSuffix(filter, "*"); ok {
		rest, ok := strings.CutPrefix(topic, prefix)
		return ok && rest != "" && !strings.Contains(rest, "/")
	}
	return filter == topic
}

// An event is what a publisher sends, as far as it is looked at here.
type event struct {
	Topic string          `json:"topic"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"`
}
