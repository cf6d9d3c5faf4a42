package httpapi

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
)

func (s *server) publishLines(body string) []string {
	s.t.Helper()
	a := s.do("POST", "/v1/events", body, "Content-Type", "application/x-ndjson").ok()
	if got := a.Header.Get("Content-Type"); got != "application/x-ndjson" {
		s.t.Errorf("content type = %q", got)
	}
	return strings.SplitAfter(strings.TrimSuffix(a.body, "\n"), "\n")
}

func TestPublishLines(t *testing.T) {
	for name, start := range map[string]func(*testing.T, hub.Config, Config) *server{"HTTP/1.1": start, "HTTP/2": startHTTP2} {
		t.Run(name, func(t *testing.T) {
			s := start(t, hub.Config{}, Config{MaxBody: 100})
			epoch := string(s.hub.Epoch())
			answers := s.publishLines(strings.Join([]string{
				`{"topic":"a","type":"x","id":"1"}`,
				``,
				`{"topic":"a","typ":"x"}`,
				`[{"topic":"a","type":"y"},{"topic":"b","type":"y"}]`,
				`{"topic":"a","type":"` + strings.Repeat("x", 40<<10) + `"}`,
				`{"topic":"a","type":"x","id":"1"}`,
				`{"topic":"b","type":"x"} {}`,
				`{"topic":"b","type":"z","key":"k","ifVersion":9}` + "\r",
				`{"topic":"b","type":"z"}`, // without a line end
			}, "\n"))
			want := []any{
				`{"cursor":"E-1","events":[{"id":"1","offset":1}]}`,
				nave.CodeInvalid,
				`{"cursor":"E-3","events":[{"offset":2},{"offset":3}]}`,
				nave.CodeTooLarge,
				`{"cursor":"E-1","events":[{"id":"1","offset":1}],"repeat":true}`,
				nave.CodeInvalid,
				nave.CodeConflict,
				`{"cursor":"E-4","events":[{"offset":4}]}`,
			}
			if len(answers) != len(want) {
				t.Fatalf("answers = %q", answers)
			}
			for i, want := range want {
				switch want := want.(type) {
				case nave.Code:
					checkProblem(t, answers[i], want, "")
				case string:
					if got := strings.TrimSpace(answers[i]); got != strings.ReplaceAll(want, "E-", epoch+"-") {
						t.Errorf("answer %d = %s, want %s", i, got, want)
					}
				}
			}
		})
	}
}

func TestPublishLinesKeepTheirOrder(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	const n = 500
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `{"topic":"t/%d","type":"n%d"}`+"\n", i%7, i)
	}
	cursor := string(s.hub.Epoch()) + "-0"
	answers := s.publishLines(body.String())
	if len(answers) != n {
		t.Fatalf("%d answers to %d lines", len(answers), n)
	}
	for i, answer := range answers {
		if !strings.Contains(answer, fmt.Sprintf(`"offset":%d}`, i+1)) {
			t.Fatalf("answer %d is %s", i, answer)
		}
	}
	for i := 0; i < n; {
		page := s.page("topic=t/*&cursor=" + cursor)
		if len(page.Events) == 0 {
			t.Fatalf("only %d of %d events", i, n)
		}
		for _, e := range page.Events {
			if want := fmt.Sprint("n", i); e.Type != want {
				t.Fatalf("event %d is %s", i, e.Type)
			}
			i++
		}
		cursor = page.Cursor
	}
}

// Each line is answered while the body is still open.
func TestPublishLinesAnswersStreamBack(t *testing.T) {
	for name, start := range map[string]func(*testing.T, hub.Config, Config) *server{"HTTP/1.1": start, "HTTP/2": startHTTP2} {
		t.Run(name, func(t *testing.T) {
			s := start(t, hub.Config{}, Config{})
			body, lines := io.Pipe()
			defer lines.Close()
			r := s.request("POST", "/v1/events", "", "Content-Type", "application/x-ndjson")
			r.Body, r.ContentLength = body, -1
			response, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			answers := bufio.NewReader(response.Body)
			for i := range 3 {
				fmt.Fprintln(lines, `{"topic":"a","type":"x"}`)
				answer, err := answers.ReadString('\n')
				if want := fmt.Sprintf(`"offset":%d`, i+1); err != nil || !strings.Contains(answer, want) {
					t.Fatalf("answer %d = %q, %v", i, answer, err)
				}
			}
			_ = lines.Close()
			if rest, err := io.ReadAll(answers); len(rest) > 0 || err != nil {
				t.Errorf("after the last line: %q, %v", rest, err)
			}
		})
	}
}

// curl expects 100 before it sends a body of unknown length.
func TestPublishLinesExpected(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	conn := s.dial("POST /v1/events HTTP/1.1\r\nHost: hub\r\nContent-Type: application/x-ndjson\r\nExpect: 100-continue\r\nContent-Length: 25\r\n\r\n")
	answers := bufio.NewReader(conn)
	if status, err := answers.ReadString('\n'); status != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("status = %q, %v", status, err)
	}
	fmt.Fprintln(conn, `{"topic":"a","type":"x"}`)
	_, _ = answers.ReadString('\n')
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); response.StatusCode != 200 || !strings.Contains(string(body), `"offset":1`) {
		t.Errorf("%s: %q, %v", response.Status, body, err)
	}
}

func TestPublishLinesSlowly(t *testing.T) {
	s := start(t, hub.Config{}, Config{ReadTimeout: 50 * time.Millisecond})
	body, lines := io.Pipe()
	defer lines.Close()
	r := s.request("POST", "/v1/events", "", "Content-Type", "application/x-ndjson")
	r.Body, r.ContentLength = body, -1
	go fmt.Fprint(lines, `{"topic":"a","type":"x"}`+"\n{")
	response, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answers := bufio.NewScanner(response.Body)
	if !answers.Scan() || !strings.Contains(answers.Text(), `"offset":1`) {
		t.Fatalf("answer = %q", answers.Text())
	}
	if !answers.Scan() {
		t.Fatal("the end comes without a reason")
	}
	checkProblem(t, answers.Text(), codeTimeout, "the line has not arrived within 50ms")
}

func TestPublishLinesEndWithTheHub(t *testing.T) {
	s := startFake(t, fake{err: nave.Errorf(nave.CodeDraining, "the hub is shutting down")})
	answers := s.publishLines(strings.Repeat(`{"topic":"a","type":"x"}`+"\n", 3))
	if len(answers) != 1 {
		t.Fatalf("answers = %q", answers)
	}
	checkProblem(t, answers[0], nave.CodeDraining, "")
}
