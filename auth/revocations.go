package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/navehub/nave"
)

// A Revocation ends the validity of tokens before their time. One of ID, Subject and
// Token is set.
type Revocation struct {
	// ID revokes the token of this jti.
	ID string `json:"jti,omitempty"`
	// Subject revokes all tokens of the subject that were issued up to At. Those
	// that do not say when are revoked for as long as the revocation stands.
	Subject string `json:"subject,omitempty"`
	// Token revokes the token of this fingerprint, in hexadecimal digits.
	Token string `json:"token,omitempty"`
	// Issuer is whose tokens are meant by ID and Subject; "" is everybody's.
	Issuer string `json:"issuer,omitempty"`

	At time.Time `json:"at"`
	// Until is when the revocation may be forgotten, since no token that it is
	// about can be valid any more; zero is never.
	Until time.Time `json:"until,omitzero"`
	// Reason and By are for people: why, and who has revoked.
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
}

// Key is one for each thing that can be revoked: a later revocation of the same
// takes the place of an earlier one.
func (r *Revocation) Key() string {
	about := r.about()
	sum := sha256.Sum256([]byte(about.issuer + "\x00" + about.value))
	return about.kind + "-" + hex.EncodeToString(sum[:12])
}

// LogValue says what is revoked, and why.
func (r Revocation) LogValue() slog.Value {
	about := r.about()
	return slog.GroupValue(slog.String(about.kind, about.value), slog.String("issuer", r.Issuer), slog.String("reason", r.Reason))
}

// A revoked is what a revocation is about.
type revoked struct{ kind, value, issuer string }

func (r *Revocation) about() revoked {
	switch {
	case r.ID != "":
		return revoked{"jti", r.ID, r.Issuer}
	case r.Token != "":
		return revoked{"token", r.Token, ""}
	}
	return revoked{"subject", r.Subject, r.Issuer}
}

// maxRevocationText is how long each text of a revocation may be, in bytes.
const maxRevocationText = 512

// Check refuses what revokes nothing, or nothing certain.
func (r *Revocation) Check() error {
	for name, text := range map[string]string{"jti": r.ID, "subject": r.Subject, "issuer": r.Issuer, "reason": r.Reason} {
		if len(text) > maxRevocationText {
			return nave.Errorf(nave.CodeTooLarge, "%s is %d bytes long; at most %d are allowed", name, len(text), maxRevocationText)
		}
	}
	set := 0
	for _, about := range []string{r.ID, r.Subject, r.Token} {
		if about != "" {
			set++
		}
	}
	if set != 1 {
		return nave.Errorf(nave.CodeInvalid, "a revocation is about one of jti, subject, token or connection")
	}
	r.Token = strings.ToLower(r.Token)
	if sum, err := hex.DecodeString(r.Token); r.Token != "" && (err != nil || len(sum) != len(Digest{})) {
		return nave.Errorf(nave.CodeInvalid, "token is not a fingerprint: it is the SHA-256 of the token without its signature (up to the last dot), in %d hexadecimal digits", 2*len(Digest{}))
	}
	if !r.Until.IsZero() && !r.Until.After(time.Now()) {
		return nave.Errorf(nave.CodeInvalid, "until is %s, which has passed", r.Until.UTC().Format(time.RFC3339))
	}
	return nil
}

// Revocations are those that are in force.
type Revocations struct {
	some atomic.Bool // spares most callers the lock

	mu  sync.RWMutex
	all map[revoked]Revocation
}

// MaxRevocations bounds how many are in force at a time.
const MaxRevocations = 100_000

// Put puts a revocation in force. It fails when there are too many.
func (r *Revocations) Put(revocation Revocation) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	about := revocation.about()
	if _, known := r.all[about]; !known && len(r.all) >= MaxRevocations {
		now := time.Now()
		maps.DeleteFunc(r.all, func(_ revoked, old Revocation) bool { return old.over(now) })
		if len(r.all) >= MaxRevocations {
			return nave.Errorf(nave.CodeTooMany, "there are %d revocations, as many as there may be: lift some, or give them an end (until)", MaxRevocations)
		}
	}
	if r.all == nil {
		r.all = make(map[revoked]Revocation)
	}
	r.all[about] = revocation
	r.some.Store(true)
	return nil
}

func (r *Revocation) over(now time.Time) bool { return !r.Until.IsZero() && now.After(r.Until) }

// Lift ends a revocation, and reports whether it was in force.
func (r *Revocations) Lift(key string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.all)
	maps.DeleteFunc(r.all, func(_ revoked, old Revocation) bool { return old.Key() == key })
	r.some.Store(len(r.all) > 0)
	return len(r.all) < before
}

// Has reports whether there is a revocation of the key.
func (r *Revocations) Has(key string) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, revocation := range r.all {
		if revocation.Key() == key {
			return true
		}
	}
	return false
}

// Over are keys of some that are over.
func (r *Revocations) Over(now time.Time) (keys []string) {
	const some = 100
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, revocation := range r.all {
		if revocation.over(now) && len(keys) < some {
			keys = append(keys, revocation.Key())
		}
	}
	return keys
}

// All are those in force, in the order of their keys.
func (r *Revocations) All() []Revocation {
	r.mu.RLock()
	defer r.mu.RUnlock()
	now := time.Now()
	var all []Revocation
	for _, revocation := range r.all {
		if !revocation.over(now) {
			all = append(all, revocation)
		}
	}
	slices.SortFunc(all, func(a, b Revocation) int { return strings.Compare(a.Key(), b.Key()) })
	return all
}

var errRevoked = nave.Errorf(nave.CodeUnauthorised, "the token has been revoked")

// Check refuses an identity whose token has been revoked. The clock of its issuer may
// be ahead by the leeway.
func (r *Revocations) Check(id *Identity, leeway time.Duration) error {
	if !r.some.Load() || id.Anonymous() {
		return nil
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, about := range []revoked{
		{"jti", id.ID, id.Issuer}, {"jti", id.ID, ""},
		{"subject", id.Subject, id.Issuer}, {"subject", id.Subject, ""},
		{"token", hex.EncodeToString(id.Fingerprint[:]), ""},
	} {
		revocation, ok := r.all[about]
		if ok && about.value != "" && !revocation.over(time.Now()) && !revocation.spares(id, leeway) {
			return errRevoked
		}
	}
	return nil
}

// spares reports whether the token was issued after the revocation of its subject,
// and is a new one.
func (r *Revocation) spares(id *Identity, leeway time.Duration) bool {
	return r.about().kind == "subject" && id.Issued.After(r.At.Add(leeway))
}
