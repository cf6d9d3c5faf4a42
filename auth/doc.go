// Package auth says who may do what.
//
//	token ──▶ Verifier ──▶ Claims ──▶ Authority ──▶ Identity{subject, expiry, Grant}
//	          keys, time              grants, revocations
//
// A token is a signed JWT (RFC 7519). Its claims list, as filters, what its bearer
// may publish, subscribe to and administer; see [Grant]. Whoever shows no token is
// anonymous, and may do what the configuration lets anonymous callers do: nothing,
// unless it says otherwise. Whoever shows one that is not valid is refused, and
// never taken for anonymous.
//
// Everything here may be used by several goroutines.
package auth
