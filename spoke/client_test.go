package spoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/navehub/nave"
)

const token = "eyJ0b2tlbg.c2VjcmV0.c2lnbmF0dXJl"

// A token goes to the hub and to nobody else, however one is sent there.
func TestTokenGoesToNobodyElse(t *testing.T) {
	c, err := New(Config{URL: "https://hub.example"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for address, kept := range map[string]bool{
		"https://hub.example/x": true, "http://hub.example/x": false, "https://hub.example:444/x": false, "https://a.hub.example/": false,
	} {
		to := httptest.NewRequest(http.MethodGet, address, nil)
		to.Header.Set("Authorization", "Bearer "+token)
		if err := c.redirected(to, []*http.Request{to}); err != nil || (to.Header.Get("Authorization") != "") != kept {
			t.Errorf("%s: %v, %v", address, to.Header, err)
		}
	}
}

func TestNewTakesAddressesOfHubs(t *testing.T) {
	for _, address := range []string{"", "localhost:8080", "ftp://hub", "http://", "http://user:secret@ho st"} {
		if _, err := New(Config{URL: address}); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// A refused token is asked for once more; one that is still the same is the end.
func TestTokenIsAskedForAnew(t *testing.T) {
	tokens := []string{"old", "old", "new", "new", "new"}
	for name, test := range map[string]struct {
		accepted string
		want     int // streams
	}{"another is accepted": {"new", 2}, "none is": {"other", 2}} {
		var asked, streams atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			streams.Add(1)
			if r.Header.Get("Authorization") != "Bearer "+test.accepted {
				sendJSON(w, 401, `{"status":401,"code":"unauthorised","detail":"expired"}`)
				return
			}
			write(w, r, synced+one(2), true)
		}))
		defer server.Close()
		c, err := New(Config{URL: server.URL, Token: func(context.Context) (string, error) {
			return tokens[min(int(asked.Add(1)), len(tokens)-1)], nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		var last error
		for _, err := range c.Subscribe(SubscribeConfig{Filters: nave.Filters{"a"}}).Batches(t.Context()) {
			last = err
			break
		}
		if (last == nil) != (test.accepted == "new") || int(streams.Load()) != test.want {
			t.Errorf("%s: %v after %d tries", name, last, streams.Load())
		}
		if last != nil && nave.CodeOf(last) != nave.CodeUnauthorised {
			t.Errorf("%s: code %s", name, nave.CodeOf(last))
		}
	}
}

// A stream whose token expires is given another on the spot.
func TestTokenIsRenewed(t *testing.T) {
	renewed := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			var asked struct{ Connection string }
			_ = json.NewDecoder(r.Body).Decode(&asked)
			renewed <- asked.Connection + " " + r.Header.Get("Authorization")
			sendJSON(w, 200, `{}`)
			return
		}
		write(w, r, synced+"event: hub.auth\ndata: {\"status\":\"expiring\",\"connection\":\"17\"}\n\n", true)
	}))
	defer server.Close()
	var asked atomic.Int64
	c, err := New(Config{URL: server.URL, Token: func(context.Context) (string, error) {
		return fmt.Sprint("token", asked.Add(1)), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	go func() { // ends with the renewal
		if got := <-renewed; got != "17 Bearer token2" {
			t.Errorf("renewed %s", got)
		}
		cancel()
	}()
	for _, err := range c.Subscribe(SubscribeConfig{Filters: nave.Filters{"a"}}).Batches(ctx) {
		t.Error(err)
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Error("the token was not renewed")
	}
}

// Trying again is safe because it is the same event: the id stays.
func TestPublishTriesAgainUnderTheSameID(t *testing.T) {
	var ids []string
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		var e nave.Event
		_ = json.NewDecoder(r.Body).Decode(&e)
		ids = append(ids, e.ID)
		switch len(ids) {
		case 1:
			panic(http.ErrAbortHandler)
		case 2:
			sendJSON(w, 503, `{"status":503,"detail":"not now"}`)
		default:
			sendJSON(w, 200, `{"cursor":"e-17","events":[{"id":"x","offset":17,"version":17}]}`)
		}
	})
	p, err := hub.Publish(t.Context(), nave.Event{Topic: "a", Type: "t"})
	if err != nil || p.Cursor != "e-17" || p.Events[0].Version != 17 {
		t.Errorf("%+v, %v", p, err)
	}
	if len(ids) != 3 || ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("ids %q", ids)
	}
}

// An answer that does not come is not waited for until the end of the time.
func TestPublishTriesAgainWhenThereIsNoAnswer(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or its end is not noticed
		if asked.Add(1) == 1 {
			<-r.Context().Done()
			return
		}
		sendJSON(w, 200, `{"cursor":"e-17","events":[{"id":"x","offset":17}]}`)
	}))
	defer server.Close()
	c, err := New(Config{URL: server.URL, Patience: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if p, err := c.Publish(t.Context(), nave.Event{Topic: "a", Type: "t"}); err != nil || p.Cursor != "e-17" {
		t.Errorf("%+v, %v", p, err)
	}
}

// A token that cannot be had for a while costs a subscription a while, and no more.
func TestTokenThatCannotBeHad(t *testing.T) {
	var asked, streams atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		write(w, r, synced+one(int(streams.Add(1))+1), false)
	}))
	defer server.Close()
	c, err := New(Config{URL: server.URL, Token: func(context.Context) (string, error) {
		if asked.Add(1) == 2 {
			return "", errors.New("nobody answers where tokens are had")
		}
		return token, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	got, _ := record(t, c, SubscribeConfig{Cursor: "e-1", Retry: time.Millisecond}, 2)
	if strings.Join(got, " ") != "a2 a3" {
		t.Errorf("%q", got)
	}
}

// A conflict says what to rebase on.
func TestPublishConflict(t *testing.T) {
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		sendJSON(w, 409, `{"status":409,"code":"conflict","conflicts":[{"topic":"a","key":"k","ifVersion":3,"version":17,
			"event":{"type":"t","topic":"a","key":"k","offset":17,"data":{"by":"Ada"}}}]}`)
	})
	three := uint64(3)
	_, err := hub.Publish(t.Context(), nave.Event{Topic: "a", Type: "t", Key: "k", IfVersion: &three})
	var conflict *nave.ConflictError
	if !errors.As(err, &conflict) || nave.CodeOf(err) != nave.CodeConflict {
		t.Fatalf("%v has code %s", err, nave.CodeOf(err))
	}
	if c := conflict.Conflicts[0]; c.Version != 17 || string(c.Event.Data) != `{"by":"Ada"}` || c.Event.Version() != 17 {
		t.Errorf("%+v", c)
	}
}

// What is wrong is said before it is sent, and an end is an end.
func TestPublishRefuses(t *testing.T) {
	hub := newServer(t, func(w http.ResponseWriter, r *http.Request) { sendJSON(w, 503, `{"status":503,"detail":"not now"}`) })
	for _, events := range [][]nave.Event{nil, {{Type: "t"}}, {{Topic: "a", Type: "t"}, {Topic: "a"}}} {
		if _, err := hub.Publish(t.Context(), events...); nave.CodeOf(err) != nave.CodeInvalid {
			t.Errorf("%v: %v", events, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := hub.Publish(ctx, nave.Event{Topic: "a", Type: "t"}); err == nil || !strings.Contains(err.Error(), "not now") {
		t.Errorf("at the end of the time: %v", err)
	}
}
