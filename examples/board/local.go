package main

import (
	"net"
	"net/http"
	"strings"
)

// isLocal reports whether only this machine can reach an address.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && isLocalName(host)
}

func isLocalName(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// byLocalName refuses requests by another name: a page whose own name points here
// would be of this origin otherwise, and act with the cookie.
func byLocalName(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !isLocalName(strings.Trim(host, "[]")) {
			refuse(w, newProblem(http.StatusMisdirectedRequest, "this board is on its own machine only: localhost"))
			return
		}
		next.ServeHTTP(w, r)
	})
}
