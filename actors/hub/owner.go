package hub

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/navehub/nave"
	"github.com/navehub/nave/actors/client"
)

// An owner is bounded in how many clients it has: a subject, or for those who are
// anonymous an address. The zero owner is nobody, and not bounded.
type owner struct {
	issuer, subject string
	address         netip.Addr
}

// ownerOf is who answers for a client. Programs on the same machine, and whatever
// listens on it for others, are nobody.
func ownerOf(req client.Request) owner {
	if req.Who != nil && !req.Who.Anonymous() {
		return owner{issuer: req.Who.Issuer, subject: cmp.Or(req.Who.Subject, "a token without subject")}
	}
	if req.Address.IsLoopback() {
		return owner{}
	}
	return owner{address: client.Network(req.Address)}
}

// checkOwner refuses one more client to an owner who has so many.
func (l *Limits) checkOwner(o owner, has int) error {
	switch {
	case o.subject != "" && has >= l.ClientsPerSubject:
		return nave.Errorf(nave.CodeBusy, "%s has %d streams and polls open, as many as a subject may (limits.connections_per_subject)",
			o.subject, has).After(5 * time.Second)
	case o.address.IsValid() && has >= l.ClientsPerAddress:
		return nave.Errorf(nave.CodeBusy, "%s has %d streams and polls open without a token, as many as an address may (limits.connections_per_address)",
			o.address, has).After(5 * time.Second)
	}
	return nil
}
