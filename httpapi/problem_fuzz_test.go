package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/navehub/nave"
)

// FuzzProblem: whatever an error says, and whatever happened before, the answer
// is one problem document of one line, and its headers are those that belong to it.
func FuzzProblem(f *testing.F) {
	for _, text := range []string{
		"", "topic is missing", "a\r\nX-Injected: 1\r\n\r\n<script>", "\x00\x01\x7f", "\xff\xfe", `"},"status":200,"x":{"`, "\u2028\u2029\u202e", "😀", "</script>",
		strings.Repeat("x", 100_000), "%s%n%!d", "data: x\n\nevent: hub.sync",
	} {
		f.Add(text, string(nave.CodeInvalid), int64(0), uint64(1), []byte(`{"a":1}`))
		f.Add(text, string(nave.CodeBusy), int64(1500), uint64(0), []byte{})
	}
	f.Add("x", "no such code", int64(-1), uint64(1<<63), []byte(`"\u2028"`))
	f.Add("x", string(nave.CodeConflict), int64(1)<<62, uint64(7), []byte("[\n1]"))
	f.Fuzz(func(t *testing.T, text, code string, after int64, version uint64, data []byte) {
		var err error = nave.Errorf(nave.Code(code), "%s", text).After(time.Duration(after) * time.Millisecond)
		if nave.Code(code) == nave.CodeConflict {
			e := nave.Event{Topic: "a", Type: "b", Key: "k", Data: data, Offset: version}
			if (&e).Validate() != nil {
				return
			}
			err = fmt.Errorf("%s: %w", text, &nave.ConflictError{Conflicts: []nave.Conflict{{Topic: "a", Key: text, Version: version, Event: &e}}})
		}
		w := httptest.NewRecorder()
		h := New(Config{Hub: fake{}, Logger: quiet}).(*handler)
		h.serve(w, httptest.NewRequest(http.MethodPost, "/", nil), func(*exchange) error { return err })
		checkDocument(t, w, nave.Code(code), text)
	})
}

func checkDocument(t *testing.T, w *httptest.ResponseRecorder, code nave.Code, text string) {
	t.Helper()
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
	}
	decoder := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	if err := decoder.Decode(&p); err != nil || decoder.More() {
		t.Fatalf("not one document: %v in %q", err, w.Body)
	}
	k, known := kinds[code]
	if !known || code == nave.CodeInternal {
		code, k = nave.CodeInternal, kinds[nave.CodeInternal]
		if len(text) > 10 && strings.Contains(p.Detail, text) {
			t.Errorf("a defect is told to everybody: %q", p.Detail)
		}
	} else if code != nave.CodeConflict && p.Detail != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
		t.Errorf("detail = %q, want %q", p.Detail, text)
	}
	if p.Type != problemBase+string(code) || p.Code != string(code) || p.Title != k.title || p.Status != k.status || w.Code != k.status {
		t.Errorf("%d %+v, want %s", w.Code, p, code)
	}
	body := w.Body.String()
	if strings.Count(body, "\n") != 1 || strings.ContainsAny(body, "\r\x00") {
		t.Errorf("not one line: %q", body)
	}
	for name, values := range w.Header() {
		switch {
		case len(values) != 1 || strings.ContainsAny(values[0], "\r\n\x00"):
			t.Errorf("header %s is %q", name, values)
		case name == "Retry-After":
			if n, err := strconv.Atoi(values[0]); err != nil || n < 1 {
				t.Errorf("Retry-After: %q", values[0])
			}
		case name != "Content-Type" && name != "Content-Length" && name != "Cache-Control":
			t.Errorf("there is a header %s: %q", name, values)
		}
	}
	if w.Header().Get("Content-Length") != strconv.Itoa(len(body)) {
		t.Errorf("Content-Length %s of %d bytes", w.Header().Get("Content-Length"), len(body))
	}
}
