package frame_test

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/frame"
	"github.com/navehub/nave/telemetry"
)

const (
	epoch     = nave.Epoch("k3v9x1")
	sampled   = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	unsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 5e6, time.UTC)

// joined is what a client is sent: the pieces one after the other.
func joined(f *frame.Frame, format frame.Format, last bool) string {
	return string(bytes.Join(f.AppendPieces(nil, format, last), nil))
}

// TestFormats shows every kind of event in every format. What is here is on the
// wire and in other people's programs: a change is a change for them.
func TestFormats(t *testing.T) {
	tests := []struct {
		name  string
		event nave.Event
		// sse and line are of a batch's last frame, with the cursor; page is not.
		sse, line, page string
	}{
		{
			"the least there can be",
			nave.Event{Topic: "cards/board-1", Type: "card.moved", Offset: 42, Batch: nave.Position{N: 1}},
			"event: card.moved\n" +
				`data: {"topic":"cards/board-1","offset":42}` + "\n" +
				"id: k3v9x1-42\n\n",
			`{"type":"card.moved","cursor":"k3v9x1-42","topic":"cards/board-1","offset":42}` + "\n",
			`{"type":"card.moved","topic":"cards/board-1","offset":42}`,
		},
		{
			"all there can be",
			nave.Event{
				Topic: "cards/board-1", Type: "card.moved", Key: "card-42",
				ID: "7", Source: "board", Time: noon.In(time.FixedZone("", 3600)), TraceParent: sampled,
				Data: json.RawMessage(`{"column":"done"}`), Offset: 43, Batch: nave.Position{I: 1, N: 3},
			},
			"event: card.moved\n" +
				`data: {"topic":"cards/board-1","key":"card-42","version":43,"offset":43,"time":"2026-03-01T12:00:00.005Z",` +
				`"id":"7","source":"board","batch":{"i":1,"n":3},"traceparent":"` + sampled + `","data":{"column":"done"}}` + "\n" +
				"id: k3v9x1-43\n\n",
			`{"type":"card.moved","cursor":"k3v9x1-43","topic":"cards/board-1","key":"card-42","version":43,"offset":43,"time":"2026-03-01T12:00:00.005Z",` +
				`"id":"7","source":"board","batch":{"i":1,"n":3},"traceparent":"` + sampled + `","data":{"column":"done"}}` + "\n",
			`{"type":"card.moved","topic":"cards/board-1","key":"card-42","version":43,"offset":43,"time":"2026-03-01T12:00:00.005Z",` +
				`"id":"7","source":"board","batch":{"i":1,"n":3},"traceparent":"` + sampled + `","data":{"column":"done"}}`,
		},
		{
			"a tombstone has a version and no data",
			nave.Event{Topic: "cards/board-1", Type: "card.gone", Key: "card-42", Offset: 44, Batch: nave.Position{N: 1}},
			"event: card.gone\n" +
				`data: {"topic":"cards/board-1","key":"card-42","version":44,"offset":44}` + "\n" +
				"id: k3v9x1-44\n\n",
			`{"type":"card.gone","cursor":"k3v9x1-44","topic":"cards/board-1","key":"card-42","version":44,"offset":44}` + "\n",
			`{"type":"card.gone","topic":"cards/board-1","key":"card-42","version":44,"offset":44}`,
		},
		{
			"a transient event has no place in the order",
			nave.Event{Topic: "ui/clicks", Type: "click", Key: "save", Data: json.RawMessage(`[1,2]`), Batch: nave.Position{N: 1}},
			"event: click\n" +
				`data: {"topic":"ui/clicks","key":"save","data":[1,2]}` + "\n\n",
			`{"type":"click","topic":"ui/clicks","key":"save","data":[1,2]}` + "\n",
			`{"type":"click","topic":"ui/clicks","key":"save","data":[1,2]}`,
		},
		{
			"an unsampled trace stays here",
			nave.Event{Topic: "a", Type: "b", TraceParent: unsampled, Offset: 1, Batch: nave.Position{N: 1}},
			"event: b\n" +
				`data: {"topic":"a","offset":1}` + "\n" +
				"id: k3v9x1-1\n\n",
			`{"type":"b","cursor":"k3v9x1-1","topic":"a","offset":1}` + "\n",
			`{"type":"b","topic":"a","offset":1}`,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := frame.New(epoch, test.event, noon)
			if got := joined(f, frame.SSE, true); got != test.sse {
				t.Errorf("SSE:\n%s\nwant:\n%s", got, test.sse)
			}
			if got := joined(f, frame.NDJSON, true); got != test.line {
				t.Errorf("NDJSON:\n%s\nwant:\n%s", got, test.line)
			}
			if got := string(f.JSON()); got != test.page {
				t.Errorf("JSON:\n%s\nwant:\n%s", got, test.page)
			}
		})
	}
}

func TestOnlyTheLastOfABatchHasTheCursor(t *testing.T) {
	f := frame.New(epoch, nave.Event{Topic: "a", Type: "b", Offset: 7, Batch: nave.Position{I: 0, N: 2}}, noon)
	for _, test := range []struct {
		format frame.Format
		want   string
	}{
		{frame.SSE, "event: b\n" + `data: {"topic":"a","offset":7,"batch":{"i":0,"n":2}}` + "\n\n"},
		{frame.NDJSON, `{"type":"b","topic":"a","offset":7,"batch":{"i":0,"n":2}}` + "\n"},
	} {
		if got := joined(f, test.format, false); got != test.want {
			t.Errorf("%s, not the last:\n%s\nwant:\n%s", test.format, got, test.want)
		}
	}
}

func TestFrameKeepsTheEvent(t *testing.T) {
	data := []byte(`{"column":"done"}`)
	f := frame.New(epoch, nave.Event{Topic: "a", Type: "b", Data: data, Offset: 1}, noon)
	copy(data, `{"column":"lost"}`)
	if got := string(f.Event.Data); got != `{"column":"done"}` {
		t.Errorf("the frame's data changed with the caller's: %s", got)
	}
	if got := cap(f.Event.Data); got != len(f.Event.Data) {
		t.Error("appending to the frame's data would write into the frame")
	}
	if !f.Accepted.Equal(noon) {
		t.Errorf("Accepted = %v, want %v", f.Accepted, noon)
	}
}

func TestSameBatch(t *testing.T) {
	at := func(offset uint64, i, n int) *frame.Frame {
		return frame.New(epoch, nave.Event{Topic: "a", Type: "b", Offset: offset, Batch: nave.Position{I: i, N: n}}, noon)
	}
	tests := []struct {
		name string
		a, b *frame.Frame
		want bool
	}{
		{"neighbours in a batch", at(10, 0, 3), at(11, 1, 3), true},
		{"one between is not for this client", at(10, 0, 3), at(12, 2, 3), true},
		{"two batches, one after the other", at(11, 1, 2), at(12, 0, 2), false},
		{"two single events", at(10, 0, 1), at(11, 0, 1), false},
		{"two transient events, whatever their batch", at(0, 0, 2), at(0, 1, 2), false},
		{"two single transient events", at(0, 0, 1), at(0, 0, 1), false},
		{"a transient event before the log's first batch", at(0, 0, 1), at(1, 1, 2), false},
		{"a transient event before another", at(0, 0, 1), at(1, 0, 1), false},
		{"a transient event after another", at(1, 0, 1), at(0, 0, 1), false},
	}
	for _, test := range tests {
		if got := frame.SameBatch(test.a, test.b); got != test.want {
			t.Errorf("%s: SameBatch = %v, want %v", test.name, got, test.want)
		}
	}
}

func TestFanoutsAreOneABatch(t *testing.T) {
	one, two := new(telemetry.Fanout), new(telemetry.Fanout)
	var frames []*frame.Frame
	for _, fanout := range []*telemetry.Fanout{nil, one, one, nil, two, two, nil} {
		frames = append(frames, &frame.Frame{Fanout: fanout})
	}
	var got []*telemetry.Fanout
	for f := range frame.Fanouts(frames) {
		got = append(got, f)
	}
	if len(got) != 2 || got[0] != one || got[1] != two {
		t.Errorf("Fanouts yields %v, want each of the two once", got)
	}
	for range frame.Fanouts(frames) {
		break // and may be left early
	}
}

func TestSampled(t *testing.T) {
	const ids = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"
	for traceparent, want := range map[string]bool{
		ids + "01":      true,
		ids + "03":      true, // other flags are none of ours
		ids + "ff":      true,
		ids + "01-more": true, // of a later version
		ids + "00":      false,
		ids + "02":      false,
		ids + "0":       false,
		ids + "zz":      false,
		ids + "+1":      false,
		ids:             false,
		"":              false,
	} {
		if got := frame.Sampled(traceparent); got != want {
			t.Errorf("Sampled(%q) = %v, want %v", traceparent, got, want)
		}
	}
}

func TestFormatNames(t *testing.T) {
	if got := frame.SSE.String() + " " + frame.NDJSON.String(); got != "sse ndjson" {
		t.Errorf("names are %q; metrics and the registry know them as sse and ndjson", got)
	}
}

// A fan-out hands the same frame to thousands of clients, so what each of them
// costs must not be garbage.
func TestAppendPiecesAllocatesNothing(t *testing.T) {
	f := frame.New(epoch, nave.Event{Topic: "a", Type: "b", Data: json.RawMessage(`1`), Offset: 1}, noon)
	pieces := make([][]byte, 0, 8)
	for _, last := range []bool{true, false} {
		allocs := testing.AllocsPerRun(100, func() { pieces = f.AppendPieces(pieces[:0], frame.SSE, last) })
		if allocs != 0 {
			t.Errorf("AppendPieces, last %v: %v allocations, want 0", last, allocs)
		}
	}
}
