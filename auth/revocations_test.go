package auth

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/navehub/nave"
)

func TestRevocations(t *testing.T) {
	at := time.Date(2026, 1, 1, 12, 0, 0, 500, time.UTC)
	who := &Identity{Issuer: "here", Subject: "alice", ID: "7", Fingerprint: Digest{1}, Issued: at.Add(-time.Minute)}
	fingerprint := hex.EncodeToString(who.Fingerprint[:])
	for name, tt := range map[string]struct {
		r    Revocation
		ends bool
	}{
		"its id":                       {Revocation{ID: "7"}, true},
		"its id, of its issuer":        {Revocation{ID: "7", Issuer: "here"}, true},
		"its id, of another issuer":    {Revocation{ID: "7", Issuer: "there"}, false},
		"another id":                   {Revocation{ID: "8"}, false},
		"its subject":                  {Revocation{Subject: "alice"}, true},
		"its subject of its issuer":    {Revocation{Subject: "alice", Issuer: "here"}, true},
		"its subject elsewhere":        {Revocation{Subject: "alice", Issuer: "there"}, false},
		"its subject, as an id":        {Revocation{ID: "alice"}, false},
		"its id, as a subject":         {Revocation{Subject: "7"}, false},
		"another subject":              {Revocation{Subject: "bob"}, false},
		"the token":                    {Revocation{Token: fingerprint}, true},
		"the token, in capitals":       {Revocation{Token: strings.ToUpper(fingerprint)}, true},
		"another token":                {Revocation{Token: hex.EncodeToString(make([]byte, 32))}, false},
		"the subject, before its time": {Revocation{Subject: "alice", At: at.Add(-time.Hour)}, false},
	} {
		if tt.r.At.IsZero() {
			tt.r.At = at
		}
		if err := tt.r.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var rs Revocations
		if err := rs.Put(tt.r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		err := rs.Check(who, 0)
		if (err != nil) != tt.ends || err != nil && nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("%s: %v", name, err)
		}
		if rs.Check(&Identity{}, 0) != nil {
			t.Errorf("%s: who is anonymous has been revoked", name)
		}
		if !rs.Lift(tt.r.Key()) || rs.Lift(tt.r.Key()) || rs.Check(who, 0) != nil || len(rs.All()) != 0 {
			t.Errorf("%s: it cannot be lifted", name)
		}
	}
	var rs Revocations
	_ = rs.Put(Revocation{Subject: "alice", At: at})
	for name, issued := range map[string]time.Time{"of the same second": at.Truncate(time.Second), "that does not say when": {}} {
		if rs.Check(&Identity{Subject: "alice", Fingerprint: Digest{1}, Issued: issued}, 0) == nil {
			t.Errorf("a token %s outlives the revocation of its subject", name)
		}
	}
	if err := rs.Check(&Identity{Subject: "alice", Fingerprint: Digest{1}, Issued: at.Add(time.Second)}, 0); err != nil {
		t.Errorf("a new token of a revoked subject: %v", err)
	}
}

func TestRevocationsSayWhatTheyAreAbout(t *testing.T) {
	for _, wrong := range []Revocation{{ID: "7", Until: time.Now().Add(-time.Second)}, {}, {ID: "7", Subject: "alice"}, {Token: "7"}, {Token: "zz"}, {Reason: "why not"}} {
		if nave.CodeOf(wrong.Check()) != nave.CodeInvalid {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}

func TestTextsOfRevocationsAreBounded(t *testing.T) {
	long := strings.Repeat("x", maxRevocationText+1)
	for _, wrong := range []Revocation{{ID: long}, {Subject: long}, {ID: "7", Issuer: long}, {ID: "7", Reason: long}} {
		if nave.CodeOf(wrong.Check()) != nave.CodeTooLarge {
			t.Errorf("%.40v is accepted", wrong)
		}
	}
}

// One that is over is in force no more. A token whose issuer's clock is ahead may be
// older than the revocation of its subject.
func TestRevocationsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rs Revocations
		who := &Identity{Subject: "alice", ID: "7", Fingerprint: Digest{1}, Issued: time.Now().Add(5 * time.Second)}
		_ = rs.Put(Revocation{ID: "7", At: time.Now(), Until: time.Now().Add(time.Minute)})
		if rs.Check(who, 0) == nil {
			t.Error("it is not in force")
		}
		time.Sleep(2 * time.Minute)
		if err := rs.Check(who, 0); err != nil {
			t.Errorf("it is over: %v", err)
		}
		_ = rs.Put(Revocation{Subject: "alice", At: who.Issued.Add(-3 * time.Second)})
		if rs.Check(who, 0) != nil || rs.Check(who, 10*time.Second) == nil {
			t.Error("the leeway is not looked at")
		}
	})
}

func TestRevocationsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var rs Revocations
		id := func(i int) string { return string(rune('a'+i%26)) + time.Duration(i).String() }
		for i := range MaxRevocations {
			if err := rs.Put(Revocation{ID: id(i), Until: time.Now().Add(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := rs.Put(Revocation{ID: "more"}); nave.CodeOf(err) != nave.CodeTooMany {
			t.Errorf("one more: %v", err)
		}
		if err := rs.Put(Revocation{ID: id(0)}); err != nil {
			t.Errorf("one again: %v", err)
		}
		time.Sleep(2 * time.Hour)
		if n := len(rs.All()); n != 1 {
			t.Errorf("%d are in force, want the one without end", n)
		}
		if err := rs.Put(Revocation{ID: "more"}); err != nil {
			t.Errorf("one more, since others are over: %v", err)
		}
	})
}

func TestTickets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tickets := NewTickets(30 * time.Second)
		alice, bob := &Identity{Subject: "alice", Fingerprint: Digest{1}}, &Identity{Subject: "bob", Fingerprint: Digest{2}}
		first, expires, err := tickets.Issue(alice)
		if err != nil || !expires.Equal(time.Now().Add(30*time.Second)) {
			t.Fatal(expires, err)
		}
		if held := fmt.Sprintf("%+v", tickets.issued); strings.Contains(held, first) || len(tickets.issued) != 1 {
			t.Error("a ticket is kept as it is, and not by its hash") // how long it takes to find would tell of it
		}
		if who, err := tickets.Redeem(first); who != alice || err != nil {
			t.Errorf("it stands for %v, %v", who, err)
		}
		for name, ticket := range map[string]string{"one that was used": first, "one that never was": "x", "none": ""} {
			if who, err := tickets.Redeem(ticket); who != nil || nave.CodeOf(err) != nave.CodeUnauthorised {
				t.Errorf("%s stands for %v, %v", name, who, err)
			}
		}
		late, _, _ := tickets.Issue(alice)
		time.Sleep(30 * time.Second)
		if who, err := tickets.Redeem(late); who != nil || nave.CodeOf(err) != nave.CodeUnauthorised {
			t.Errorf("one that is over stands for %v, %v", who, err)
		}
		for range maxHeld { // used or not
			text, _, err := tickets.Issue(alice)
			if err == nil {
				_, err = tickets.Redeem(text)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := tickets.Issue(alice); nave.CodeOf(err) != nave.CodeBusy {
			t.Errorf("one too many: %v", err)
		}
		if _, _, err := tickets.Issue(bob); err != nil {
			t.Errorf("another's: %v", err)
		}
		time.Sleep(30 * time.Second)
		if _, _, err := tickets.Issue(alice); err != nil {
			t.Errorf("after a while: %v", err)
		}
		time.Sleep(30 * time.Second)
		tickets.forget(time.Now())
		if len(tickets.issued)+len(tickets.queue)+len(tickets.held) != 0 {
			t.Errorf("%d, %d and %d are kept of nothing", len(tickets.issued), len(tickets.queue), len(tickets.held))
		}
	})
}
