package httpapi

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave/actors/breaker"
	"github.com/navehub/nave/actors/hub"
)

func TestBreakersAreShownAndReset(t *testing.T) {
	mail := breaker.New(breaker.Config{Name: "mail", MinCalls: 2, Open: time.Hour})
	s := start(t, hub.Config{Breakers: []*breaker.Breaker{mail}}, Config{})
	eventually := func(path, words string) {
		t.Helper()
		a := s.do("GET", path, "").ok()
		for n := 0; n < 1000 && !strings.Contains(a.body, words); n++ {
			time.Sleep(5 * time.Millisecond)
			a = s.do("GET", path, "").ok()
		}
		if !strings.Contains(a.body, words) {
			t.Fatalf("%s = %s, want %q in it", path, a.body, words)
		}
	}
	eventually("/v1/admin/breakers", `"name":"mail","state":"closed"`)
	mail.Done(errors.New("no answer"), 0)
	mail.Done(errors.New("no answer"), 0)
	eventually("/v1/admin/breakers/mail", `"calls":2,"failures":2,"slow":0,"history":[{"at":`)
	eventually("/v1/admin/breakers", `"why":"2 of 2 calls failed"`)
	eventually("/v1/admin/breakers", `"name":"log","state":"closed"`)

	if a := s.do("DELETE", "/v1/admin/breakers/mail", ""); a.StatusCode != http.StatusNoContent {
		t.Errorf("reset: %d %s", a.StatusCode, a.body)
	}
	if err := mail.Allow(); err != nil {
		t.Error(err)
	}
	eventually("/v1/admin/breakers/mail", `"why":"it was reset by anonymous"`)
	for _, method := range []string{"GET", "DELETE"} {
		if a := s.do(method, "/v1/admin/breakers/geo", ""); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, `there is no breaker \"geo\"`) {
			t.Errorf("%s of none: %d %s", method, a.StatusCode, a.body)
		}
	}
}

func TestResetOfABreakerIsAudited(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	var log bytes.Buffer
	h := New(Config{Hub: s.hub, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("DELETE", "/v1/admin/breakers/log", nil))
	if !strings.Contains(log.String(), "logger=audit") || !strings.Contains(log.String(), `action="reset the breaker" target=log`) {
		t.Errorf("the audit log: %s", log.String())
	}
}
