package hostile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/sse"
)

const twice = "is given twice"

// A text is what stands between quotes in JSON, byte for byte.
type text struct {
	name, json string
	// body says why no body may have it anywhere, names why none of the short
	// fields may.
	body, names string
}

var texts = []text{
	{name: "a line end", json: `a\nevent: hub.sync\ndata: {}\n\nb`, names: "control character (U+000A) at byte 1"},
	{name: "CR", json: `a\rid: k3v9x1-9\r\rb`, names: "control character (U+000D) at byte 1"},
	{name: "CRLF and a frame", json: `a\r\n\r\ndata: smuggled\r\n\r\n`, names: "control character (U+000D) at byte 1"},
	{name: "CRLF and a header", json: `a\r\nSet-Cookie: x=y`, names: "control character (U+000D) at byte 1"},
	{name: "NUL", json: `a\u0000b`, names: "control character (U+0000) at byte 1"},
	{name: "escape", json: `\u001b[2J`, names: "control character (U+001B) at byte 0"},
	{name: "delete", json: `a\u007f`, names: "control character (U+007F) at byte 1"},
	{name: "delete, raw", json: "a\x7f", names: "control character (U+007F) at byte 1"},
	{name: "NEL", json: `a\u0085b`, names: "control character (U+0085) at byte 1"},
	{name: "NEL, raw", json: "a\u0085b", names: "control character (U+0085) at byte 1"},
	{name: "line separator", json: `a\u2028data: x`, names: "control character (U+2028) at byte 1"},
	{name: "line separator, raw", json: "a\u2028data: x", names: "control character (U+2028) at byte 1"},
	{name: "paragraph separator", json: `a\u2029b`, names: "control character (U+2029) at byte 1"},
	{name: "half a character", json: `a\ud800b`, names: `has half a character: \ud800 to \udfff come in pairs`},
	{name: "the other half", json: `\udc00`, names: "has half a character"},
	{name: "halves the wrong way round", json: `\ude00\ud83d`, names: "has half a character"},
	{name: "a half before a character", json: `\ud83d\ud83d\ude00`, names: "has half a character"},
	{name: "a raw line end", json: "a\nb", body: `invalid character '\n' in string literal`},
	{name: "a raw CR", json: "a\rb", body: `invalid character '\r' in string literal`},
	{name: "a raw NUL", json: "a\x00b", body: `invalid character '\x00' in string literal`},
	{name: "a raw tab", json: "a\tb", body: `invalid character '\t' in string literal`},
	{name: "0xff", json: "a\xff", body: "not valid UTF-8"},
	{name: "an overlong line end", json: "a\xc0\x8adata: x", body: "not valid UTF-8"},
	{name: "an overlong NUL", json: "a\xe0\x80\x80", body: "not valid UTF-8"},
	{name: "a surrogate in UTF-8", json: "a\xed\xa0\x80", body: "not valid UTF-8"},
	{name: "a pair of them, as in CESU-8", json: "a\xed\xa0\xbd\xed\xb8\x80", body: "not valid UTF-8"},
	{name: "beyond Unicode", json: "a\xf4\x90\x80\x80", body: "not valid UTF-8"},
	{name: "a character cut short", json: "a\xe2\x82", body: "not valid UTF-8"},
	{name: "an escape that there is not", json: `a\x41`, body: "invalid character 'x' in string escape code"},
	{name: "a quote", json: `a","type":"other`, body: twice},
	{name: "an escaped quote", json: `a\",\"type\":\"other`},
	{name: "a backslash", json: `a\\u000ab`},
	{name: "a field of a frame", json: `data: x`},
	{name: "a comment of a frame", json: `: x`},
	{name: "spaces around it", json: ` a `},
	{name: "a byte order mark", json: "\ufeffa"},
	{name: "a noncharacter", json: `a\uffff`},
	{name: "the other direction", json: `a\u202eb`},
	{name: "a character and its accent", json: `e\u0301`},
	{name: "a character from a pair", json: `\ud83d\ude00`},
	{name: "one like it, raw", json: "\U0001f601"},
	{name: "the replacement character", json: `\ufffd`},
	{name: "script", json: `<script>alert(1)<\/script>`},
	{name: "no-break space", json: "\u00a0"},
	{name: "a percent sign", json: `%00%0a%s%n`},
}

// tryTexts publishes every text in every field. What is refused names the field;
// what is not is delivered exactly, as one event, to somebody who follows everything.
func tryTexts(t *testing.T, g *ground) {
	w := follow(t, g)
	r := g.begin("texts")
	for _, text := range texts {
		for _, field := range []string{"topic", "type", "key", "id", "source"} {
			a := attack{name: text.name + " as " + field, send: post(text.in(field)), want: text.outcome(field)}
			g.tryText(t, r, a, w, text, field)
		}
		a := attack{name: text.name + " in data", send: post(text.in("data")), want: ok(`"offset":`)}
		if text.body != "" && text.body != twice {
			a.want = invalid(text.body)
		}
		g.tryText(t, r, a, w, text, "data")
		a = attack{name: text.name + " as time", send: post(text.in("time")), want: invalid("time")}
		if text.body != "" && text.body != twice {
			a.want = invalid(text.body)
		}
		g.tryText(t, r, a, w, text, "time")
	}
	tryTraces(t, g, r, w)
	g.finish(t, r)
}

// in is an event with the text in a field.
func (x text) in(field string) string {
	members := map[string]string{"topic": `"hostile/1"`, "type": `"t"`, field: `"` + x.json + `"`}
	if field == "data" {
		members[field] = fmt.Sprintf("{\"%s\":\r\n[\"%[1]s\"]}", x.json)
		if x.body == twice { // which data may have
			members[field] = `"` + strings.ReplaceAll(x.json, `"`, `\"`) + `"`
		}
	}
	var all []string
	for _, name := range []string{"topic", "type", "key", "id", "source", "time", "data"} {
		if value, ok := members[name]; ok {
			all = append(all, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func (x text) outcome(field string) outcome {
	switch {
	case x.body == twice && field == "type":
		return invalid("member type is given twice")
	case x.body != "":
		return invalid(x.body)
	case x.names != "":
		return invalid(field + " has ")
	}
	return ok(`"offset":`)
}

func (g *ground) tryText(t *testing.T, r *row, a attack, w *witness, text text, field string) {
	got, err := a.run(t, g.hub.Addr)
	if err == nil {
		err = a.want.judge(got)
	}
	if err == nil && a.want.code != "" && text.body == "" && !strings.Contains(got.problem.Detail, text.names) && field != "time" {
		err = fmt.Errorf("the problem says %q, want %q in it", got.problem.Detail, text.names)
	}
	if err == nil && got.status == http.StatusOK {
		err = w.expect(text.in(field))
	}
	if r.add(got); err != nil {
		r.wrong++
		t.Errorf("%s: %v", a.name, err)
	}
	g.after(t, r, a.name)
}

// tryTraces sends trace contexts, which are dropped when they are wrong, and stop
// nothing.
func tryTraces(t *testing.T, g *ground, r *row, w *witness) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for name, headers := range map[string][]string{
		"a whole one":               {"Traceparent: " + good, "Tracestate: a=1"},
		"one that is too short":     {"Traceparent: 00-ab"},
		"one with a frame":          {"Traceparent: " + good + "data: x"},
		"one of zeros":              {"Traceparent: 00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("0", 16) + "-01"},
		"one in capitals":           {"Traceparent: " + strings.ToUpper(good)},
		"one of a version to come":  {"Traceparent: cc" + good[2:] + "-what\u2028ever"},
		"one of 10 KB":              {"Traceparent: " + good + strings.Repeat("-x", 5000)},
		"one that is not UTF-8":     {"Traceparent: " + good[:53] + "\xff\xff"},
		"two":                       {"Traceparent: " + good, "Traceparent: " + good},
		"a state of 16 KB":          {"Traceparent: " + good, "Tracestate: " + strings.TrimSuffix(strings.Repeat("a="+strings.Repeat("x", 250)+",", 60), ",")},
		"a state that is none":      {"Traceparent: " + good, "Tracestate: =,=\xff\u2028"},
		"baggage of 16 KB":          {"Baggage: " + strings.Repeat("a=b,", 4000)},
		"baggage that is not UTF-8": {"Baggage: a=\xff%00\x80"},
	} {
		a := attack{name: "a trace context, " + name, send: post(event, headers...), want: ok(`"offset":`)}
		g.tryText(t, r, a, w, text{json: "t"}, "type")
	}
}

// A witness follows everything, and keeps what does not belong to the bystander.
type witness struct{ events chan sse.Event }

func follow(t *testing.T, g *ground) *witness {
	w := &witness{make(chan sse.Event, 64)}
	response, err := http.Get(g.hub.URL("/v1/events?topic=**"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.read(response.Body)
	}()
	t.Cleanup(func() { response.Body.Close(); <-done })
	return w
}

func (w *witness) read(body io.Reader) {
	defer close(w.events)
	for r := sse.NewReader(body); ; {
		e, err := r.Next()
		if err != nil {
			return
		}
		own := e.Name == "hub.sync" && strings.HasPrefix(string(e.Data), `{"status":"live"`) || e.Name == "hub.heartbeat"
		others := bytes.HasPrefix(e.Data, []byte(`{"topic":"bystander/`)) || bytes.HasPrefix(e.Data, []byte(`{"topic":"probe/`))
		if !own && !others {
			w.events <- e
		}
	}
}

// expect waits for the next event, which must say what was published, in every
// field, and in its data to the byte.
func (w *witness) expect(published string) error {
	select {
	case <-time.After(patience):
		return fmt.Errorf("%s was accepted, and is not delivered", published)
	case e, open := <-w.events:
		if !open {
			return fmt.Errorf("the stream has ended")
		}
		return compare(e, published)
	}
}

func compare(e sse.Event, published string) error {
	var sent, got struct {
		Topic, Type, Key, ID, Source string
		Traceparent                  string
		Offset                       uint64
		Data                         json.RawMessage
	}
	if err := json.Unmarshal([]byte(published), &sent); err != nil {
		return err
	}
	if err := json.Unmarshal(e.Data, &got); err != nil {
		return fmt.Errorf("%s is delivered as %q: %w", published, e.Data, err)
	}
	if len(sent.Data) > 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, sent.Data); err != nil {
			return err
		}
		sent.Data = compact.Bytes()
	}
	_, offset, found := strings.Cut(e.ID, "-")
	same := e.Name == sent.Type && got.Topic == sent.Topic && got.Key == sent.Key && got.ID == sent.ID && got.Source == sent.Source &&
		bytes.Equal(got.Data, sent.Data) && got.Type == "" && found && offset == fmt.Sprint(got.Offset) && e.Retry == 0
	clean := got.Traceparent == "" || len(got.Traceparent) == 55 && strings.Trim(got.Traceparent, "0123456789abcdef-") == ""
	if !same || !clean || bytes.ContainsAny(e.Data, "\r\n\x00") {
		return fmt.Errorf("%q is delivered as %q %q with id %q", published, e.Name, e.Data, e.ID)
	}
	return nil
}
