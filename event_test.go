package nave_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
)

func valid() nave.Event {
	return nave.Event{
		Topic: "cards/board-1", Type: "card.moved", Key: "card-42",
		Data: json.RawMessage(`{"x":1}`), ID: "7f3", Source: "board",
	}
}

func TestValidateRefuses(t *testing.T) {
	version := uint64(1)
	long := strings.Repeat("x", 256)
	for _, tt := range []struct {
		name, names string // names is what the error must say
		change      func(*nave.Event)
	}{
		{"no topic", "topic", func(e *nave.Event) { e.Topic = "" }},
		{"a pattern as topic", "topic", func(e *nave.Event) { e.Topic = "cards/*" }},
		{"the hub's topic", "topic", func(e *nave.Event) { e.Topic = "$hub/presence" }},
		{"no type", "type", func(e *nave.Event) { e.Type = "" }},
		{"the hub's type", "type", func(e *nave.Event) { e.Type = "hub.sync" }},
		{"long type", "type", func(e *nave.Event) { e.Type = long }},
		{"long key", "key", func(e *nave.Event) { e.Key = long }},
		{"long id", "id", func(e *nave.Event) { e.ID = long }},
		{"long source", "source", func(e *nave.Event) { e.Source = long }},
		{"LF in type", "type", func(e *nave.Event) { e.Type = "a\ndata: {}" }},
		{"CR in type", "type", func(e *nave.Event) { e.Type = "a\rid: 1" }},
		{"NUL in key", "key", func(e *nave.Event) { e.Key = "a\x00" }},
		{"LF in id", "id", func(e *nave.Event) { e.ID = "a\n" }},
		{"line separator in source", "source", func(e *nave.Event) { e.Source = "a\u2028" }},
		{"key is not UTF-8", "key", func(e *nave.Event) { e.Key = "\xff" }},
		{"condition without key", "ifVersion", func(e *nave.Event) { e.Key, e.IfVersion = "", &version }},
		{"data is no JSON", "data", func(e *nave.Event) { e.Data = json.RawMessage(`{x}`) }},
		{"data is two values", "data", func(e *nave.Event) { e.Data = json.RawMessage(`1 2`) }},
		{"data is blank", "data", func(e *nave.Event) { e.Data = json.RawMessage(" \n") }},
		{"data is not UTF-8", "data", func(e *nave.Event) { e.Data = json.RawMessage("\"\xff\"") }},
		{"data starts with a BOM", "data", func(e *nave.Event) { e.Data = json.RawMessage("\uFEFF{}") }},
		{"raw LF in a string", "data", func(e *nave.Event) { e.Data = json.RawMessage("\"a\nb\"") }},
		{"data nested without end", "data", func(e *nave.Event) { e.Data = bytes.Repeat([]byte{'['}, 100_000) }},
		{"year after 9999", "time", func(e *nave.Event) { e.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }},
		{"year before 0", "time", func(e *nave.Event) { e.Time = time.Date(-1, 1, 1, 0, 0, 0, 0, time.UTC) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := valid()
			tt.change(&e)
			err := e.Validate()
			if nave.CodeOf(err) != nave.CodeInvalid {
				t.Fatalf("Validate = %v, want invalid", err)
			}
			if !strings.HasPrefix(err.Error(), tt.names) {
				t.Errorf("%q does not start with the field %q", err, tt.names)
			}
		})
	}
}

func TestValidateData(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"none", "", ""},
		{"null", " null\n", ""},
		{"compact", `{"a":[1,2]}`, `{"a":[1,2]}`},
		{"over several lines", "{\r\n\t\"a\": [1,\n2]\n}\n", `{"a":[1,2]}`},
		{"space in strings stays", `"a  b"`, `"a  b"`},
		{"escapes stay", `"\u0000\n\u2028\ud800"`, `"\u0000\n\u2028\ud800"`},
		{"markup stays", `"<script>&"`, `"<script>&"`},
		{"line separators stay, SSE has no word for them", "\"\u2028\u2029\"", "\"\u2028\u2029\""},
		{"numbers stay, however large", `1e999`, `1e999`},
		{"scalars", `false`, `false`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := valid()
			e.Data = json.RawMessage(tt.in)
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			if string(e.Data) != tt.want || (e.Data == nil) != (tt.want == "") {
				t.Errorf("data = %q, want %q", e.Data, tt.want)
			}
		})
	}
}

func TestValidateOwnsData(t *testing.T) {
	body := []byte(`{"x":1}`)
	e := valid()
	e.Data = body
	if err := e.Validate(); err != nil {
		t.Fatal(err)
	}
	body[2] = 'y'
	if string(e.Data) != `{"x":1}` {
		t.Errorf("data changed with the request's buffer: %s", e.Data)
	}
}

func TestValidateDropsBrokenTrace(t *testing.T) {
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, tt := range []struct{ name, parent, state, wantParent, wantState string }{
		{"whole", parent, "a=1", parent, "a=1"},
		{"parent alone", parent, "", parent, ""},
		{"state alone", "", "a=1", "", ""},
		{"control character in parent", parent + "\n", "a=1", "", ""},
		{"endless parent", strings.Repeat("0", 1<<20), "a=1", "", ""},
		{"control character in state", parent, "a=1\r", parent, ""},
		{"endless state", parent, strings.Repeat("a", 513), parent, ""},
		{"state is not UTF-8", parent, "\xff", parent, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := valid()
			e.TraceParent, e.TraceState = tt.parent, tt.state
			if err := e.Validate(); err != nil {
				t.Fatal(err)
			}
			if e.TraceParent != tt.wantParent || e.TraceState != tt.wantState {
				t.Errorf("trace context = %q, %q", e.TraceParent, e.TraceState)
			}
		})
	}
}

func TestVersionAndTombstone(t *testing.T) {
	for _, tt := range []struct {
		name      string
		event     nave.Event
		version   uint64
		tombstone bool
	}{
		{"keyed", nave.Event{Key: "k", Offset: 7, Data: json.RawMessage(`1`)}, 7, false},
		{"keyed without data", nave.Event{Key: "k", Offset: 7}, 7, true},
		{"keyed with null", nave.Event{Key: "k", Offset: 7, Data: json.RawMessage(`null`)}, 7, true},
		{"keyed, not committed", nave.Event{Key: "k", Data: json.RawMessage(`1`)}, 0, false},
		{"without key", nave.Event{Offset: 7}, 0, false},
	} {
		if got := tt.event.Version(); got != tt.version {
			t.Errorf("%s: version %d, want %d", tt.name, got, tt.version)
		}
		if got := tt.event.Tombstone(); got != tt.tombstone {
			t.Errorf("%s: tombstone %v, want %v", tt.name, got, tt.tombstone)
		}
	}
}

func TestSizeCountsWhatVaries(t *testing.T) {
	full := nave.Event{
		Topic: "t", Type: "ty", Key: "key", Data: json.RawMessage(`1234`), ID: "ident",
		Source: "source", TraceParent: "1234567", TraceState: "12345678",
	}
	var empty nave.Event
	if got := full.Size() - empty.Size(); got != 36 {
		t.Errorf("fields of 36 bytes count as %d", got)
	}
}

func TestValidateAllocatesOnlyData(t *testing.T) {
	e, data := valid(), valid().Data
	got := testing.AllocsPerRun(100, func() {
		e.Data = data
		if err := e.Validate(); err != nil {
			t.Fatal(err)
		}
	})
	if got > 1 {
		t.Errorf("Validate allocates %v times, want once", got)
	}
}

func FuzzEventValidate(f *testing.F) {
	f.Add("cards/1", "card.moved", "card-42", "1", "board", "00-ab", "a=1", []byte(`{"a": [1, "\n"]}`))
	f.Add("$hub", "hub.sync", "", "", "", "", "", []byte(`null`))
	f.Add("a\r\n", "b\nid: 1", "\x00", "\u2028", "\xff", "\n", "\r", []byte("\"\r\n\""))
	f.Fuzz(func(t *testing.T, topic, typ, key, id, source, parent, state string, data []byte) {
		e := nave.Event{
			Topic: nave.Topic(topic), Type: typ, Key: key, ID: id, Source: source,
			TraceParent: parent, TraceState: state, Data: data,
		}
		if err := e.Validate(); err != nil {
			if nave.CodeOf(err) != nave.CodeInvalid {
				t.Errorf("code %q", nave.CodeOf(err))
			}
			checkClean(t, err.Error())
			return
		}
		for _, s := range []string{string(e.Topic), e.Type, e.Key, e.ID, e.Source, e.TraceParent, e.TraceState} {
			checkClean(t, s)
		}
		if len(e.Data) > 0 && !json.Valid(e.Data) || bytes.ContainsAny(e.Data, "\r\n\x00") || !utf8.Valid(e.Data) {
			t.Errorf("data %q was accepted", e.Data)
		}
		again := e
		if err := again.Validate(); err != nil {
			t.Errorf("valid once, but then %v", err)
		}
		if diff := cmp.Diff(e, again); diff != "" {
			t.Errorf("Validate changed what it had accepted:\n%s", diff)
		}
	})
}

// checkClean fails if s could not be shown on one line.
func checkClean(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) || strings.ContainsAny(s, "\u2028\u2029") {
		t.Errorf("%q has a control character or is not UTF-8", s)
	}
}

// What is nested deeper could not be read by many, alone or in a page.
func TestDataDepth(t *testing.T) {
	nested := func(n int) []byte { return []byte(strings.Repeat(`{"a":[`, n/2) + strings.Repeat("]}", n/2)) }
	for name, tt := range map[string]struct {
		data []byte
		ok   bool
	}{
		"as deep as may be":  {nested(nave.MaxDataDepth), true},
		"deeper":             {nested(nave.MaxDataDepth + 2), false},
		"much deeper":        {nested(9000), false},
		"wide":               {[]byte("[" + strings.Repeat("[],", 1000) + "[]]"), true},
		"brackets in a text": {[]byte(`["` + strings.Repeat(`[\\`, 1000) + `\"` + strings.Repeat("{", 1000) + `"]`), true},
		"deep behind a text": {[]byte(`["\\",` + string(nested(nave.MaxDataDepth)) + "]"), false},
	} {
		e := nave.Event{Topic: "a", Type: "b", Data: tt.data}
		if err := e.Validate(); (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "data is nested more than 500 levels deep") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
