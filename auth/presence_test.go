package auth

import (
	"strings"
	"testing"

	"github.com/navehub/nave"
)

// Others are shown who somebody is, so that has to be known, unless everybody may read
// everything.
func TestWhoMayBePresent(t *testing.T) {
	boards, everything := NewGrant(Filters{Subscribe: nave.Filters{"boards/*"}}), NewGrant(Filters{Subscribe: nave.Filters{"**"}})
	known := Digest{1}
	for name, one := range map[string]struct {
		id   Identity
		want nave.Code
	}{
		"a subject":               {Identity{Subject: "alice", Fingerprint: known, Grant: boards}, ""},
		"one that may not read":   {Identity{Subject: "alice", Fingerprint: known, Grant: NewGrant(Filters{})}, nave.CodeForbidden},
		"no subject":              {Identity{Fingerprint: known, Grant: everything}, nave.CodeForbidden},
		"a long subject":          {Identity{Subject: strings.Repeat("x", 256), Fingerprint: known, Grant: boards}, nave.CodeForbidden},
		"one that is just short":  {Identity{Subject: strings.Repeat("x", 255), Fingerprint: known, Grant: boards}, ""},
		"anonymous":               {Identity{Grant: boards}, nave.CodeUnauthorised},
		"anonymous, and all open": {Identity{Grant: everything}, ""},
	} {
		err := one.id.CheckPresence([]nave.Topic{"boards/7"})
		if got := nave.CodeOf(err); err != nil && got != one.want || err == nil && one.want != "" {
			t.Errorf("%s: %v, want code %q", name, err, one.want)
		}
		if err := one.id.CheckPresence(nil); err != nil {
			t.Errorf("%s, present nowhere: %v", name, err)
		}
	}
}
