package httpapi

import (
	"net/http"

	"github.com/navehub/nave/dashboard"
)

const dashboardPath = "/dashboard"

// pageContent is what a browser may do for the dashboard: run and show what comes from
// the hub itself, and talk to nobody else.
var pageContent = []string{"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}

// addDashboard adds the page and its files. They are everybody's: what they show, they
// ask for with the token of whoever looks.
func addDashboard(routes map[string]route) {
	for _, f := range dashboard.Files() {
		path := dashboardPath + "/" + f.Name
		if f.Name == dashboard.Page {
			path = dashboardPath
		}
		routes[path] = route{http.MethodGet: serveFile(f)}
	}
	routes[dashboardPath+"/"] = route{http.MethodGet: (*exchange).leaveSlash}
}

// serveFile answers with a file of the page. Browsers keep it, and ask each time whether
// it is still the same.
func serveFile(f dashboard.File) operation {
	return func(x *exchange) error {
		x.Header()["Content-Security-Policy"] = pageContent
		x.Header().Set("ETag", f.Tag)
		x.Header().Set("Cache-Control", "no-cache")
		if matches(x.r.Header, f.Tag) {
			x.WriteHeader(http.StatusNotModified)
			return nil
		}
		x.send(http.StatusOK, f.Type, f.Body)
		return nil
	}
}

// leaveSlash sends whoever asked for /dashboard/ to where the page's links are right,
// wherever it is mounted.
func (x *exchange) leaveSlash() error {
	x.Header().Set("Location", ".."+dashboardPath)
	x.WriteHeader(http.StatusPermanentRedirect)
	return nil
}
