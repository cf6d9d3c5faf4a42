package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/navehub/nave/sse"
)

func TestTailReconnects(t *testing.T) {
	connections := 0
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		connections++
		cursor := r.Header.Get("Last-Event-ID")
		switch {
		case connections == 1 && cursor == "":
			write(w, r, "event: hub.sync\nretry: 1\nid: e-1\ndata: {\"status\":\"live\",\"cursor\":\"e-1\"}\n\n"+one(2), false)
		case connections == 2 && cursor == "e-2":
			w.Header().Set("Retry-After", "0")
			answer(503, "application/problem+json", `{"detail":"the hub is shutting down"}`)(w, r)
		case connections == 3 && cursor == "e-2":
			write(w, r, synced+one(3), true)
		default:
			http.Error(w, "unexpected cursor "+cursor, http.StatusBadRequest)
		}
	})
	r := tailUntil(t, "#3", "a")
	if r.code != 0 || strings.Count(r.out, "#2") != 1 {
		t.Errorf("%+v", r)
	}
	for _, want := range []string{"live from e-1", "reconnecting in 0s: the connection ended", "the hub is shutting down (503)", "resumed: "} {
		if !strings.Contains(r.err, want) {
			t.Errorf("stderr lacks %q:\n%s", want, r.err)
		}
	}
}

// What will not get better by waiting ends tail.
func TestTailGivesUp(t *testing.T) {
	for _, test := range []struct {
		name   string
		handle http.HandlerFunc
		want   string
	}{
		{"refused", answer(422, "application/problem+json", `{"detail":"too many filters"}`), "refused: too many filters (422)"},
		{"no hub", answer(200, "text/html", "<h1>"), `URL is no hub: it answers with "text/html" instead of events`},
		{"too large", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", sse.MediaType)
			_, _ = io.WriteString(w, "data: "+strings.Repeat("x", sse.DefaultMaxEventBytes+1))
		}, sse.ErrTooLarge.Error()},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t, test.handle)
			r := hubCommand(t, "", "tail", "a")
			if got := strings.ReplaceAll(r.err, server.URL, "URL"); r.code != exitFailure || got != "hub: "+test.want+"\n" {
				t.Errorf("exit code %d, stderr %q, want %q", r.code, got, test.want)
			}
		})
	}
	t.Setenv(urlVariable, "http://127.0.0.1:1")
	if r := hubCommand(t, "", "tail", "a"); r.code != exitUnreachable || !strings.Contains(r.err, "Start one with ") {
		t.Errorf("%+v", r)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestTailEndsWhenNothingCanBeWritten(t *testing.T) {
	for _, block := range []string{one(2), "event: t\ndata: {\"topic\":\"a\"}\n\n"} { // logged, and transient
		newServer(t, func(w http.ResponseWriter, r *http.Request) { write(w, r, synced+block, true) })
		for _, args := range []string{"tail a", "tail a --json"} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var errs strings.Builder
			code := run(ctx, strings.NewReader(""), full{}, &errs, strings.Fields(args))
			const want = "hub: the events cannot be written: no space left on device\n"
			if code != exitFailure || !strings.HasSuffix(errs.String(), want) {
				t.Errorf("%s: exit code %d, stderr %q", args, code, &errs)
			}
		}
	}
}

func TestHealthcheck(t *testing.T) {
	for _, test := range []struct {
		handle http.HandlerFunc
		want   result
	}{
		{answer(200, "application/json", `{"status":"ready"}`), result{0, "ready\n", ""}},
		{answer(503, "application/json", `{"status":"not ready","reasons":["log: disk full","drain: soon"]}`),
			result{1, "", "hub: not ready: log: disk full; drain: soon\n"}},
		{answer(502, "text/html", "<h1>"), result{1, "", "hub: not ready: Bad Gateway\n"}},
	} {
		newServer(t, test.handle)
		if got := hubCommand(t, "", "healthcheck", "--ready"); got != test.want {
			t.Errorf("got %+v, want %+v", got, test.want)
		}
	}
	t.Setenv(urlVariable, "http://127.0.0.1:1")
	r := hubCommand(t, "", "healthcheck")
	if r.code != 1 || !strings.HasPrefix(r.err, "hub: not alive: no answer from http://127.0.0.1:1: ") {
		t.Errorf("%+v", r)
	}
}
