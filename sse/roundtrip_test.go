package sse

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A result is all that a Reader has to say about a stream.
type result struct {
	Events      []Event
	LastEventID string
	Retry       time.Duration
	HasRetry    bool
	Err         error
}

func read(src io.Reader, limit int) result {
	r := NewReader(src)
	r.MaxEventBytes = limit
	var got result
	for got.Err == nil {
		var e Event
		if e, got.Err = r.Next(); got.Err == nil {
			got.Events = append(got.Events, e)
		}
	}
	got.LastEventID = r.LastEventID()
	got.Retry, got.HasRetry = r.Retry()
	return got
}

// chunks cuts a stream into reads of random lengths, of many bytes or few.
type chunks struct {
	src io.Reader
	rnd *rand.Rand
}

func (c chunks) Read(b []byte) (int, error) {
	most := 1 << c.rnd.IntN(8)
	return c.src.Read(b[:min(len(b), 1+c.rnd.IntN(most))])
}

var sameResult = cmp.Comparer(func(a, b error) bool { return a == b })

// asRead is what a reader must get for what was written.
func asRead(e Event) Event {
	e.Data = []byte(lineEnds.Replace(string(e.Data)))
	e.ClearID = e.ClearID && e.ID == ""
	return e
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// Text full of what means something to a parser.
var (
	pieces = rapid.SampledFrom([]string{
		"\n", "\r", "\r\n", ":", " ", "data", "id", "event", "retry", "data: ", "\uFEFF", "\u2028", "\x00", "é", "x", "",
	})
	texts = rapid.Custom(func(t *rapid.T) string {
		piece := rapid.OneOf(pieces, rapid.String())
		return strings.Join(rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces"), "")
	})
	events = rapid.Custom(func(t *rapid.T) Event {
		without := func(set, label string) string {
			return strings.Map(func(r rune) rune {
				if strings.ContainsRune(set, r) {
					return -1
				}
				return r
			}, texts.Draw(t, label))
		}
		return Event{
			ID:      without("\r\n\x00", "id"),
			ClearID: rapid.Bool().Draw(t, "clear"),
			Name:    without("\r\n", "name"),
			Data:    []byte(texts.Draw(t, "data")),
			Retry:   time.Duration(rapid.Int64Range(0, 1<<40).Draw(t, "retry")) * time.Millisecond,
		}
	})
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		var want []Event
		for _, e := range rapid.SliceOfN(events, 1, 5).Draw(t, "events") {
			stream = AppendComment(stream, texts.Draw(t, "comment"))
			var err error
			if stream, err = e.Append(stream); err != nil {
				t.Fatal(err)
			}
			want = append(want, asRead(e))
		}
		seed := rapid.Uint64().Draw(t, "seed")
		got := read(chunks{bytes.NewReader(stream), rand.New(rand.NewPCG(seed, 0))}, 0)
		if diff := cmp.Diff(want, got.Events); diff != "" || got.Err != io.EOF {
			t.Errorf("%q ended with %v (-want +got):\n%s", stream, got.Err, diff)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("k3v9x1-42", "card.moved", []byte("{}"), int64(1500), "ping")
	f.Add(" 1", " a:b", []byte(" a\r\n\r b\n"), int64(0), "")
	f.Add("1\ndata: x", "a\n\ndata: x", []byte("\xff"), int64(-1), "\n\ndata: x\n\n")
	f.Add("\x00", "\xff", []byte("\uFEFF"), int64(1), "\r")
	f.Fuzz(func(t *testing.T, id, name string, data []byte, retry int64, comment string) {
		e := Event{ID: id, Name: name, Data: data, Retry: time.Duration(max(0, retry)>>20) * time.Millisecond}
		bad := strings.ContainsAny(id, "\r\n\x00") || strings.ContainsAny(name, "\r\n") ||
			!utf8.ValidString(id) || !utf8.ValidString(name) || !utf8.Valid(data)
		stream, err := e.Append(AppendComment(nil, comment))
		if errors.Is(err, ErrUnwritable) != bad {
			t.Fatalf("Append(%+v): %v", e, err)
		}
		want := []Event{asRead(e), {Data: []byte("next")}}
		if bad {
			want = want[1:] // what was refused has left no trace
		}
		stream, _ = Event{Data: []byte("next")}.Append(stream)
		if diff := cmp.Diff(want, read(bytes.NewReader(stream), 0).Events); diff != "" {
			t.Errorf("%q (-want +got):\n%s", stream, diff)
		}
	})
}

// model reads a whole stream in the plainest way that the standard allows.
func model(stream []byte) result {
	text := string(bytes.TrimPrefix(stream, []byte("\uFEFF")))
	lines := strings.Split(lineEnds.Replace(text), "\n")
	got := result{Err: io.EOF}
	var e Event
	var data, id string
	for _, line := range lines[:len(lines)-1] {
		name, value, _ := strings.Cut(string(decode([]byte(line))), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "":
			if data != "" {
				e.Data = []byte(strings.TrimSuffix(data, "\n"))
				got.Events = append(got.Events, e)
			}
			got.LastEventID, data, e = id, "", Event{}
		case name == "data":
			data += value + "\n"
		case name == "event":
			e.Name = value
		case name == "id" && !strings.Contains(value, "\x00"):
			id, e.ID, e.ClearID = value, value, value == ""
		case name == "retry" && value != "" && strings.Trim(value, "0123456789") == "":
			e.Retry, _ = parseRetry([]byte(value))
			got.Retry, got.HasRetry = e.Retry, true
		}
	}
	return got
}

func FuzzReader(f *testing.F) {
	for _, s := range []string{
		": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
		"data\r\rdata\r\ndata\r\n\r\ndata:",
		"\uFEFFretry: 10\nevent: a\ndata: b\n\n\uFEFFdata\n\n",
		"id: \x00\nid: \xff\ndata: \xe2\x82\n\n",
		"retry: 99999999999999999999\n\n",
	} {
		f.Add([]byte(s), uint64(1), byte(0))
		f.Add([]byte(s), uint64(2), byte(10))
	}
	f.Fuzz(func(t *testing.T, stream []byte, seed uint64, limit byte) {
		want := model(stream)
		if limit > 0 {
			want = read(bytes.NewReader(stream), int(limit))
		}
		for how, src := range map[string]io.Reader{
			"whole":        bytes.NewReader(stream),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(stream)),
			"in chunks":    chunks{bytes.NewReader(stream), rand.New(rand.NewPCG(seed, 0))},
		} {
			if diff := cmp.Diff(want, read(src, int(limit)), sameResult); diff != "" {
				t.Errorf("%q, %s (-want +got):\n%s", stream, how, diff)
			}
		}
	})
}

// What a hostile publisher may try in any place that takes text.
func TestInjection(t *testing.T) {
	attacks := []string{
		"\n\ndata: smuggled\n\n", "\r\rdata: smuggled\r\r", "\r\n\r\ndata: smuggled\r\n\r\n",
		"x\nid: smuggled", "x\revent: smuggled", "x\r", "x\n", "x\r\n", "\n", "\r", "x\nretry: 1\n",
		"\x00", "\uFEFF\n\ndata: smuggled\n\n", "\u2028\u2028data: smuggled", "\u0085\u0085data: smuggled",
		"\xff\n\n", "\xc0\x8a\xc0\x8adata: smuggled", // an overlong LF
	}
	for _, attack := range attacks {
		for _, e := range []Event{
			{ID: attack}, {Name: attack}, {Data: []byte(attack)},
			{ID: attack, Name: attack, Data: []byte(attack)},
		} {
			stream, err := e.Append(AppendComment(nil, attack))
			if err == nil && !utf8.Valid(stream[len(AppendComment(nil, attack)):]) {
				t.Errorf("%q was written although it is not UTF-8", attack)
			}
			got := read(bytes.NewReader(stream), 0)
			smuggled := func(e Event) bool {
				return e.ID != "" && e.ID != attack || e.Name != "" && e.Name != attack || e.Retry != 0
			}
			if len(got.Events) > 1 || err != nil && len(got.Events) > 0 || slices.ContainsFunc(got.Events, smuggled) || got.HasRetry {
				t.Errorf("%+v came through as %+v", e, got)
			}
		}
	}
}
