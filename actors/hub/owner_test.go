package hub

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
	"github.com/navehub/nave/auth"
	"github.com/navehub/nave/eventlog"
	"github.com/navehub/nave/eventlog/memlog"
)

func TestOwners(t *testing.T) {
	from := func(address string) client.Request {
		return client.Request{Address: netip.MustParseAddr(address), Who: &auth.Identity{}}
	}
	if a, b := ownerOf(from("2001:db8::1")), ownerOf(from("2001:db8::ffff")); a != b {
		t.Error("two addresses of one /64 are two owners")
	}
	if a, b := ownerOf(from("192.0.2.1")), ownerOf(from("192.0.2.2")); a == b {
		t.Error("two addresses of IPv4 are one owner")
	}
	for _, address := range []string{"127.0.0.1", "::1"} {
		if o := ownerOf(from(address)); o != (owner{}) {
			t.Errorf("%s is %+v", address, o)
		}
	}
	token := from("127.0.0.1")
	token.Who = &auth.Identity{Issuer: "here", Subject: "alice", Fingerprint: auth.Digest{1}}
	other := token
	other.Who = &auth.Identity{Issuer: "there", Subject: "alice", Fingerprint: auth.Digest{1}}
	if a, b := ownerOf(token), ownerOf(other); a == b || a.subject != "alice" {
		t.Errorf("%+v and %+v of two issuers", a, b)
	}
	limits := Limits{ClientsPerSubject: 2, ClientsPerAddress: 3}
	for o, most := range map[owner]int{ownerOf(token): 2, ownerOf(from("192.0.2.1")): 3} {
		if limits.checkOwner(o, most-1) != nil || nave.CodeOf(limits.checkOwner(o, most)) != nave.CodeBusy {
			t.Errorf("%+v is not bounded by %d", o, most)
		}
	}
	if limits.checkOwner(owner{}, 1000) != nil {
		t.Error("nobody is bounded")
	}
}

// What the hub keeps about itself lasts, whatever rules there are.
func TestNoRuleIsForTheHubsOwnTopics(t *testing.T) {
	c := Config{Topics: []TopicRule{{Filter: "$hub/**", Durability: nave.Transient, Rate: 1}}}
	if r := c.rule(revocations); r.Durability != nave.Durable || r.Rate != 0 {
		t.Errorf("the rule is %+v", r)
	}
}

// Who leaves makes room for another, to the last.
func TestRosterCountsOwners(t *testing.T) {
	var r roster
	r.empty = make(chan struct{}, 1)
	alice := owner{subject: "alice"}
	for round := range 3 {
		for id := range uint64(5) {
			r.add(id, alice, nil)
		}
		r.add(9, owner{}, nil)
		if n := r.ownedBy(alice); n != 5 {
			t.Errorf("round %d: alice has %d", round, n)
		}
		for id := range uint64(5) {
			r.remove(id)
			r.remove(id) // twice is once
		}
		if n := r.ownedBy(alice); n != 0 || len(r.owners) != 0 {
			t.Errorf("round %d: alice has %d, %d are listed", round, n, len(r.owners))
		}
		r.remove(9)
	}
}

// What every client is told is short.
func TestPinsAreShort(t *testing.T) {
	h := New(Config{}, memlog.Opener(eventlog.Options{}))
	if err := h.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer h.Shutdown(t.Context())
	pin := Pin{Level: nave.LevelPolling, Reason: strings.Repeat("x", maxPinReason+1)}
	if err := h.Pin(t.Context(), &pin); nave.CodeOf(err) != nave.CodeTooLarge || h.Level() != nave.LevelNormal {
		t.Errorf("a long reason: %v, the level is %s", err, h.Level())
	}
	pin.Reason = "x"
	if err := h.Pin(t.Context(), &pin); err != nil || h.Level() != nave.LevelPolling {
		t.Errorf("a short one: %v, the level is %s", err, h.Level())
	}
}
