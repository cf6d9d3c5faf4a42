package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/navehub/nave"
	"github.com/navehub/nave/examples/board/store"
	"github.com/navehub/nave/spoke"
)

// connect makes a spoke for somebody who has signed in.
func connect(t *testing.T, p *person) *spoke.Client {
	t.Helper()
	client, err := spoke.New(spoke.Config{URL: p.url, Token: func(context.Context) (string, error) {
		var answer struct{ Token string }
		if status, text := p.ask("GET", "/api/token", nil, &answer); status != http.StatusOK {
			return "", fmt.Errorf("no token: %s", text)
		}
		return answer.Token, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// beginning is a cursor from before everything.
func beginning(t *testing.T, client *spoke.Client) string {
	t.Helper()
	answer, err := client.Do(t.Context(), http.MethodGet, "/v1/events", url.Values{"topic": {"users/all"}},
		http.Header{"Accept": {"application/json"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var page struct{ Cursor string }
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	epoch, _, _ := strings.Cut(page.Cursor, "-")
	return epoch + "-0"
}

// read reads the hub's log, from the beginning to the batch that has the key.
func readLog(t *testing.T, p *person, lastKey string) (log [][]spoke.Event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := connect(t, p)
	all := client.Subscribe(spoke.SubscribeConfig{
		Filters: nave.Filters{"cards/**", "users/**", "conversations/**"}, Cursor: beginning(t, client),
	})
	for batch, err := range all.Batches(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		log = append(log, batch.Events)
		if slices.ContainsFunc(batch.Events, func(e spoke.Event) bool { return e.Key == lastKey }) {
			return log
		}
	}
	t.Fatalf("%s has not come", lastKey)
	return nil
}

// A judge replays a log, and compares it with the database.
type judge struct {
	t             *testing.T
	revs          map[string]int64 // by topic and key
	cards         map[string]store.Card
	deleted       map[string]bool
	columns       map[string]store.Column
	users         map[string]store.User
	conversations map[string]store.Conversation
	messages      []store.Message
}

// verify has a last message posted, waits until the outbox is empty, and finds that
// the log has what the database has: each change once, in one order per key, and
// moves whole.
func verify(t *testing.T, p *person, title string) (*judge, store.Audit) {
	t.Helper()
	p.must(t, http.StatusCreated, "POST", "/api/conversations/general/messages", store.NewMessage{ID: title, Text: "The end."}, nil)
	var audit store.Audit
	eventually(t, "the outbox is empty", func() bool {
		p.must(t, http.StatusOK, "GET", "/api/audit", nil, &audit)
		return audit.Outbox == 0
	})
	j := &judge{
		t: t, revs: map[string]int64{}, cards: map[string]store.Card{}, deleted: map[string]bool{},
		columns: map[string]store.Column{}, users: map[string]store.User{},
		conversations: map[string]store.Conversation{},
	}
	for _, batch := range readLog(t, p, title) {
		j.replay(batch)
	}
	j.compare(audit)
	return j, audit
}

func (j *judge) replay(batch []spoke.Event) {
	j.t.Helper()
	var kinds []string
	for _, e := range batch {
		kinds = append(kinds, e.Type)
		j.apply(e)
	}
	if len(j.revs) > len(batch) { // all but the first, which has all that a board begins with
		j.shape(kinds, batch)
	}
	held := map[string]string{}
	for _, column := range j.columns {
		for _, id := range column.Cards {
			if held[id] != "" {
				j.t.Errorf("after %v card %s is in two columns", kinds, id)
			}
			held[id] = column.ID
		}
	}
	for id, card := range j.cards {
		if held[id] != card.Column {
			j.t.Errorf("after %v card %s is in column %q, and says %q", kinds, id, held[id], card.Column)
		}
	}
	if len(held) != len(j.cards) {
		j.t.Errorf("after %v the columns have %d cards, and there are %d", kinds, len(held), len(j.cards))
	}
}

// shapes are what is published together.
var shapes = []string{
	"card.created column.changed", "card.updated", "card.deleted column.changed",
	"card.moved column.changed", "card.moved column.changed column.changed",
	"user.updated", "message.posted conversation.changed",
}

func (j *judge) shape(kinds []string, batch []spoke.Event) {
	j.t.Helper()
	if !slices.Contains(shapes, strings.Join(kinds, " ")) {
		j.t.Errorf("a batch has %v", kinds)
	}
	for i, e := range batch {
		if e.Batch.I != i || e.Batch.N != len(batch) || e.Source != "board" {
			j.t.Errorf("event %d of %d of a batch says %v, and source %q", i, len(batch), e.Batch, e.Source)
		}
	}
}

func (j *judge) apply(e spoke.Event) {
	j.t.Helper()
	switch e.Type {
	case "card.created", "card.updated", "card.moved":
		card := data[store.Card](j, e)
		j.next(e, card.Rev)
		j.cards[e.Key] = card
	case "card.deleted":
		if _, ok := j.cards[e.Key]; !ok || len(e.Data) > 0 {
			j.t.Errorf("card %s is deleted twice, or with data %s", e.Key, e.Data)
		}
		delete(j.cards, e.Key)
		j.deleted[e.Key] = true
	case "column.changed":
		column := data[store.Column](j, e)
		j.next(e, column.Rev)
		j.columns[column.ID] = column
	case "user.updated":
		user := data[store.User](j, e)
		j.next(e, user.Rev)
		j.users[user.ID] = user
	case "conversation.changed":
		conversation := data[store.Conversation](j, e)
		j.next(e, conversation.Rev)
		j.conversations[e.Key] = conversation
	case "message.posted":
		j.messages = append(j.messages, data[store.Message](j, e))
	default:
		j.t.Errorf("there is a %s in %s", e.Type, e.Topic)
	}
}

// next finds that this change follows on the last one of its key: none is missing,
// and none comes twice.
func (j *judge) next(e spoke.Event, rev int64) {
	j.t.Helper()
	key := string(e.Topic) + " " + e.Key
	if j.deleted[e.Key] || rev != j.revs[key]+1 {
		j.t.Errorf("%s of %s has rev %d after %d, deleted: %t", e.Type, key, rev, j.revs[key], j.deleted[e.Key])
	}
	j.revs[key] = rev
}

func data[T any](j *judge, e spoke.Event) (value T) {
	j.t.Helper()
	if err := json.Unmarshal(e.Data, &value); err != nil {
		j.t.Errorf("%s %s: %v", e.Type, e.Key, err)
	}
	return value
}

func (j *judge) compare(audit store.Audit) {
	j.t.Helper()
	cards, columns, users := map[string]store.Card{}, map[string]store.Column{}, map[string]store.User{}
	for _, c := range audit.Cards {
		cards[c.ID] = c
	}
	for _, c := range audit.Columns {
		columns[c.ID] = c
	}
	for _, u := range audit.Users {
		users[u.ID] = u
	}
	conversations := map[string]store.Conversation{}
	for _, c := range audit.Conversations {
		conversations[c.ID] = c
	}
	for what, diff := range map[string]string{
		"cards": cmp.Diff(cards, j.cards), "columns": cmp.Diff(columns, j.columns), "users": cmp.Diff(users, j.users),
		"conversations": cmp.Diff(conversations, j.conversations), "messages": cmp.Diff(audit.Messages, j.messages),
	} {
		if diff != "" {
			j.t.Errorf("%s: the database (-) and the log (+) differ:\n%s", what, diff)
		}
	}
}

// events is how many the log has, for the record.
func (j *judge) events() (n int64) {
	for rev := range maps.Values(j.revs) {
		n += rev
	}
	return n + int64(len(j.messages)+len(j.deleted))
}
