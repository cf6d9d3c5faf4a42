package frame_test

import (
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/sse"
)

// FuzzFrame: what a hub accepts becomes one event of a stream, with one name, one
// line of data and at most one id; an EventSource gets exactly what was published,
// and nothing of it is taken for a field, or for an event of the hub's own.
func FuzzFrame(f *testing.F) {
	evil := []string{
		"data: x", "\ndata: x\n\n", "\r\rdata: x", "\r\n\r\nevent: hub.sync\r\n\r\n", "\x00", "\x0b\x0c", "\x7f\x85", "\u0085", "\u2028", "\u2029", "\ufeff", " a ",
		":", ": comment", `"}`, `\`, `\u000a`, "\ud7ff", "\ue000", "\ufffe\uffff", "\xff", "\xc0\x8a", "\xed\xa0\x80", "\U0001f600", "\u202e", "e\u0301", "</script>", "&<>",
		strings.Repeat("\U0010ffff", 63), "hub.sync", "error", "open", "message", "$hub", "a/b", "*",
	}
	data := []string{
		`{"a":1}`, "{\r\n\t\"a\" : [ 1 ,\n2 ]\n}", `"\u2028\u2029\ud800\u0000\/"`, "\"\u2028\u2029\u0085\x7f\"", `null`, ` null `, `1e999`, `-0`, ``, `"`, `"\x"`,
		`{"a":1,"a":2}`, `"</script>&<>"`, strings.Repeat("[", 5000) + strings.Repeat("]", 5000), strings.Repeat("9", 400), "\"\ufeff\"", "\xef\xbb\xbf1",
	}
	for i, text := range evil {
		d := []byte(data[i%len(data)])
		f.Add(text, "t", "", "", "", "", d, uint64(0), uint16(0), uint16(0), int64(0))
		f.Add("a", text, text, text, text, text, d, uint64(1), uint16(0), uint16(1), int64(1))
		f.Add("a/b", "t", text, "", text, sampled, d, uint64(1<<63), uint16(2), uint16(3), int64(-62167219200))
	}
	f.Fuzz(func(t *testing.T, topic, typ, key, id, source, parent string, data []byte, offset uint64, i, n uint16, at int64) {
		e := nave.Event{
			Topic: nave.Topic(topic), Type: typ, Key: key, ID: id, Source: source, TraceParent: parent,
			Data: data, Time: time.Unix(at, at&1023), Offset: offset,
		}
		if n > 0 {
			e.Batch = nave.Position{I: int(i % n), N: int(n)}
		}
		if e.Validate() != nil || e.Offset <= uint64(e.Batch.I) && e.Offset > 0 {
			return
		}
		if e.Offset == 0 {
			e.Batch = nave.Position{}
		}
		for _, last := range []bool{true, false} {
			checkBlock(t, e, last)
		}
	})
}

func checkBlock(t *testing.T, e nave.Event, last bool) {
	t.Helper()
	block := joined(frame.New(epoch, e, noon), frame.SSE, last)
	want := []string{"event: ", "data: "}
	var cursor string
	if last && e.Offset > 0 {
		cursor = nave.Cursor{Epoch: epoch, Offset: e.Offset}.String()
		want = append(want, "id: ")
	}
	lines := strings.FieldsFunc(block, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(lines) != len(want) || !strings.HasSuffix(block, "\n\n") || strings.Count(block, "\n\n") != 1 {
		t.Fatalf("not one block of %d lines: %q", len(want), block)
	}
	for i, field := range want {
		if !strings.HasPrefix(lines[i], field) {
			t.Errorf("line %d is %q, want %q", i, lines[i], field)
		}
	}
	var heard []sse.Event
	for r := sse.NewReader(strings.NewReader(block + "data: after\n\n")); ; {
		got, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		heard = append(heard, got)
	}
	if len(heard) != 2 || heard[0].Name != e.Type || heard[0].ID != cursor || heard[0].Retry != 0 {
		t.Fatalf("%q is heard as %+v", block, heard)
	}
	var got received
	if err := json.Unmarshal(heard[0].Data, &got); err != nil {
		t.Fatalf("%v in %q", err, heard[0].Data)
	}
	if diff := cmp.Diff(readable(e), got); diff != "" {
		t.Errorf("%q says something else (-want +got):\n%s", heard[0].Data, diff)
	}
}
