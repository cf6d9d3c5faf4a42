package httpapi

import (
	"strings"
	"testing"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/hub"
	"github.com/navehub/nave/auth"
)

func TestHealthIsShown(t *testing.T) {
	s := start(t, hub.Config{}, Config{})
	s.publish(`{"topic":"a","type":"b"}`)
	var shown struct {
		Now *struct {
			At      time.Time
			Service struct{ Level string }
			Head    uint64
			Actors  []struct{ Kind string }
		}
		Past []struct{ Level string }
	}
	for deadline := time.Now().Add(patience); shown.Now == nil || shown.Now.Head == 0 || len(shown.Past) == 0; time.Sleep(10 * time.Millisecond) {
		a := s.do("GET", "/v1/admin/health", "").ok()
		if a.decode(&shown); shown.Past == nil || a.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s, %v", a.body, a.Header)
		}
		if time.Now().After(deadline) {
			t.Fatalf("still %+v", shown)
		}
	}
	if shown.Now.Service.Level != "normal" || shown.Now.Head != 1 || time.Since(shown.Now.At) > patience || len(shown.Now.Actors) < 5 || shown.Past[0].Level != "normal" {
		t.Errorf("%+v", shown)
	}
}

// Following the hub's health takes the grant to see it. Who may read all topics may not.
func TestWhoMayFollowHealth(t *testing.T) {
	for _, tt := range []struct {
		name  string
		grant auth.Filters
		may   bool
	}{
		{"reads everything", auth.Filters{Subscribe: nave.Filters{"**", "*/*"}}, false},
		{"administers others", auth.Filters{Subscribe: nave.Filters{"**"}, Admin: nave.Filters{"clients", "metrics"}}, false},
		{"administers health", auth.Filters{Admin: nave.Filters{"health"}}, true},
		{"administers everything", auth.Filters{Admin: nave.Filters{"**"}}, true},
		{"reads the hub's own", auth.Filters{Subscribe: nave.Filters{"$hub/**"}}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, hub.Config{Authority: auth.NewAuthority(auth.AuthorityConfig{Anonymous: auth.NewGrant(tt.grant)})}, Config{})
			if !tt.may {
				s.do("GET", "/v1/events?topic=$hub/health", "").refused(nave.CodeUnauthorised, "to subscribe to $hub/health takes a token")
				return
			}
			c := s.subscribe("topic=$hub/health")
			for {
				if e := c.next(); e.Name == "hub.health" {
					if !strings.Contains(string(e.Data), `"topic":"$hub/health"`) || !strings.Contains(string(e.Data), `"service":{"level":"normal"`) || e.ID != "" {
						t.Errorf("%q %s", e.ID, e.Data)
					}
					return
				}
			}
		})
	}
}

// Only health itself comes with the grant to see it: what operators have decided does not.
func TestHealthIsNotAllOfTheHubsOwn(t *testing.T) {
	grant := auth.NewGrant(auth.Filters{Admin: nave.Filters{"**"}})
	s := start(t, hub.Config{Authority: auth.NewAuthority(auth.AuthorityConfig{Anonymous: grant})}, Config{})
	for _, topic := range []string{"$hub/**", "$hub/*", "$hub/control", "$hub/health/**", "**"} {
		s.do("GET", "/v1/events?topic="+topic, "").refused(nave.CodeUnauthorised, "takes a token")
	}
}
