package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/receipt"
)

// A taker is a hub that keeps what it is told of receipts.
type taker struct {
	fake
	took []receipt.Report
}

func (k *taker) Receive(r receipt.Report, _ *auth.Identity) { k.took = append(k.took, r) }

func TestReceiptsAreRead(t *testing.T) {
	k := &taker{}
	s := startFake(t, k)
	before := time.Now()
	for _, kind := range []string{"application/json", "text/plain;charset=UTF-8", ""} {
		a := s.do("POST", "/v1/receipts", `{"connection":"17","sent":1060.5,"offset":-12.25,"uncertainty":3,"receipts":[
			{"offset":42,"received":1000.5,"rendered":1010},{"cursor":"fake-43","received":1},{"cursor":"another-44","received":1},{"cursor":"?","received":1}]}`,
			"Content-Type", kind)
		if a.StatusCode != http.StatusNoContent || a.body != "" {
			t.Fatalf("%s: %s %s", kind, a.Status, a.body)
		}
	}
	r := k.took[2]
	if len(k.took) != 3 || r.Connection != 17 || r.Sent != 1060.5 || *r.Offset != -12.25 || *r.Uncertainty != 3 || r.Arrived.Before(before) || r.Arrived.After(time.Now()) {
		t.Errorf("took %+v", r)
	}
	want := []receipt.Receipt{{Event: 42, Received: 1000.5, Rendered: 1010}, {Event: 43, Received: 1}, {Received: 1}, {Received: 1}}
	for i, one := range r.Receipts {
		if one != want[i] {
			t.Errorf("receipt %d = %+v, want %+v", i, one, want[i])
		}
	}
	if s.do("POST", "/v1/receipts", `{"sent":1,"receipts":[]}`).StatusCode != http.StatusNoContent || k.took[3].Offset != nil {
		t.Errorf("a report of nothing: %+v", k.took[3])
	}
}

func TestReportsThatCannotBeReadAreRefused(t *testing.T) {
	k := &taker{}
	s := startFake(t, k)
	many := strings.Repeat(`{"offset":1,"received":1},`, receipt.Most) + `{"offset":1,"received":1}`
	for body, want := range map[string]struct {
		code   nave.Code
		detail string
	}{
		``:                                       {nave.CodeInvalid, "JSON"},
		`[]`:                                     {nave.CodeInvalid, "JSON"},
		`{"receipts":[]}`:                        {nave.CodeInvalid, "sent is 0"},
		`{"sent":-1,"receipts":[]}`:              {nave.CodeInvalid, "sent is -1"},
		`{"sent":1e999}`:                         {nave.CodeInvalid, "JSON"},
		`{"sent":1,"connection":"seven"}`:        {nave.CodeInvalid, `connection is "seven"`},
		`{"sent":1,"receipts":[{"received":1}]}`: {nave.CodeInvalid, "receipt 0 has to name its event"},
		`{"sent":1,"receipts":[{"offset":1,"cursor":"fake-1"}]}`:      {nave.CodeInvalid, "receipt 0 has to name its event"},
		`{"sent":1,"receipts":[{"offset":-1,"received":1}]}`:          {nave.CodeInvalid, "JSON"},
		`{"sent":1,"receipts":[],"latency":7}`:                        {nave.CodeInvalid, "latency"},
		`{"sent":1,"receipts":[` + many + `]}`:                        {nave.CodeTooMany, "101 receipts; at most 100"},
		`{"sent":1,"receipts":[]` + strings.Repeat(" ", 64<<10) + `}`: {nave.CodeTooLarge, "at most 65536 bytes"},
	} {
		s.do("POST", "/v1/receipts", body, "Content-Type", "text/plain").refused(want.code, want.detail)
	}
	s.do("POST", "/v1/receipts", `{}`, "Content-Type", "text/html").refused(codeMediaType, "text/html")
	s.do("POST", "/v1/receipts", `{}`, "Content-Type", "application/x-ndjson").refused(codeMediaType, "text/plain")
	if len(k.took) > 0 {
		t.Errorf("took %v", k.took)
	}
}

func TestReceiptsOfACallerAreBounded(t *testing.T) {
	k := &taker{}
	s := startFake(t, k)
	report := func(connection string) {
		one := strings.Repeat(`{"offset":1,"received":1},`, 99) + `{"offset":1,"received":1}`
		a := s.do("POST", "/v1/receipts", fmt.Sprintf(`{"connection":"%s","sent":1,"receipts":[%s]}`, connection, one))
		if a.StatusCode != http.StatusNoContent {
			t.Fatalf("%s: %s", a.Status, a.body)
		}
	}
	for i := range 20 { // however the connection is written
		report(strings.Repeat("0", i/2) + fmt.Sprint(i))
	}
	if n := len(k.took); n < receiptsRate/100 || n > 10 {
		t.Errorf("%d of 20 reports at once count", n)
	}
	s.do("POST", "/v1/receipts", `{"connection":"`+strings.Repeat("0", 21)+`","sent":1,"receipts":[]}`).refused(nave.CodeInvalid, "connection is")
}
