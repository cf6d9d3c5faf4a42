package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const myToken = "eyJ0b2tlbg.c2VjcmV0.c2lnbmF0dXJl"

// everyTalk are the commands that talk to a hub.
var everyTalk = []string{"publish a --type t", "publish --ndjson", "tail a", "healthcheck"}

// talk runs one of them.
func talk(t *testing.T, args string, further ...string) result {
	t.Helper()
	return hubCommand(t, `{"topic":"a","type":"t"}`, append(strings.Fields(args), further...)...)
}

func inFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTokenIsSent(t *testing.T) {
	var sent []string
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization"))
		answer(403, "application/problem+json", `{"detail":"no"}`)(w, r)
	})
	file := inFile(t, myToken+"\n")
	for _, args := range everyTalk {
		sent = nil
		talk(t, args)
		talk(t, args, "--token-file", file)
		t.Setenv(tokenVariable, myToken)
		talk(t, args)
		t.Setenv(tokenVariable, "another")
		talk(t, args, "--token-file", file)
		t.Setenv(tokenVariable, "")
		if got := strings.Join(sent, "|"); got != "|Bearer "+myToken+"|Bearer "+myToken+"|Bearer "+myToken {
			t.Errorf("%s sent %s", args, got)
		}
	}
}

// A token that is replaced in time outlives a connection.
func TestTokenIsReadAnew(t *testing.T) {
	file := inFile(t, "first")
	var sent []string
	newServer(t, func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Header.Get("Authorization"))
		if err := os.WriteFile(file, []byte("second"), 0o600); err != nil {
			t.Error(err)
		}
		write(w, r, synced+one(len(sent)), len(sent) == 2)
	})
	tailUntil(t, "#2", "a", "--token-file", file)
	if got := strings.Join(sent, "|"); got != "Bearer first|Bearer second" {
		t.Errorf("sent %s", got)
	}
}

func TestTokenIsNotShown(t *testing.T) {
	server := newServer(t, answer(401, "application/problem+json", `{"detail":"the token expired"}`))
	t.Setenv(tokenVariable, myToken)
	for _, address := range []string{server.URL, "http://127.0.0.1:1", "http://user:pass@127.0.0.1:1"} {
		for _, args := range everyTalk {
			if strings.HasPrefix(args, "publish") && address != server.URL {
				args += " --timeout 1ms"
			}
			if r := talk(t, args, "--url", address); r.code == 0 || strings.Contains(r.out+r.err, myToken) || strings.Contains(r.err, "Say who you are") {
				t.Errorf("%s: %+v", args, r)
			}
		}
	}
}

func TestWrongTokens(t *testing.T) {
	newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("it was sent") })
	for text, want := range map[string]string{
		"":                         " is empty: it must have a token",
		"\n":                       " is empty: it must have a token",
		myToken + "\nX: y":         " is no token, which is one word",
		"Bearer " + myToken:        " is no token, which is one word",
		myToken + "\x00":           " is no token, which is one word",
		"tökén":                    " is no token, which is one word",
		strings.Repeat("x", 16385): " is no token: it has more than 16384 bytes",
	} {
		file := inFile(t, text)
		r := talk(t, everyTalk[0], "--token-file", file)
		if first, _, _ := strings.Cut(r.err, "\n"); r.code != exitUsage || first != "hub: --token-file "+file+want {
			t.Errorf("%+v, want %q", r, want)
		}
		if strings.TrimSpace(text) == "" || strings.Contains(text, "\x00") {
			continue // a variable that is empty is none, and this one cannot be
		}
		t.Setenv(tokenVariable, text)
		r = talk(t, everyTalk[0])
		if first, _, _ := strings.Cut(r.err, "\n"); r.code != exitUsage || first != "hub: $NAVE_TOKEN"+want {
			t.Errorf("%+v, want %q", r, want)
		}
		t.Setenv(tokenVariable, "")
	}
	r := talk(t, everyTalk[0], "--token-file", "none")
	if !strings.HasPrefix(r.err, "hub: --token-file: open none: no such file or directory\n") || r.code != exitUsage {
		t.Errorf("%+v", r)
	}
	t.Setenv(tokenVariable, myToken)
	r = talk(t, everyTalk[0], "--url", "http://user:pass@127.0.0.1:1")
	if !strings.HasPrefix(r.err, "hub: the address has a user, and there is a token too: only one of them can be sent\n") || r.code != exitUsage {
		t.Errorf("%+v", r)
	}
}

func TestWithoutTokenOneHearsHow(t *testing.T) {
	newServer(t, answer(401, "application/problem+json", `{"detail":"this hub wants a token"}`))
	want := "hub: refused: this hub wants a token (401)\nSay who you are with --token-file or $NAVE_TOKEN.\n"
	for _, args := range []string{everyTalk[0], "tail a"} {
		if r := talk(t, args); r.err != want || r.code != exitFailure {
			t.Errorf("%+v", r)
		}
	}
}

// Whoever the hub redirects to is not the hub: neither another port of the same
// host, nor the same address without TLS.
func TestTokenIsNotSentElsewhere(t *testing.T) {
	t.Setenv(tokenVariable, myToken)
	sent := map[string]string{}
	note := func(name string, then http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			sent[name+r.URL.Path] = r.Header.Get("Authorization")
			then(w, r)
		}
	}
	other := httptest.NewServer(note("other ", answer(200, "application/json", accepted)))
	defer other.Close()
	newServer(t, note("hub ", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/events" {
			http.Redirect(w, r, "/moved", http.StatusTemporaryRedirect)
			return
		}
		http.Redirect(w, r, other.URL+"/x", http.StatusTemporaryRedirect)
	}))
	if r := hubCommand(t, "", "publish", "a", "--type", "t"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if len(sent) != 3 || sent["hub /v1/events"] != "Bearer "+myToken || sent["hub /moved"] != "Bearer "+myToken || sent["other /x"] != "" {
		t.Errorf("sent %q", sent)
	}
}
