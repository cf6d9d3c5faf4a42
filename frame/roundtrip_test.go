package frame_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
)

// received is an event as somebody on the other side reads it.
type received struct {
	Type        string          `json:"type"`
	Cursor      string          `json:"cursor"`
	Topic       nave.Topic      `json:"topic"`
	Key         string          `json:"key"`
	Version     uint64          `json:"version"`
	Offset      uint64          `json:"offset"`
	Time        time.Time       `json:"time"`
	ID          string          `json:"id"`
	Source      string          `json:"source"`
	Batch       *position       `json:"batch"`
	TraceParent string          `json:"traceparent"`
	Data        json.RawMessage `json:"data"`
}

type position struct{ I, N int }

// readable is what should be read of an event.
func readable(e nave.Event) received {
	r := received{
		Topic: e.Topic, Key: e.Key, Version: e.Version(), Offset: e.Offset,
		Time: e.Time.UTC(), ID: e.ID, Source: e.Source, Data: e.Data,
	}
	if e.Batch.N > 1 {
		r.Batch = &position{e.Batch.I, e.Batch.N}
	}
	if frame.Sampled(e.TraceParent) {
		r.TraceParent = e.TraceParent
	}
	return r
}

// hostile is text that formats have broken on, besides whatever rapid finds.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			`"`, `\`, `\"`, `\u0041`, `{"topic":"other"}`, "data: x", "id: k3v9x1-1", " leading", ": comment",
			"</script><script>alert(1)</script>", "<!--", "&amp;", "😀", "e\u0301", "\u00a0", "\ufeff", "\ufffd", "日本語",
			"a\nb", "a\rb", "a\x00b", "a\u2028b", "a\u2029b", "a\x7fb", "a\u0085b", "a\xffb",
		}),
	)
}

// accepted is the hostile text that an event's fields may hold all the same.
func accepted() *rapid.Generator[string] {
	return hostile().Filter(func(s string) bool {
		e := nave.Event{Topic: "a", Type: "b", Key: s}
		return e.Validate() == nil
	})
}

// committed draws an event as a log hands it out: valid, and with its place.
func committed(t *rapid.T) nave.Event {
	e := nave.Event{
		Topic:       nave.Topic(rapid.StringMatching(`[^/*$\pC]{1,8}(/[^/*\pC]{1,8}){0,3}`).Draw(t, "topic")),
		Type:        accepted().Draw(t, "type"),
		Key:         accepted().Draw(t, "key"),
		ID:          accepted().Draw(t, "id"),
		Source:      accepted().Draw(t, "source"),
		TraceParent: rapid.SampledFrom([]string{"", sampled, unsampled}).Draw(t, "traceparent"),
		Time:        time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "s"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")),
	}
	if rapid.Bool().Draw(t, "with data") {
		e.Data = data(t)
	}
	if err := e.Validate(); err != nil {
		t.Skip(err) // a type that is missing, or reserved
	}
	if rapid.Bool().Draw(t, "stored") {
		e.Batch.N = rapid.IntRange(1, 1000).Draw(t, "n")
		e.Batch.I = rapid.IntRange(0, e.Batch.N-1).Draw(t, "i")
		e.Offset = rapid.Uint64Min(uint64(e.Batch.I)+1).Draw(t, "offset")
	}
	return e
}

// data draws JSON, as publishers write it: escaped or not, over several lines.
func data(t *rapid.T) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(rapid.Bool().Draw(t, "escaped"))
	if rapid.Bool().Draw(t, "indented") {
		encoder.SetIndent("\r", "\t\n ")
	}
	value := map[string]any{
		hostile().Draw(t, "name"): []any{hostile().Draw(t, "text"), rapid.Float64Range(-1e300, 1e300).Draw(t, "number"), nil, true},
	}
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWhatIsSentIsWhatIsRead: whatever the event, a reader of the standard gets
// one event, with its name, its cursor if it is due, and JSON that says the same.
func TestWhatIsSentIsWhatIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := committed(t)
		f := frame.New(epoch, e, noon)
		last := rapid.Bool().Draw(t, "last")
		var cursor string
		if last && e.Offset > 0 {
			cursor = nave.Cursor{Epoch: epoch, Offset: e.Offset}.String()
		}
		checkSSE(t, f, e, last, cursor)
		checkLine(t, f, e, last, cursor)
		checkJSON(t, "page", f.JSON(), e, e.Type, "")
		if diff := cmp.Diff(e, f.Event); diff != "" {
			t.Errorf("the frame's event is another (-want +got):\n%s", diff)
		}
	})
}

func checkSSE(t *rapid.T, f *frame.Frame, e nave.Event, last bool, cursor string) {
	block := joined(f, frame.SSE, last)
	// Between two others, so that one that leaks would be seen.
	r := sse.NewReader(strings.NewReader("data: before\n\n" + block + "data: after\n\n"))
	var events []sse.Event
	for {
		got, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, got)
	}
	if len(events) != 3 || string(events[2].Data) != "after" {
		t.Fatalf("the block is read as %d events:\n%q", len(events)-2, block)
	}
	if got := events[1]; got.Name != e.Type || got.ID != cursor || got.Retry != 0 {
		t.Errorf("read as event %q with id %q, want %q with %q", got.Name, got.ID, e.Type, cursor)
	}
	checkJSON(t, "SSE data", events[1].Data, e, "", "")
	if last && f.Size() != len(block) {
		t.Errorf("Size = %d, but the block has %d bytes", f.Size(), len(block))
	}
}

func checkLine(t *rapid.T, f *frame.Frame, e nave.Event, last bool, cursor string) {
	line, rest, found := strings.Cut(joined(f, frame.NDJSON, last), "\n")
	if !found || rest != "" || strings.ContainsAny(line, "\r\n") {
		t.Fatalf("not one line: %q", joined(f, frame.NDJSON, last))
	}
	checkJSON(t, "NDJSON line", []byte(line), e, e.Type, cursor)
}

func checkJSON(t *rapid.T, what string, text []byte, e nave.Event, typ, cursor string) {
	want := readable(e)
	want.Type, want.Cursor = typ, cursor
	var got received
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatalf("%s is not JSON: %v\n%s", what, err, text)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s says something else (-want +got):\n%s\n%s", what, diff, text)
	}
}
