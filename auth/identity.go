package auth

import (
	"fmt"
	"time"

	"github.com/navehub/nave"
)

// An Identity is who a caller is: the bearer of a valid token, or anonymous. It is
// not changed once it is in use.
type Identity struct {
	// Issuer, Subject and ID are the token's iss, sub and jti.
	Issuer, Subject, ID string
	// Fingerprint is the token's, and zero for anonymous callers.
	Fingerprint Digest
	// Issued is the token's iat, zero without one. Expires is until when the token is
	// accepted, some leeway after its exp; it is zero only for anonymous callers.
	Issued, Expires time.Time
	Grant           *Grant

	trusted func() bool // whether the key that signed the token is still one; nil: always
}

// A Digest is a SHA-256, which stands for a token.
type Digest = [32]byte

// Anonymous reports whether the caller has shown no token.
func (id *Identity) Anonymous() bool { return id.Fingerprint == Digest{} }

// SameAs reports whether both are the same subject of the same issuer. Who has no
// subject is like nobody.
func (id *Identity) SameAs(other *Identity) bool {
	return id.Issuer == other.Issuer && id.Subject == other.Subject && id.Subject != ""
}

// Name is who it is, for people.
func (id *Identity) Name() string {
	switch {
	case id.Anonymous():
		return "anonymous"
	case id.Subject == "":
		return "a token without subject"
	}
	return fmt.Sprintf("%.100s", id.Subject)
}

// CheckSubscribe refuses filters that match more than the grant does.
func (id *Identity) CheckSubscribe(filters nave.Filters) error {
	for _, f := range filters {
		if !id.Grant.MaySubscribe(f) {
			return id.refuse("subscribe to %s", f)
		}
	}
	return nil
}

// maxShownSubject bounds the subjects that others are shown, in bytes.
const maxShownSubject = 255

// CheckPresence refuses topics on which the caller may not be seen: those that it may
// not read, and any if nobody could tell who it is. Where everybody may read everything
// there is no need to say who one is.
func (id *Identity) CheckPresence(topics []nave.Topic) error {
	for _, t := range topics {
		switch {
		case !id.Grant.MaySubscribe(nave.Filter(t)):
			return id.refuse("be present on %s", t)
		case id.Anonymous():
			if !id.Grant.MaySubscribe("**") {
				return nave.Errorf(nave.CodeUnauthorised, "to be present on %s takes a token, since others are shown its subject: send one as Authorization: Bearer", t)
			}
		case id.Subject == "":
			return nave.Errorf(nave.CodeForbidden, "to be present on %s takes a token with a subject (sub), which others are shown", t)
		case len(id.Subject) > maxShownSubject:
			return nave.Errorf(nave.CodeForbidden, "to be present on %s takes a token with a shorter subject (sub): others are shown %d bytes at most", t, maxShownSubject)
		}
	}
	return nil
}

// CheckPublish refuses an event that may not be published, and fills in the source
// if the grant has one.
func (id *Identity) CheckPublish(e *nave.Event) error {
	if !id.Grant.MayPublish(e.Topic) {
		return id.refuse("publish to %s", e.Topic)
	}
	switch source := id.Grant.source; {
	case source == "" || e.Source == source:
	case e.Source == "":
		e.Source = source
	default:
		return id.refuse("publish as source %.100q", e.Source)
	}
	return nil
}

// CheckAdmin refuses what may not be administered.
func (id *Identity) CheckAdmin(path string) error {
	if !id.Grant.MayAdminister(path) {
		return id.refuse("administer %.100s", path)
	}
	return nil
}

// refuse says what is not granted. Who is anonymous may do better with a token.
func (id *Identity) refuse(what string, about any) error {
	if id.Anonymous() {
		return nave.Errorf(nave.CodeUnauthorised, "to "+what+" takes a token: send one as Authorization: Bearer", about)
	}
	return nave.Errorf(nave.CodeForbidden, "the token does not let its bearer "+what, about)
}
