package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/actors/presence"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/supervision"
)

func bearer(subject string, may ...nave.Filter) *auth.Identity {
	return &auth.Identity{Subject: subject, Fingerprint: auth.Digest{1}, Grant: auth.NewGrant(auth.Filters{Subscribe: may})}
}

// appear opens a stream of whom is to be seen on topics.
func appear(t *testing.T, h *Hub, who *auth.Identity, topics ...nave.Topic) *stream {
	t.Helper()
	synctest.Wait() // an actor that only begins finds who is there already, and tells them twice
	s := &stream{}
	err := h.Connect(t.Context(), client.Request{Filters: nave.Filters{"cards/*"}, Presence: topics, Transport: s, Who: who})
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	time.Sleep(2 * tellEvery)
	synctest.Wait()
	return s
}

// heard is what a stream has been told since the last time, but for its first verdict.
func (s *stream) heard(t *testing.T) (lines []string) {
	t.Helper()
	for _, e := range s.events(t) {
		switch e.Name {
		case "hub.heartbeat":
		case presence.Type:
			var body struct {
				Topic nave.Topic
				Data  presence.Data
			}
			if err := json.Unmarshal(e.Data, &body); err != nil || body.Topic != presence.TopicOf(body.Data.Topic) || e.ID != "" {
				t.Errorf("%+v: %v", e, err)
			}
			lines = append(lines, lineOf(body.Data))
		default:
			lines = append(lines, e.Name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written.Reset()
	return lines
}

func lineOf(d presence.Data) string {
	line := string(d.Topic)
	if d.Members != nil {
		line += " members"
	}
	for _, m := range d.Members {
		line += " " + m.Subject
		for _, c := range m.Connections {
			line += "," + c.ID
		}
	}
	for _, c := range d.Changes {
		line += fmt.Sprintf(" %s %s", c.Change, c.Subject)
	}
	return line
}

func (s *stream) expect(t *testing.T, lines ...string) {
	t.Helper()
	synctest.Wait()
	if got := s.heard(t); !slices.Equal(got, lines) {
		t.Errorf("heard\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(lines, "\n  "))
	}
}

// members are those that can be looked up.
func members(h *Hub, topic nave.Topic) (all []string) {
	for _, m := range h.Registry().Snapshot().Members(topic) {
		all = append(all, m.Subject)
	}
	return all
}

var (
	alice = bearer("alice", "boards/*", "cards/*")
	bob   = bearer("bob", "boards/*", "cards/*")
)

func TestPresence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		a := appear(t, h, alice, "boards/7", "boards/8")
		a.expect(t, "hub.sync", "boards/7 members alice,1", "boards/8 members alice,1")
		b := appear(t, h, bob, "boards/7")
		b.expect(t, "hub.sync", "boards/7 members alice,1 bob,2")
		a.expect(t, "boards/7 join bob")
		tab := appear(t, h, bob, "boards/7")
		tab.expect(t, "hub.sync", "boards/7 members alice,1 bob,2,3")
		a.expect(t)
		if err := h.SetIdle(t.Context(), 2, bob, true); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		a.expect(t) // he is at the other
		if err := h.SetIdle(t.Context(), 3, bob, true); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Second)
		a.expect(t, "boards/7 idle bob")
		if got := members(h, "boards/7"); !slices.Equal(got, []string{"alice", "bob"}) {
			t.Errorf("members = %v", got)
		}
		b.gone()
		tab.gone()
		time.Sleep(9 * time.Second)
		a.expect(t)
		again := appear(t, h, bob, "boards/7") // he has loaded the page anew
		again.expect(t, "hub.sync", "boards/7 members alice,1 bob,4")
		a.expect(t, "boards/7 active bob")
		again.gone()
		time.Sleep(11 * time.Second)
		a.expect(t, "boards/7 leave bob")
		if got := members(h, "boards/7"); !slices.Equal(got, []string{"alice"}) {
			t.Errorf("members = %v", got)
		}
		if n := h.present.members.Load(); n != 2 {
			t.Errorf("%d members in all, want alice on two topics", n)
		}
	})
}

// What is told has its place among all else on a stream, and a level that gives up
// transient events does not give it up.
func TestPresenceIsInOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Level: nave.LevelConserve})
		a := appear(t, h, alice, "boards/7")
		publish1(t, h, event("cards/1", "moved", 1))
		appear(t, h, bob, "boards/7")
		publish1(t, h, event("cards/1", "moved", 2))
		a.expect(t, "hub.sync", "boards/7 members alice,1", "moved", "boards/7 join bob", "moved")
	})
}

func TestPresenceIsForThoseWhoMayRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		spy := bearer("spy", "$presence/**", "cards/*")
		s := &stream{}
		if err := h.Connect(t.Context(), client.Request{Filters: nave.Filters{"$presence/**"}, Transport: s, Who: spy}); err != nil {
			t.Fatal(err)
		}
		everybody := connectTo(t, h, "", "**")
		synctest.Wait() // they are live
		a := appear(t, h, alice, "boards/7", "cards/1")
		a.expect(t, "hub.sync", "boards/7 members alice,3", "cards/1 members alice,3")
		s.expect(t, "hub.sync", "cards/1 join alice")
		everybody.expect(t, "hub.sync")
	})
}

func TestWhoLagsHearsTheWhole(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{Client: client.Config{Mailbox: 4 << 10, WriteTimeout: time.Minute}})
		a := appear(t, h, alice, "boards/7")
		a.expect(t, "hub.sync", "boards/7 members alice,1")
		resume := a.stall()
		for i := range 100 {
			publish1(t, h, event("cards/1", "moved", strings.Repeat("x", 200)))
			if i == 50 {
				appear(t, h, bob, "boards/7")
			}
		}
		resume()
		time.Sleep(time.Second)
		synctest.Wait()
		lines := slices.DeleteFunc(a.heard(t), func(l string) bool { return l == "moved" })
		lines = slices.Compact(lines) // once for each time that it lagged
		if !slices.Equal(lines, []string{"boards/7 members alice,1 bob,2"}) {
			t.Errorf("heard %v", lines)
		}
	})
}

func TestWhoPollsIsPresent(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		a := appear(t, h, alice, "boards/7")
		req := client.Request{Filters: nave.Filters{"cards/*"}, Presence: []nave.Topic{"boards/7"}, Who: bob}
		page, err := h.Poll(t.Context(), req, 0)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		req.Cursor = page.Cursor.String()
		if _, err := h.Poll(t.Context(), req, 25*time.Second); err != nil { // nothing happens
			t.Fatal(err)
		}
		time.Sleep(9 * time.Second)
		a.expect(t, "hub.sync", "boards/7 members alice,1", "boards/7 join bob")
		time.Sleep(2 * time.Second)
		a.expect(t, "boards/7 leave bob")
		req.Who = nil
		for range 3 { // who does not say who it is, is one with all who do not
			if _, err := h.Poll(t.Context(), req, time.Second); err != nil {
				t.Fatal(err)
			}
		}
		a.expect(t, "boards/7 join anonymous")
	})
}

func TestWhoIsAnonymousStandsForItsConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		appear(t, h, nil, "boards/7")
		appear(t, h, h.config.Authority.Anonymous(), "boards/7")
		appear(t, h, bearer("anonymous 1", "boards/*"), "boards/7")
		if got := members(h, "boards/7"); !slices.Equal(got, []string{"anonymous 1", "anonymous 1", "anonymous 2"}) {
			t.Errorf("members = %v", got)
		}
		for _, m := range h.Registry().Snapshot().Members("boards/7") {
			if m.Anonymous != (m.Connections[0].ID != "3") {
				t.Errorf("%+v", m)
			}
		}
		if err := h.SetIdle(t.Context(), 2, nil, true); err != nil {
			t.Error(err)
		}
	})
}

func TestIdleIsOnesOwn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		appear(t, h, alice, "boards/7")
		connectTo(t, h, "", "cards/*")
		for connection, want := range map[uint64]nave.Code{1: nave.CodeForbidden, 2: nave.CodeNotFound, 9: nave.CodeNotFound} {
			for _, who := range []*auth.Identity{bob, {Issuer: "other", Subject: "alice", Fingerprint: auth.Digest{1}}, nil} {
				if err := h.SetIdle(t.Context(), connection, who, true); nave.CodeOf(err) != want {
					t.Errorf("connection %d: %v, want %s", connection, err, want)
				}
			}
		}
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			err = h.SetIdle(t.Context(), 1, alice, n%2 == 0)
		}
		if nave.CodeOf(err) != nave.CodeBusy || n != idleBurst+1 {
			t.Errorf("after %d times: %v", n, err)
		}
		time.Sleep(time.Second)
		if err := h.SetIdle(t.Context(), 1, alice, true); err != nil {
			t.Error(err)
		}
	})
}

func TestPresenceIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		req := client.Request{Filters: nave.Filters{"cards/*"}, Transport: &stream{}, Presence: make([]nave.Topic, MaxPresence+1)}
		if err := h.Connect(t.Context(), req); nave.CodeOf(err) != nave.CodeTooMany {
			t.Errorf("on too many topics: %v", err)
		}
		h.present.members.Store(maxMembers)
		req.Presence = req.Presence[:1]
		if err := h.Connect(t.Context(), req); nave.CodeOf(err) != nave.CodeOverloaded {
			t.Errorf("one member too many: %v", err)
		}
		if _, err := h.Poll(t.Context(), req, 0); nave.CodeOf(err) != nave.CodeOverloaded {
			t.Errorf("one member too many, by polling: %v", err)
		}
		h.present.members.Store(0)
	})
}

// What the actor cannot be told, since too much waits for it, it finds out.
func TestPresenceFindsWhatItWasNotTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		a := appear(t, h, alice, "boards/7")
		b := appear(t, h, bob, "boards/7")
		h.clients.remove(2) // and nobody says so
		h.clients.add(99, owner{}, &presence.Connection{ID: 99, Who: presence.Who{Subject: "carol"}, Topics: []nave.Topic{"boards/7"}})
		h.present.missed.Store(true)
		h.attend(attend{1})
		time.Sleep(time.Second)
		a.expect(t, "hub.sync", "boards/7 members alice,1", "boards/7 join bob",
			"boards/7 join carol", "boards/7 members alice,1 bob carol,99")
		time.Sleep(10 * time.Second)
		a.expect(t, "boards/7 leave bob")
		h.clients.remove(99)
		b.gone()
	})
}

// failPresence makes the actor panic over a message: it finds a connection elsewhere
// than where it was.
func failPresence(h *Hub) bool {
	const id = 1 << 40
	v := &presence.Connection{ID: id, Who: presence.Who{Subject: "nobody"}, Topics: []nave.Topic{"nowhere"}}
	h.clients.add(id, owner{}, v)
	defer h.clients.remove(id)
	if _, err := actors.Ask(context.Background(), h.presence, func(r actors.Reply[struct{}]) presenceMessage {
		return setIdle{Reply: r, id: id, who: v.Who, idle: true}
	}); err != nil {
		return false
	}
	v.Topics[0] = "elsewhere"
	return panics(context.Background(), h.presence, func(r actors.Reply[struct{}]) presenceMessage {
		return setIdle{Reply: r, id: id, who: v.Who, idle: false}
	})
}

func presencePanics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		a := appear(t, h, alice, "boards/7")
		appear(t, h, bob, "boards/7")
		a.heard(t)
		if !failPresence(h) {
			t.Error("the caller does not hear of the panic")
		}
		time.Sleep(time.Second)
		const all = "boards/7 members alice,1 bob,2"
		a.expect(t, all, all) // for all who follow it, and for those who have no list
		if got := members(h, "boards/7"); !slices.Equal(got, []string{"alice", "bob"}) {
			t.Errorf("members = %v", got)
		}
		if n := h.Stats()[supervision.Presence].Restarts; n != 1 {
			t.Errorf("%d restarts, want 1", n)
		}
	})
}

func presenceKeepsPanicking(t *testing.T) {
	bubble(t, func(t *testing.T) {
		h := start(t, Config{})
		a := appear(t, h, alice, "boards/7")
		a.heard(t)
		for range tooOften {
			failPresence(h)
			time.Sleep(2 * time.Second)
		}
		if err := h.SetIdle(t.Context(), 1, alice, true); nave.CodeOf(err) != nave.CodeUnavailable {
			t.Errorf("SetIdle: %v", err)
		}
		if got := members(h, "boards/7"); len(got) > 0 {
			t.Errorf("members = %v, although nobody sees to them", got)
		}
		a.heard(t)
		publish1(t, h, event("cards/1", "moved", 1))
		a.expect(t, "moved")
		appear(t, h, bob, "boards/7").expect(t, "hub.sync")
		if err := h.Ready(); err != nil {
			t.Errorf("Ready: %v", err)
		}
	})
}
