package config

import (
	"strings"

	"github.com/navehub/nave"
	"github.com/navehub/nave/auth"
)

// HasKeys reports whether there is a key by which a token could be valid.
func (a Auth) HasKeys() bool { return a.Key != "" || len(a.Issuers) > 0 }

// Everything is all that there is to allow: for a hub that only those can reach who
// may.
func Everything() Anonymous {
	all := []string{"**"}
	return Anonymous{Publish: all, Subscribe: []string{"**", "$hub/**"}, Admin: all}
}

// Filters are what those without a token may do, as Validate has found it right.
func (a Anonymous) Filters() auth.Filters {
	return auth.Filters{Publish: filters(a.Publish), Subscribe: filters(a.Subscribe), Admin: filters(a.Admin)}
}

func filters(texts []string) nave.Filters {
	all, _ := nave.ParseFilters(texts)
	return all
}

func (a *Auth) check(refuse refuser) {
	a.checkIssuers(refuse)
	for path, list := range map[string][]string{
		"auth.anonymous.publish": a.Anonymous.Publish, "auth.anonymous.subscribe": a.Anonymous.Subscribe,
		"auth.anonymous.admin": a.Anonymous.Admin,
	} {
		for i, text := range list {
			if _, err := nave.ParseFilter(text); err != nil {
				refuse(item(path, i), "%v", err)
			} else if strings.Contains(text, "{") {
				refuse(item(path, i), "%s: who shows no token has no claims", text)
			}
		}
	}
	for path, list := range map[string][]string{"auth.grant.publish": a.Grant.Publish, "auth.grant.subscribe": a.Grant.Subscribe} {
		for i, text := range list {
			if err := auth.CheckTemplate(text); err != nil {
				refuse(item(path, i), "%v", err)
			}
		}
	}
	if a.Claim == "" {
		refuse("auth.claim", "is empty: name the claim that lists what a token's bearer may do, such as nave")
	}
	if a.Cookie == "" || strings.ContainsAny(a.Cookie, " =;,\t") {
		refuse("auth.cookie", "%q is not the name of a cookie: write it like __Host-nave", a.Cookie)
	}
}

func (a *Auth) checkIssuers(refuse refuser) {
	first := make(map[string]string)
	for i, issuer := range a.Issuers {
		path := item("auth.issuers", i)
		switch earlier, ok := first[issuer.Issuer]; {
		case issuer.Issuer == "":
			refuse(join(path, "issuer"), "is empty: name the iss of its tokens, or use auth.key for tokens without one")
		case ok:
			refuse(join(path, "issuer"), "%s is in %s already: one has to name all its keys", issuer.Issuer, earlier)
		case (issuer.File == "") == (issuer.URL == ""):
			refuse(path, "name where the keys are: file or url, and not both")
		}
		first[issuer.Issuer] = path
	}
}
