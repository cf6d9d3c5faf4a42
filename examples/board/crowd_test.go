package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/navehub/nave/examples/board/store"
)

// A crowd works on a board, and remembers what it has had a yes to.
type crowd struct {
	members []*member
	working sync.WaitGroup
	end     chan struct{}
}

type member struct {
	*person
	crowd    *crowd
	random   *rand.Rand
	n        int
	cards    []string // made with a yes
	messages []string // as well
	yes, no  int
}

var people = []string{"ada", "ben", "chloe", "dan", "eva"}

// gather has everybody work until they are dismissed.
func gather(t *testing.T, url string) *crowd {
	t.Helper()
	c := &crowd{end: make(chan struct{})}
	for i, name := range people {
		m := &member{person: signedIn(t, url, name), crowd: c, random: rand.New(rand.NewPCG(7, uint64(i)))}
		c.members = append(c.members, m)
		c.working.Go(m.work)
	}
	return c
}

// dismiss ends the work, and finds what was acknowledged in the database.
func (c *crowd) dismiss(t *testing.T) {
	t.Helper()
	close(c.end)
	c.working.Wait()
	for _, m := range c.members {
		t.Logf("%s: %d were done, %d were not", m.name, m.yes, m.no)
	}
}

func (c *crowd) acknowledged(t *testing.T, j *judge) {
	t.Helper()
	for _, m := range c.members {
		for _, id := range m.cards {
			if _, ok := j.cards[id]; !ok && !j.deleted[id] {
				t.Errorf("card %s was acknowledged, and is not there", id)
			}
		}
		for _, id := range m.messages {
			if !slices.ContainsFunc(j.messages, func(one store.Message) bool { return one.ID == id }) {
				t.Errorf("message %s was acknowledged, and is not there", id)
			}
		}
	}
}

func (m *member) ended() bool {
	select {
	case <-m.crowd.end:
		return true
	default:
		return false
	}
}

func (m *member) work() {
	for !m.ended() {
		var board store.Board
		if status, _ := m.ask("GET", "/api/boards/main", nil, &board); status != http.StatusOK {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		for range 5 {
			m.act(board)
		}
	}
}

// act does one of many things. What is to be done once is sent until there is an
// answer.
func (m *member) act(b store.Board) {
	m.n++
	id := fmt.Sprintf("%s-%d", m.name, m.n)
	card := b.Cards[m.random.IntN(len(b.Cards))]
	switch what := m.random.IntN(10); {
	case what < 5:
		to := b.Columns[m.random.IntN(len(b.Columns))]
		move := store.Move{To: to.ID}
		if n := len(to.Cards); n > 0 && m.random.IntN(2) == 0 {
			if before := to.Cards[m.random.IntN(n)]; before != card.ID {
				move.Before = &before
			}
		}
		m.count(m.ask("POST", "/api/cards/"+card.ID+"/move", move, nil))
	case what < 7:
		title := "Title " + id
		m.count(m.ask("PATCH", "/api/cards/"+card.ID, map[string]any{"rev": card.Rev, "changes": map[string]string{"title": title}}, nil))
	case what == 7 && len(b.Cards) < 40:
		if m.persist("/api/cards", store.NewCard{ID: id, Column: "todo", Title: "Card " + id}) {
			m.cards = append(m.cards, id)
		}
	case what == 7 && len(b.Cards) > 20:
		m.count(m.ask("DELETE", fmt.Sprintf("/api/cards/%s?rev=%d", card.ID, card.Rev), nil, nil))
	case what == 8:
		m.count(m.ask("PATCH", "/api/users/me", map[string]string{"status": id}, nil))
	default:
		if m.persist("/api/conversations/design/messages", store.NewMessage{ID: "m-" + id, Text: "Said " + id}) {
			m.messages = append(m.messages, "m-"+id)
		}
	}
}

// persist sends until there is an answer, as long as there is work.
func (m *member) persist(path string, body any) bool {
	for {
		status, text := m.ask("POST", path, body, nil)
		m.count(status, text)
		if status != 0 {
			return status < 300
		}
		if m.ended() {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (m *member) count(status int, _ string) {
	if status > 0 && status < 300 {
		m.yes++
	} else {
		m.no++
	}
}
