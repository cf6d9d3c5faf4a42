package hostile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// An attack is what one connection sends, byte for byte, and what must come of it.
type attack struct {
	name string
	send string
	// flood is sent again and again afterwards, so many times or until the hub
	// closes the connection.
	flood  string
	floods int
	// half closes the sending side after that; reset all of it, without ceremony.
	half, reset bool

	want outcome
}

// An outcome is the last answer, and what becomes of the connection.
type outcome struct {
	status int
	code   string // of the problem document; "" if there is none
	says   string // in the body, or in the first event of a stream
	// answers is how many there are, if not 1.
	answers int
	closed  bool
	stream  bool
	// orNone lets the hub close the connection without an answer.
	orNone bool
}

// refused is a problem document.
func refused(status int, code, says string) outcome {
	return outcome{status: status, code: code, says: says}
}

func invalid(says string) outcome { return refused(http.StatusBadRequest, "invalid", says) }

// bare is a refusal of net/http's own, before there is a request that could be
// answered: no problem document, and the connection ends.
func bare(status int) outcome { return outcome{status: status, closed: true} }

func ok(says string) outcome { return outcome{status: http.StatusOK, says: says} }

// streams is a subscription whose first event says so.
func streams(says string) outcome {
	return outcome{status: http.StatusOK, says: says, stream: true}
}

func (o outcome) andCloses() outcome {
	o.closed = true
	return o
}

func (o outcome) orNothing() outcome {
	o.closed, o.orNone = true, true
	return o
}

func (o outcome) after(answers int) outcome {
	o.answers = answers + 1
	return o
}

// request writes one, with the length of its body; headers are whole lines.
func request(line, body string, headers ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\nHost: hub\r\n", line)
	for _, h := range headers {
		b.WriteString(h + "\r\n")
	}
	if body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

func get(path string, headers ...string) string {
	return request("GET "+path+" HTTP/1.1", "", headers...)
}

func post(body string, headers ...string) string {
	return request("POST /v1/events HTTP/1.1", body, headers...)
}

// patience is for what must happen, and happens at once.
const patience = 10 * time.Second

// An answer is what came back.
type answer struct {
	status  int
	header  http.Header
	body    string
	closed  bool // by the hub
	problem *problem
}

type problem struct {
	Type, Title, Code, Detail string
	Status                    int
}

// run sends an attack and reads what it waits for.
func (a *attack) run(t testing.TB, addr string) (answer, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return answer{}, err
	}
	written := make(chan struct{})
	defer func() { conn.Close(); <-written }()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if a.reset {
		defer close(written)
		a.write(conn)
		return answer{closed: true}, conn.(*net.TCPConn).SetLinger(0) // for Close
	}
	go func() {
		defer close(written)
		a.write(conn)
	}()
	return a.read(bufio.NewReader(conn))
}

// write fails when the hub has closed the connection, which is its right.
func (a *attack) write(conn net.Conn) {
	_, err := io.WriteString(conn, a.send)
	for i := 0; i < a.floods && err == nil; i++ {
		_, err = io.WriteString(conn, a.flood)
	}
	if a.half {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
}

func (a *attack) read(r *bufio.Reader) (got answer, err error) {
	for range max(1, a.want.answers) {
		got, err = readAnswer(r, a.want.stream)
		if a.want.orNone && errors.Is(err, io.ErrUnexpectedEOF) {
			return answer{closed: true}, nil
		}
		if err != nil {
			return got, err
		}
	}
	if !a.want.closed {
		return got, nil
	}
	var timeout net.Error
	rest, err := io.ReadAll(r)
	if errors.As(err, &timeout) && timeout.Timeout() {
		return got, nil
	}
	if len(rest) > 0 && !a.want.stream {
		return got, fmt.Errorf("after its answer the hub sends %.200q", rest)
	}
	got.closed = true // in good order, or because it was still sent to
	return got, nil
}

func readAnswer(r *bufio.Reader, stream bool) (answer, error) {
	response, err := http.ReadResponse(r, nil)
	for err == nil && response.StatusCode == http.StatusContinue {
		response, err = http.ReadResponse(r, nil)
	}
	if err != nil {
		return answer{}, fmt.Errorf("no answer: %w", err)
	}
	got := answer{status: response.StatusCode, header: response.Header}
	if stream && strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		got.body, err = firstEvent(bufio.NewReader(response.Body))
		return got, err
	}
	body, err := io.ReadAll(response.Body)
	if got.body = string(body); err != nil {
		return got, fmt.Errorf("the answer breaks off after %.200q: %w", body, err)
	}
	if response.Header.Get("Content-Type") == "application/problem+json" {
		got.problem = new(problem)
		err = json.Unmarshal(body, got.problem)
	}
	return got, err
}

func firstEvent(r *bufio.Reader) (string, error) {
	for text := ""; ; {
		line, err := r.ReadString('\n')
		if text += line; err != nil || line == "\n" {
			return text, err
		}
	}
}

// judge says what is wrong with an answer.
func (o outcome) judge(got answer) error {
	switch p := got.problem; {
	case o.orNone && got.status == 0:
		return nil
	case got.status != o.status:
		return fmt.Errorf("answered with %d %.300q, want %d", got.status, got.body, o.status)
	case (p == nil) != (o.code == ""):
		return fmt.Errorf("the answer is %s, want code %q: %.300q", got.header.Get("Content-Type"), o.code, got.body)
	case p != nil && (p.Code != o.code || p.Status != got.status || !strings.HasSuffix(p.Type, "#"+p.Code) || p.Title == ""):
		return fmt.Errorf("the problem is %+v, want code %q", *p, o.code)
	case p != nil && !strings.Contains(p.Detail, o.says):
		return fmt.Errorf("the problem says %q, want %q in it", p.Detail, o.says)
	case !strings.Contains(got.body, o.says) && p == nil:
		return fmt.Errorf("the answer is %.300q, want %q in it", got.body, o.says)
	case got.closed != o.closed:
		return fmt.Errorf("the connection is closed: %v, want %v", got.closed, o.closed)
	}
	return nil
}
