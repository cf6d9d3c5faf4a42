package httpapi

import (
	"net/http"
	"strings"

	"github.com/navehub/nave"
)

// tagOf makes an ETag of a cursor's text. It is a weak one: it stands for what
// the answer means to its reader, not for its bytes.
func tagOf(cursor string, level nave.Level) string {
	if level == nave.LevelNormal || level == "" {
		return `W/"` + cursor + `"`
	}
	return `W/"` + cursor + "." + string(level) + `"` // a change of level is news
}

// revalidate lets a browser keep the answer, if it asks each time whether it
// still holds.
func (x *exchange) revalidate(tag string) {
	x.Header().Set("ETag", tag)
	x.Header().Set("Cache-Control", "private, no-cache")
}

// matches reports whether the client has the answer already. Tags hold no commas.
func matches(h http.Header, tag string) bool {
	for _, header := range h.Values("If-None-Match") {
		for have := range strings.SplitSeq(header, ",") {
			have = strings.TrimSpace(have)
			if have == "*" || strings.TrimPrefix(have, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
