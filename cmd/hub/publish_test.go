package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
)

const accepted = `{"cursor":"e-17","events":[{"id":"x","offset":17,"version":17}]}`

// answer answers everything with one body.
func answer(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestPublishAnswers(t *testing.T) {
	const jsonKind, problemKind = "application/json", "application/problem+json"
	tests := []struct {
		name   string
		handle http.HandlerFunc
		args   string
		want   result
	}{
		{"stored", answer(200, jsonKind, accepted), "",
			result{0, "published at offset 17, version 17, cursor e-17\n", ""}},
		{"without key", answer(200, jsonKind, `{"cursor":"e-9","events":[{"id":"x","offset":9}]}`), "",
			result{0, "published at offset 9, cursor e-9\n", ""}},
		{"as JSON", answer(200, jsonKind, accepted+"\n"), "--json", result{0, accepted + "\n", ""}},
		{"repeat", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Nave-Repeat", "true")
			answer(200, jsonKind, `{"cursor":"e-9","events":[{"id":"x","offset":9}]}`)(w, r)
		}, "",
			result{0, "published before, at offset 9, cursor e-9\n", ""}},
		{"transient", answer(200, jsonKind, `{"cursor":"","events":[{"id":"x"}]}`), "",
			result{0, "delivered to whoever is there: the topic is transient\n", ""}},
		{"conflict", answer(409, problemKind, `{"status":409,"detail":"…","conflicts":[
				{"topic":"a","key":"k","ifVersion":3,"version":17,"event":{"type":"t","data":1}}]}`), "",
			result{1, "", "hub: conflict: k in a has version 17, not 3\nIt is now: {\"type\":\"t\",\"data\":1}\n"}},
		{"conflict with nothing", answer(409, problemKind, `{"status":409,"conflicts":[{"topic":"a","key":"k","ifVersion":3}]}`), "",
			result{1, "", "hub: conflict: k in a does not exist, and so does not have version 3\n"}},
		{"refused", answer(413, problemKind, `{"title":"Too large","status":413,"detail":"data is 9 bytes long; at most 8 are allowed"}`), "",
			result{1, "", "hub: refused: data is 9 bytes long; at most 8 are allowed (413)\n"}},
		{"refused as JSON", answer(413, problemKind, `{"status":413,"detail":"no"}`), "--json",
			result{1, "{\"status\":413,\"detail\":\"no\"}\n", "hub: refused: no (413)\n"}},
		{"something else", answer(404, "text/html", "<h1>?</h1>"), "",
			result{1, "", "hub: refused: Not Found (404)\n"}},
		{"no hub", answer(200, "text/html", "<h1>Hello</h1>"), "",
			result{1, "", "hub: URL is no hub: it answers \"<h1>Hello</h1>\"\n"}},
		{"never ready", answer(503, problemKind, `{"status":503,"detail":"the hub is shutting down"}`), "--timeout 40ms",
			result{1, "", "hub: refused: the hub is shutting down (503)\n"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t, test.handle)
			got := hubCommand(t, "", strings.Fields("publish a --type t --key k --if-version 3 "+test.args)...)
			got.err = strings.ReplaceAll(got.err, server.URL, "URL")
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(result{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPublishSends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "data.json")
	if err := os.WriteFile(file, []byte(`{"from": "file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	var body string
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		body = string(text)
		answer(200, "application/json", accepted)(w, r)
	})
	for args, want := range map[string]string{
		`--data {"a":1} --id 7`:                            `{"topic":"a","type":"t","data":{"a":1},"id":"7"}`,
		`--data @` + file + ` --id 7`:                      `{"topic":"a","type":"t","data":{"from":"file"},"id":"7"}`,
		`--data - --id 7 --source s --key k`:               `{"topic":"a","type":"t","key":"k","data":["stdin"],"id":"7","source":"s"}`,
		`--data null --id 7 --key k`:                       `{"topic":"a","type":"t","key":"k","id":"7"}`,
		`--id 7 --key k --if-version 0`:                    `{"topic":"a","type":"t","key":"k","id":"7","ifVersion":0}`,
		`--id 7 --key k --if-version 18446744073709551615`: `{"topic":"a","type":"t","key":"k","id":"7","ifVersion":18446744073709551615}`,
	} {
		r := hubCommand(t, `["stdin"]`, append([]string{"publish", "a", "--type", "t"}, strings.Fields(args)...)...)
		if r.code != 0 || body != want {
			t.Errorf("%s\nsent %s\nwant %s\n%+v", args, body, want, r)
		}
	}
}

// Trying again is safe because it is the same event: the id stays.
func TestPublishTriesAgainUnderTheSameID(t *testing.T) {
	var ids []string
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var e nave.Event
		_ = json.NewDecoder(r.Body).Decode(&e)
		ids = append(ids, e.ID)
		switch len(ids) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			answer(503, "application/problem+json", `{"detail":"not now"}`)(w, r)
		default:
			answer(200, "application/json", accepted)(w, r)
		}
	})
	r := hubCommand(t, "", "publish", "a", "--type", "t")
	if r.code != 0 || !strings.Contains(r.err, "trying again for 10s") {
		t.Errorf("%+v", r)
	}
	if len(ids) != 3 || ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("ids %q", ids)
	}
}

func TestPublishSaysWhereItLookedForAHub(t *testing.T) {
	t.Setenv(urlVariable, "http://127.0.0.1:1")
	r := hubCommand(t, "", "publish", "a", "--type", "t", "--timeout", "1ms")
	if r.code != exitUnreachable || !strings.HasPrefix(r.err, "hub: no hub answers at http://127.0.0.1:1: ") ||
		!strings.Contains(r.err, "Start one with ") {
		t.Errorf("%+v", r)
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	server := newServer(t, answer(200, "text/html", "<h1>"))
	for _, address := range []string{server.URL, "http://127.0.0.1:1"} {
		withPassword := strings.Replace(address, "//", "//user:secret@", 1)
		for _, args := range []string{"publish a --type t --timeout 1ms", "publish --ndjson --timeout 1ms", "tail a", "healthcheck"} {
			r := hubCommand(t, `{"topic":"a","type":"t"}`, append(strings.Fields(args), "--url", withPassword)...)
			if strings.Contains(r.out+r.err, "secret") {
				t.Errorf("%s: %+v", args, r)
			}
			if args != "healthcheck" && !strings.Contains(r.err, "user:xxxxx@") {
				t.Errorf("%s does not say where: %+v", args, r)
			}
		}
	}
}

// Every line has an answer of its own; what is refused does not keep back others.
func TestPublishLines(t *testing.T) {
	requests := 0
	offset := 0
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		w.Header().Set("Content-Type", "application/x-ndjson")
		lines := json.NewDecoder(r.Body)
		for n := 0; ; n++ {
			var e nave.Event
			if lines.Decode(&e) != nil {
				return
			}
			switch {
			case requests == 1 && n == 2:
				panic(http.ErrAbortHandler) // after two answers
			case requests == 2 && n == 1:
				fmt.Fprintln(w, `{"status":503,"detail":"not now"}`)
			case e.Type == "bad":
				fmt.Fprintln(w, `{"status":400,"detail":"no such type"}`)
			case e.ID == "own":
				offset += 2
				fmt.Fprintf(w, `{"cursor":"e-%d","repeat":true,"events":[{"offset":%d},{"offset":%d}]}`+"\n", offset, offset-1, offset)
			default:
				offset++
				fmt.Fprintf(w, `{"cursor":"e-%d","events":[{"id":%q,"offset":%d}]}`+"\n", offset, e.Topic, offset)
			}
			_ = http.NewResponseController(w).Flush()
		}
	})
	input := `{"topic":"1","type":"t"}

{"topic":"2","type":"t","id":"own"}
no event
{"topic":"3","type":"t"}
{"topic":"4","type":"bad"}
{"topic":"5","type":"t"}`
	r := hubCommand(t, input, "publish", "--ndjson")
	want := result{1, "published at offset 1, cursor e-1\npublished before, 2 events at offsets 2 to 3, cursor e-3\n" +
		"published at offset 4, cursor e-4\npublished at offset 5, cursor e-5\n", ""}
	wantErrs := []string{
		`hub: line 4: it is no event: "no event"`,
		"hub: line 6: refused: no such type (400)",
		"hub: 2 of 7 lines were not published",
	}
	for _, line := range wantErrs {
		if !strings.Contains(r.err, line+"\n") {
			t.Errorf("stderr lacks %q:\n%s", line, r.err)
		}
	}
	r.err = ""
	if diff := cmp.Diff(want, r, cmp.AllowUnexported(result{})); diff != "" {
		t.Error(diff)
	}
}

func TestLineGetsIDs(t *testing.T) {
	for text, count := range map[string]int{
		`{}`: 1, `{ }`: 1, `{"topic":"a"}`: 1, `{"id":"x","topic":"a"}`: 1, `[{"topic":"a"},{"id":"x"}]`: 2,
	} {
		b, err := line{1, []byte(text)}.withIDs()
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(b), `"id":"`); !json.Valid(b) || n != count {
			t.Errorf("%s becomes %s", text, b)
		}
	}
	for _, text := range []string{`7`, `[7]`, `[{"topic":"a"}`, `{"id":7}`} {
		if b, err := (line{1, []byte(text)}).withIDs(); err == nil {
			t.Errorf("%s becomes %s", text, b)
		}
	}
}
