package sse_test

import (
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave/sse"
)

// The standard's own examples, which the spoke's tests read as well: with every line
// end, with and without a byte order mark, cut into two reads at every byte.
func TestReaderExamples(t *testing.T) {
	text, err := os.ReadFile("testdata/whatwg.json")
	if err != nil {
		t.Fatal(err)
	}
	var standard struct {
		Source   string
		Examples []struct {
			Name, Stream, LastEventID string
			Events                    []struct {
				Event, Data string
				ID          *string
			}
		}
	}
	if err := json.Unmarshal(text, &standard); err != nil {
		t.Fatal(err)
	}
	if len(standard.Examples) == 0 {
		t.Fatal("there are no examples")
	}
	for _, example := range standard.Examples {
		var want []sse.Event
		for _, e := range example.Events {
			event := sse.Event{Name: e.Event, Data: []byte(e.Data)}
			if e.ID != nil {
				event.ID, event.ClearID = *e.ID, *e.ID == ""
			}
			want = append(want, event)
		}
		for _, end := range []string{"\n", "\r", "\r\n"} {
			for _, mark := range []string{"", "\uFEFF"} {
				stream := mark + strings.ReplaceAll(example.Stream, "\n", end)
				for at := range len(stream) + 1 {
					r := sse.NewReader(io.MultiReader(strings.NewReader(stream[:at]), strings.NewReader(stream[at:])))
					got, err := readAll(r)
					if diff := cmp.Diff(want, got); err != io.EOF || diff != "" || r.LastEventID() != example.LastEventID {
						t.Fatalf("%s: line ends %q, mark %q, cut at %d: ended with %v, last event ID %q (-want +got):\n%s",
							example.Name, end, mark, at, err, r.LastEventID(), diff)
					}
				}
			}
		}
	}
}
